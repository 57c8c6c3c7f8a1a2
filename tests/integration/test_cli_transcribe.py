"""`python -m app transcribe`, run as people run it: here, and through a service."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from tests.fakes import quiet
from tests.pipelines import write_wav
from tests.sounds import DEMO, tone

ROOT = Path(__file__).parents[2]
GARDEN = DEMO / "garden.flac"
COMMAND = [sys.executable, "-m", "app", "transcribe"]


def transcribe(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, with the scripted engine there beside those of the house."""
    settings = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env={**settings, "PYTHONPATH": str(ROOT / "tests" / "plugins"), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def scripted(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    """The same with an engine that hears `span` in every sentence: quick, and whatever the words."""
    return transcribe("--engine", "scripted", *arguments, **environ)


def test_what_was_said_goes_to_standard_output() -> None:
    ended = transcribe(GARDEN)
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert "the sun was shining and the birds were singing\n" in ended.stdout


def test_files_go_into_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "srt"
    ended = scripted(GARDEN, DEMO / "long-pause.flac", "--format", "srt", "-o", folder)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert sorted(path.name for path in folder.iterdir()) == ["garden.srt", "long-pause.srt"]
    assert (folder / "garden.srt").read_text().startswith("1\n00:00:0")


def test_files_go_beside_the_recordings(tmp_path: Path) -> None:
    recording = tmp_path / "a.flac"
    recording.write_bytes(GARDEN.read_bytes())
    assert scripted(recording, "--format", "json", "--beside").returncode == 0
    assert json.loads((tmp_path / "a.json").read_text())["engine"] == "scripted"


def test_no_words_means_no_word_times_where_the_engine_obeys() -> None:
    ended = transcribe("--no-words", "--format", "json", GARDEN)
    assert [segment["words"] for segment in json.loads(ended.stdout)["segments"]] == [[], [], []]


def test_a_file_that_fails_is_told_in_one_line_and_the_others_go_on(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    ended = scripted(text, tmp_path / "missing.wav", tmp_path, GARDEN)
    assert ended.returncode == 1
    assert ended.stdout.split() == ["span"] * 3
    lines = ended.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == [str(text), str(tmp_path / "missing.wav"), str(tmp_path)]
    assert "not a recording" in lines[0]


def test_an_engine_that_breaks_down_fails_one_file_and_not_the_command(tmp_path: Path) -> None:
    log = tmp_path / "log"
    silent = write_wav(tmp_path / "silent.wav", quiet(2.0))
    ended = scripted("--model", "v1", silent, GARDEN, SCRIPTED_LOG=str(log / "no" / "such" / "folder"))
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[0] == f"{silent}: warning: audio_silent"
    assert ended.stderr.splitlines()[1].startswith(f"{GARDEN}: The engine failed: ")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (GARDEN, "--format", "docx"),
        (GARDEN, "--engine", "nobody"),
        (GARDEN, "--engine", "pocketsphinx", "--language", "fr"),
        (GARDEN, "--server", "localhost:8000"),
        (GARDEN, DEMO / "garden.wav", "-o", "somewhere"),
        (),
    ],
)
def test_wrong_usage_is_told_before_anything_is_done(arguments: tuple[object, ...]) -> None:
    ended = transcribe(*arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr
    assert "Traceback" not in ended.stderr


def test_wrong_settings_are_told_as_wrong_usage() -> None:
    ended = transcribe(GARDEN, DEVICE="abacus")
    assert ended.returncode == 2
    assert "DEVICE" in ended.stderr


def test_a_transcript_never_overwrites_its_recording(tmp_path: Path) -> None:
    recording = tmp_path / "a.txt"
    recording.write_bytes(GARDEN.read_bytes())
    assert transcribe(recording, "--beside").returncode == 2
    assert recording.read_bytes() == GARDEN.read_bytes()


def test_a_bar_is_drawn_only_when_it_is_wanted() -> None:
    assert "garden.flac" in scripted(GARDEN, "--progress").stderr


def test_ctrl_c_ends_the_command_and_its_engine_at_once(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "long.wav", *[tone(0.2), quiet(0.2)] * 5, quiet(20))
    speech = tmp_path / "speech.flac"
    speech.write_bytes((DEMO / "meeting.flac").read_bytes())
    process = subprocess.Popen([*COMMAND, str(speech), str(recording)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    family = wait_for(lambda: psutil.Process(process.pid).children(recursive=True))
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    assert said == "Interrupted.\n"
    assert wait_for(lambda: not any(is_alive(one) for one in family))


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def wait_for(condition: Callable[[], object], timeout_s: float = 20.0) -> object:
    deadline_s = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline_s, "it did not come about"
        time.sleep(0.05)
    return found


@dataclass
class StandIn:
    """Speaks the wire contract as a service does, and does as told; notes what it was asked."""

    states: list[str] = field(default_factory=lambda: ["QUEUED", "PROCESSING", "COMPLETED"])
    n_busy: int = 0
    refusal: dict[str, object] | None = None
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    url: str = ""

    def answer(self, method: str, target: str, headers: object, body: bytes) -> tuple[int, dict[str, str], bytes]:
        path = urlsplit(target).path
        self.asked.append(f"{method} {path}")
        if path.endswith("/createJob"):
            return self._create(headers, body)
        if path.endswith("/result"):
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            data = {"status": state, "progress": 0.5}
            if state == "FAILED":
                data["error"] = {"code": "media_empty", "message": "The recording holds no sound."}
            return wire(200, {"status": "success", "data": data})
        if path.endswith("/transcript"):
            asked = parse_qs(urlsplit(target).query)["format"][0]
            return 200, {"Content-Type": "text/plain; charset=utf-8"}, f"in {asked}: déjà vu\n".encode()
        return wire(202, {"status": "success", "data": {}})

    def _create(self, headers: object, body: bytes) -> tuple[int, dict[str, str], bytes]:
        self.keys.add(headers["Idempotency-Key"])
        if self.n_busy:
            self.n_busy -= 1
            status, more, content = wire(503, {"status": "error", "message": "Busy.", "code": "unavailable"})
            return status, {**more, "Retry-After": "0"}, content
        if self.refusal:
            return wire(422, self.refusal)
        self.forms.append(read_form(headers["Content-Type"], body))
        return wire(202, {"status": "success", "data": {"job_uuid": "a-job"}})


def wire(status: int, content: object) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts = {part.get_param("name", header="content-disposition"): part for part in message.get_payload()}
    values = {name: part.get_payload(decode=True) for name, part in parts.items()}
    return {name: str(len(value)) if name == "audioFile" else value.decode() for name, value in values.items()}


@contextmanager
def serving(stand_in: StandIn) -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, content = stand_in.answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _any  # noqa: N815 - the library looks for these names

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_is_sent_the_file_and_the_options() -> None:
    with serving(StandIn()) as service:
        ended = transcribe(GARDEN, "--server", service.url, "--format", "vtt", "--language", "en", "--trim-silence")
    assert (ended.returncode, ended.stdout) == (0, "in vtt: déjà vu\n")
    assert service.forms == [
        {
            "audioFile": str(GARDEN.stat().st_size),
            "language": "en",
            "task": "transcribe",
            "wordTimestamps": "true",
            "trimSilence": "true",
        }
    ]


def test_a_busy_service_is_asked_again_for_the_same_job() -> None:
    with serving(StandIn(n_busy=2)) as service:
        assert transcribe(GARDEN, "--server", service.url).returncode == 0
    assert service.asked.count("POST /api/batchTranscription/createJob") == 3
    assert len(service.keys) == 1


def test_a_job_that_fails_is_told_with_its_reason() -> None:
    with serving(StandIn(states=["FAILED"])) as service:
        ended = transcribe(GARDEN, "--server", service.url)
    assert ended.returncode == 1
    assert ended.stderr == f"{GARDEN}: The recording holds no sound.\n"


def test_options_that_the_service_refuses_are_wrong_usage() -> None:
    refusal = {
        "status": "error",
        "message": "Wrong.",
        "code": "invalid_fields",
        "errors": {"model": ["No such model."]},
    }
    with serving(StandIn(refusal=refusal)) as service:
        ended = transcribe(GARDEN, "--server", service.url, "--model", "x")
    assert (ended.returncode, ended.stderr) == (2, "model: No such model.\n")


def test_ctrl_c_cancels_the_job_that_is_waited_for() -> None:
    with serving(StandIn(states=["PROCESSING"])) as service:
        command = [*COMMAND, str(GARDEN), "--server", service.url]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: any(asked.endswith("/result") for asked in service.asked))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (130, "Interrupted.\n")
    assert service.asked[-1] == "POST /api/jobs/a-job/cancel"


def test_a_service_that_is_not_there_has_an_exit_code_of_its_own() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ended = transcribe(GARDEN, "--server", f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert ended.returncode == 3
    assert "cannot be reached" in ended.stderr
    assert "Traceback" not in ended.stderr
