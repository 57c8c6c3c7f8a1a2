"""`python -m app weights` as an operator runs it, against servers on this machine."""

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from engine_conformance import text_of, transcribed
from fixtures.vosk_weights import COUNTING, MODEL_FOLDER
from weights_server import serving

from app.__main__ import main
from app.engines.base import Hardware
from app.engines.registry import build_registry
from app.engines.weights import download as downloading
from app.engines.weights.whisper_checkpoints import SHA256

VOSK = "vosk-model-small-en-us-0.15"
ROOT = Path(__file__).parents[2]
HUB_FILES = {
    "model.bin": b"net" * 100_000,
    "config.json": b"{}",
    "tokenizer.json": b'{"a": 1}',
    "vocabulary.txt": b"a\nb\n",
    "README.md": b"not wanted",
}


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def server():
    with serving() as told:
        yield told


@pytest.fixture
def weights_dir(tmp_path):
    return tmp_path / "weights"


@pytest.fixture
def environ(server, weights_dir, tmp_path):
    return {
        "WEIGHTS_DIR": str(weights_dir),
        "WEIGHTS_VOSK_URL": f"{server.url}/vosk",
        "WEIGHTS_WHISPER_URL": f"{server.url}/whisper",
        "HF_ENDPOINT": server.url,
        "HF_HOME": str(tmp_path / "hub-cache"),
    }


@pytest.fixture
def weights(environ, monkeypatch, capsys):
    """Runs the command here; returns its exit code and what it said."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(downloading, "FIRST_PAUSE_S", 0.0)

    def run(*words: str) -> Done:
        try:
            exit_code = main(["weights", *words])
        except SystemExit as end:
            exit_code = int(str(end.code))
        return Done(exit_code, *capsys.readouterr())

    return run


@pytest.fixture
def weights_process(environ):
    """Runs the command in a process of its own: the hub's library reads its address once, when it is imported."""

    def run(*words: str) -> Done:
        command = [sys.executable, "-m", "app", "weights", *words]
        env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"} | environ
        done = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True)
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def put_vosk(server, name: str = VOSK, md5: str | None = None) -> bytes:
    """Publish the fixture of digits under a name of Vosk's."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(MODEL_FOLDER.rglob("*")):
            archive.write(path, Path(name, path.relative_to(MODEL_FOLDER)))
    content = packed.getvalue()
    listed = {"name": name, "md5": md5 or hashlib.md5(content, usedforsecurity=False).hexdigest()}
    server.files["/vosk/model-list.json"] = json.dumps([listed]).encode()
    server.files[f"/vosk/{name}.zip"] = content
    return content


def whisper_path(model: str = "tiny") -> str:
    return f"/whisper/{SHA256[model]}/{model}.pt"


def left_over(weights_dir: Path) -> list[Path]:
    """Files that are in the weights folder but not whole weights."""
    incoming = weights_dir / ".incoming"
    return [path for path in incoming.rglob("*") if path.is_file() and path.name != ".lock"]


def test_a_model_of_vosk_is_fetched_and_works(server, weights, weights_dir):
    put_vosk(server)
    done = weights("pull", "vosk", VOSK)
    assert (done.returncode, done.stdout) == (0, f"vosk {VOSK} is here.\n"), done.stderr
    engine = build_registry(weights_dir).get("vosk")
    [model] = [model for model in engine.models() if model.is_here]
    assert text_of(transcribed(engine.load(model, Hardware()), COUNTING.read())) == COUNTING.text
    assert left_over(weights_dir) == []


def test_a_language_stands_for_its_light_model(server, weights, weights_dir):
    put_vosk(server)
    assert weights("pull", "vosk", "en").returncode == 0
    assert (weights_dir / "vosk" / VOSK / "am" / "final.mdl").is_file()


def test_a_fetch_that_broke_off_goes_on_in_the_next_run(server, weights, weights_dir):
    content = put_vosk(server)
    server.breaks = [len(content) // 2]
    folder = weights_dir / ".incoming" / "vosk" / VOSK
    folder.mkdir(parents=True)
    (folder / f"{VOSK}.zip.part").write_bytes(content[:1000])
    assert weights("pull", "vosk", VOSK).returncode == 0
    assert server.ranges(f"/vosk/{VOSK}.zip") == ["bytes=1000-", f"bytes={1000 + len(content) // 2}-"]
    assert "complete" in weights("list", "--verify").stdout


def test_what_is_here_and_complete_is_not_fetched_again_unless_forced(server, weights):
    put_vosk(server)
    weights("pull", "vosk", VOSK)
    n_asked = len(server.asked)
    done = weights("pull", "vosk", VOSK)
    assert (done.returncode, len(server.asked)) == (0, n_asked)
    assert "already" in done.stdout
    assert weights("pull", "vosk", VOSK, "--force").returncode == 0
    assert len(server.asked) > n_asked


def test_a_wrong_digest_is_refused_and_nothing_is_left(server, weights, weights_dir):
    put_vosk(server, md5="0" * 32)
    done = weights("pull", "vosk", VOSK)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "md5" in done.stderr
    assert left_over(weights_dir) == []
    assert not (weights_dir / "vosk").exists()


def test_a_checkpoint_that_is_not_the_published_one_is_refused(server, weights, weights_dir):
    server.files[whisper_path()] = b"somebody else's"
    done = weights("pull", "whisper", "tiny")
    assert done.returncode == 1
    assert "sha256" in done.stderr
    assert left_over(weights_dir) == []


def test_a_converted_model_is_fetched_from_the_hub(server, weights_process, weights_dir):
    server.put_repository("Systran/faster-whisper-tiny", HUB_FILES)
    done = weights_process("pull", "faster-whisper", "tiny")
    assert done.returncode == 0, done.stderr
    folder = weights_dir / "faster-whisper" / "tiny"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: content for name, content in HUB_FILES.items() if name != "README.md"
    }
    assert build_registry(weights_dir).choices()[0].model.name == "tiny"
    assert left_over(weights_dir) == []


@pytest.mark.parametrize("damaged", ["model.bin", "config.json"])
def test_a_hub_that_sends_other_bytes_than_it_published_is_refused(server, weights_process, weights_dir, damaged):
    server.put_repository("Systran/faster-whisper-tiny", HUB_FILES)
    [path] = [path for path in server.files if path.endswith(f"/{damaged}")]
    server.files[path] = b"?" * len(HUB_FILES[damaged])
    done = weights_process("pull", "faster-whisper", "tiny")
    assert done.returncode == 1
    assert damaged in done.stderr
    assert not (weights_dir / "faster-whisper").exists()
    assert left_over(weights_dir) == []


def test_a_repository_that_is_gone_is_told(weights_process):
    done = weights_process("pull", "faster-whisper", "tiny")
    assert done.returncode == 2
    assert "not on the hub" in done.stderr


@pytest.mark.parametrize("words", [("vosk", VOSK), ("whisper", "tiny"), ("faster-whisper", "tiny")])
def test_a_machine_without_a_network_is_told_in_one_line(environ, weights_process, words):
    for name in ("WEIGHTS_VOSK_URL", "WEIGHTS_WHISPER_URL", "HF_ENDPOINT"):
        environ[name] = "http://127.0.0.1:1"
    done = weights_process("pull", *words)
    assert done.returncode == 1
    assert "cannot be fetched from 127.0.0.1" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_checkpoint_of_whisper_is_fetched_to_where_the_engine_looks(server, weights, weights_dir, monkeypatch):
    content = b"a checkpoint"
    monkeypatch.setitem(SHA256, "tiny", hashlib.sha256(content).hexdigest())
    server.files[whisper_path()] = content
    assert weights("pull", "whisper", "tiny").returncode == 0
    assert (weights_dir / "whisper" / "tiny.pt").read_bytes() == content
    assert build_registry(weights_dir).choices()[0].model.name == "tiny"


@pytest.mark.parametrize(
    "words", [("pull", "whisper", "huge"), ("pull", "vosk", "tlh"), ("pull", "nobody"), ("fetch",), ()]
)
def test_what_does_not_exist_is_wrong_use(weights, words):
    done = weights(*words)
    assert done.returncode == 2
    assert done.stderr


def test_a_list_shows_what_is_here(server, weights, weights_dir):
    put_vosk(server)
    weights("pull", "vosk", VOSK)
    (weights_dir / "whisper").mkdir()
    (weights_dir / "whisper" / "base.pt").write_bytes(b"mine")
    rows = [line.split("  ") for line in weights("list").stdout.splitlines()]
    states = {(row[0].strip(), [cell.strip() for cell in row if cell][1]): row[-1].strip() for row in rows}
    assert states["vosk", VOSK] == "complete"
    assert states["whisper", "base"] == "by hand"
    assert states["pocketsphinx", "en-us"] == "installed"
    assert ("whisper", "tiny") not in states


def test_a_list_of_all_shows_what_could_be_fetched(weights):
    assert "not here" in weights("list", "--all").stdout


def test_damage_that_the_size_shows_is_listed(server, weights, weights_dir):
    put_vosk(server)
    weights("pull", "vosk", VOSK)
    (weights_dir / "vosk" / VOSK / "am" / "final.mdl").write_bytes(b"cut")
    done = weights("list")
    assert done.returncode == 1
    assert "damaged" in done.stdout
    assert weights("pull", "vosk", VOSK).returncode == 0
    assert weights("list").returncode == 0


def test_damage_that_the_size_does_not_show_is_found_by_verifying(server, weights, weights_dir):
    put_vosk(server)
    weights("pull", "vosk", VOSK)
    path = weights_dir / "vosk" / VOSK / "graph" / "HCLG.fst"
    path.write_bytes(bytes(path.stat().st_size))
    assert "damaged" not in weights("list").stdout
    done = weights("list", "--verify")
    assert done.returncode == 1
    assert "damaged" in done.stdout


def test_weights_are_removed(server, weights, weights_dir):
    put_vosk(server)
    weights("pull", "vosk", VOSK)
    assert weights("remove", "vosk", VOSK).returncode == 0
    assert VOSK not in weights("list").stdout
    assert [path for path in weights_dir.rglob("*") if path.is_file()] == []


def test_weights_put_there_by_hand_can_be_removed(weights, weights_dir):
    (weights_dir / "whisper").mkdir(parents=True)
    (weights_dir / "whisper" / "base.pt").write_bytes(b"mine")
    assert weights("remove", "whisper", "base").returncode == 0
    assert list((weights_dir / "whisper").iterdir()) == []


@pytest.mark.parametrize("words", [("pocketsphinx", "en-us"), ("vosk", VOSK)])
def test_what_is_not_in_the_folder_cannot_be_removed(weights, words):
    done = weights("remove", *words)
    assert done.returncode == 1
    assert "pocketsphinx en-us belong to" in done.stderr or "no weights" in done.stderr
