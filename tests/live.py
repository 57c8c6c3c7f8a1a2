"""Live sessions for tests, through the services and Redis, as a gateway would have them."""

import io
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import av
import numpy as np
import numpy.typing as npt
import psutil

from app.domain.errors import ParloirError, Unavailable
from app.domain.job import JobOptions, Mode
from app.domain.live import Final, LiveSession, StreamSpec
from app.domain.principal import ANONYMOUS
from app.engines.registry import Registry
from app.queues.connection import connect
from app.queues.hints import HintQueue
from app.queues.live_input import END, FINALIZE, LiveInput
from app.queues.live_output import LiveFeed, LiveMessage
from app.queues.presence import list_workers
from app.services.jobs.submission import Defaults
from app.services.streaming.admission import Admission
from app.services.streaming.sessions import OpenStream, Sessions
from tests.factories import House
from tests.plugins.parloir_scripted import ScriptedEngine
from tests.workers import descendants, wait_for

RATE_HZ = 16_000
CHUNK_BYTES = RATE_HZ // 10 * 2
Samples = npt.NDArray[np.int16]


def make_sessions(house: House, project_max: int | None = None) -> Sessions:
    """The API's side; the scripted engine is the only one it knows."""
    return Sessions(
        house.database,
        Registry([ScriptedEngine(Path())]),
        HintQueue(house.client, Mode.STREAMING),
        house.narrator,
        Admission(house.client, project_max),
        Defaults("scripted"),
    )


def tone(pitch_hz: int, seconds: float = 0.2) -> Samples:
    at_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (12_000 * np.sin(2 * np.pi * pitch_hz * at_s)).astype(np.int16)


def quiet(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def speech(n_utterances: int, n_words: int = 3, pause_s: float = 0.9, first_hz: int = 300) -> bytes:
    """Utterances of words that the scripted engine hears, all different, as s16le at 16 kHz."""
    pieces: list[Samples] = [quiet(0.3)]
    for n in range(n_utterances * n_words):
        pieces += [tone(first_hz + 40 * n), quiet(pause_s if n % n_words == n_words - 1 else 0.1)]
    return np.concatenate(pieces).astype("<i2").tobytes()


def words_of(n_utterances: int, n_words: int = 3, first_hz: int = 300) -> list[str]:
    """What the scripted engine says of `speech`, utterance by utterance."""
    all_ = [f"{first_hz + 40 * n}" for n in range(n_utterances * n_words)]
    return [" ".join(all_[at : at + n_words]) for at in range(0, len(all_), n_words)]


def as_opus(sound: bytes, container: str = "webm") -> bytes:
    """The same sound (s16le at 16 kHz) as a browser would send it, in `webm` or `ogg`."""
    written = io.BytesIO()
    with av.open(written, "w", format=container) as file:
        stream = file.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.frombuffer(sound, "<i2").reshape(1, -1), "s16", "mono")
        frame.rate = RATE_HZ
        resampler = av.AudioResampler("s16", "mono", 48_000, frame_size=960)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return written.getvalue()


@dataclass
class Client:
    """One connection to a session: sends sound, keeps what it was told. `sent` counts bytes."""

    session: LiveSession
    live: LiveInput
    owner: str
    sent: int = 0
    told: list[LiveMessage] = field(default_factory=list)

    @property
    def job_id(self) -> str:
        return self.session.job.id

    def take_over(self) -> int:
        """Become the owner; goes on from what is held."""
        self.sent = self.live.take_over(self.job_id, self.owner, self.session.committed_byte)
        return self.sent

    def send(self, sound: bytes, *, upto: int | None = None, pace: float | None = None) -> None:
        """Send `sound` from where we are, in chunks of 100 ms; `pace` 1 is real time, None as fast as it goes."""
        stop = len(sound) if upto is None else upto
        while self.sent < stop:
            chunk = sound[self.sent : min(self.sent + CHUNK_BYTES, stop)]
            self.sent = self.live.append(self.job_id, self.owner, self.sent, chunk)
            if pace:
                time.sleep(len(chunk) / 2 / RATE_HZ / pace)

    def finalize(self) -> None:
        self.live.control(self.job_id, self.owner, FINALIZE)

    def stop(self) -> None:
        self.live.control(self.job_id, self.owner, END)

    def of(self, kind: str) -> list[LiveMessage]:
        return [message for message in list(self.told) if message.type == kind]

    def finals(self) -> list[str]:
        """The texts of the finals told, in the order told."""
        return [message.fields["segment"]["text"] for message in self.of("final")]

    def wait(self, kind: str, n: int = 1, timeout_s: float = 30.0) -> list[LiveMessage]:
        """Wait until something of this kind was told `n` times."""
        wait_for(lambda: len(self.of(kind)) >= n, timeout_s)
        return self.of(kind)


@dataclass
class Gateway:
    """What an API process does for live sessions, without HTTP."""

    house: House
    redis_url: str
    name: str = field(default_factory=lambda: f"gate{uuid4().hex[:8]}")

    def __post_init__(self) -> None:
        self.sessions = make_sessions(self.house)
        self.live = LiveInput(connect(self.redis_url))
        self.feed = LiveFeed(connect(self.redis_url, read_timeout_s=8), self.name)

    def open(self, options: JobOptions | None = None, **spec: object) -> LiveSession:
        """A session, once a worker has room for it."""
        wait_for(lambda: has_room(self.house))
        request = OpenStream(options or JobOptions(), StreamSpec(**spec))  # type: ignore[arg-type]
        opened = self.sessions.open(ANONYMOUS, request)
        return self.sessions.attach(ANONYMOUS, opened.job.id)

    @contextmanager
    def connected(self, session: LiveSession) -> Iterator[Client]:
        """A connection that gives signs of life while the block lasts."""
        client = Client(session, self.live, f"{self.name}:{uuid4().hex[:8]}")
        is_over = threading.Event()
        with self.feed.listening(client.job_id, client.told.append):
            client.take_over()
            keeper = threading.Thread(target=self._keep, args=[client, is_over])
            keeper.start()
            try:
                yield client
            finally:
                is_over.set()
                keeper.join()

    def _keep(self, client: Client, is_over: threading.Event) -> None:
        while not is_over.wait(1.0):
            try:
                self.live.keep_owner({client.job_id: client.owner})
            except Unavailable:
                continue

    def finals(self, job_id: str) -> list[Final]:
        """What is stored."""
        return self.sessions.finals(ANONYMOUS, job_id)


def has_room(house: House) -> bool:
    workers = [one for one in list_workers(house.client) if one.mode == Mode.STREAMING]
    return sum(one.slots - one.busy for one in workers) > 0


def texts(finals: Sequence[Final]) -> list[str]:
    return [final.segment.text for final in finals]


def resend(client: Client, sound: bytes, **how: float) -> None:
    """Send on, as a client does whose connection or whose Redis was lost: from what is held, else from committed."""
    while client.sent < len(sound):
        try:
            client.send(sound, **how)  # type: ignore[arg-type]
        except Unavailable as lost:
            if not isinstance(lost, ParloirError):
                raise
            time.sleep(0.3)
            try:
                client.take_over()
            except Unavailable:
                continue


LIVE_SETTINGS = {"STREAM_SLOTS": "6", "STREAM_ABANDONED_S": "1", "STREAM_BEAT_S": "0.3", "STREAM_LEASE_S": "1.5"}
N = 4
SOUND = speech(N)
IN_MID_UTTERANCE = int(len(SOUND) * 0.45) // 2 * 2
"""A byte of `SOUND` within its second utterance."""


def stream_children(process) -> list[psutil.Process]:
    return [one for one in descendants(process) if "workers.streaming.child" in _command(one)]


def _command(process: psutil.Process) -> str:
    """Its command line; of one that has ended since it was found, none."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def is_undisturbed(client: Client, gateway: Gateway, n: int = N) -> None:
    """What was told and what is stored are, word for word, what an undisturbed run gives; each final told once."""
    client.wait("completed", timeout_s=60.0)
    assert texts(gateway.finals(client.job_id)) == words_of(n)
    told = {message.fields["seq"]: message.fields["segment"] for message in client.of("final")}
    assert [told[seq]["text"] for seq in sorted(told)] == words_of(n)
    assert [message.fields["seq"] for message in client.of("final")] == list(range(1, n + 1))
    words = [word for final in gateway.finals(client.job_id) for word in final.segment.words]
    starts = [round(word.start_s, 2) for word in words]
    assert starts == expected_starts(n)


def expected_starts(n: int) -> list[float]:
    starts, at = [], 0.3
    for word in range(n * 3):
        starts.append(round(at, 2))
        at += 0.2 + (0.9 if word % 3 == 2 else 0.1)
    return starts
