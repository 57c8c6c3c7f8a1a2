"""Recordings of any kind → sound as this service knows it, a second at a time, in constant memory.

FFmpeg runs in a process of its own (`decoder`), with limits; this is the side that a worker sees.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import structlog

from app.audio import containers
from app.audio.containers import Container
from app.audio.decoder_process import DecoderProcess
from app.audio.decoder_protocol import Ended, Opened, Outcome, Request
from app.audio.riff import wav_header
from app.audio.sniff import HEAD_BYTES, sniff
from app.audio.sound import RATE_HZ, Pcm
from app.domain.errors import MediaEmpty, MediaNotStereo, MediaTooLong, MediaUnreadable, MediaWithoutAudio

log = structlog.get_logger(__name__)

CHUNK_SAMPLES = RATE_HZ
SAMPLE_BYTES = 4

Listener = Callable[[Pcm], object]
"""Is given all of the sound as it passes, from its start on."""
MIN_SOUND_S = 0.1
"""Less than this holds not one syllable."""
WHOLE_RATIO = 0.95
"""Containers round their length; a recording this close to what its header declares is whole."""
SILENCE_PEAK = 10 ** (-80 / 20)
"""−80 dBFS: below the noise of any microphone, about two steps of 16 bits."""
MIN_BYTES_PER_S = 250
"""2 kbit/s, less than any codec of speech: what declares more sound than that for its size is not to be believed."""

TRUNCATED = "audio_truncated"
DAMAGED = "audio_damaged"
SILENT = "audio_silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeLimits:
    """What decoding one recording may take. `memory_bytes` counts beyond the decoder's own code.

    `stall_s` is how long we wait for the next sound; a slow listener is no stall.
    """

    max_s: float = 86_400.0
    memory_bytes: int = 1024**3
    cpu_s: int = 3_600
    stall_s: float = 60.0


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a recording says of itself. `declared_s` is None where its header does not tell, or only guesses."""

    container: Container
    codec: str
    rate_hz: int
    n_channels: int
    declared_s: float | None


class Decoding:
    """A recording while it is decoded. Iterate once: float32, mono, 16 kHz, shape (n,), about a second each.

    `n_samples` is how much there was so far, counted from the start of the recording; it is the whole, and
    `warnings` are there, when the iteration has ended.
    """

    def __init__(
        self,
        process: DecoderProcess,
        info: MediaInfo,
        limits: DecodeLimits,
        start_sample: int,
        listener: Listener | None = None,
    ) -> None:
        self.info = info
        self.n_samples = 0
        self.warnings: tuple[str, ...] = ()
        self._process = process
        self._limits = limits
        self._start_sample = start_sample
        self._listener = listener
        self._peak = 0.0

    def __iter__(self) -> Iterator[Pcm]:
        """The sound from `start_sample` on.

        Raises:
            MediaUnreadable: nothing can be decoded, or decoding takes more than the limits allow.
            MediaEmpty: there is less than a tenth of a second of sound.
            MediaTooLong: there is more than allowed.
            ChildDied: the decoder was killed from outside; another try may succeed.
        """
        is_last = False
        while not is_last:
            start = self.n_samples
            chunk = self._next()
            is_last = len(chunk) < CHUNK_SAMPLES
            if is_last:
                self._conclude()
            wanted = chunk[max(0, self._start_sample - start) :]
            if len(wanted):
                yield wanted

    def _next(self) -> Pcm:
        buffer = bytearray(CHUNK_SAMPLES * SAMPLE_BYTES)
        n_bytes = self._process.read_into(memoryview(buffer))
        chunk = _sane(np.frombuffer(buffer, np.float32, n_bytes // SAMPLE_BYTES))
        self.n_samples += len(chunk)
        self._peak = max(self._peak, float(np.abs(chunk).max(initial=0.0)))
        if self._listener:
            self._listener(chunk)
        return chunk

    def _conclude(self) -> None:
        ended = self._process.report()
        assert isinstance(ended, Ended)
        if ended.outcome is not Outcome.COMPLETE:
            _refuse(ended, self._limits)
        if self.n_samples < MIN_SOUND_S * RATE_HZ:
            self._refuse_as_empty(ended)
        self.warnings = tuple(self._warnings(ended))

    def _refuse_as_empty(self, ended: Ended) -> NoReturn:
        if ended.n_damaged and not self.n_samples:
            raise MediaUnreadable(reason="all of its sound is damaged")
        found_s = self.n_samples / RATE_HZ
        declared_s = self.info.declared_s
        says = f"its header declares {declared_s:.2f} s, but " if declared_s else ""
        raise MediaEmpty(reason=f"{says}{found_s:.2f} s were found in it")

    def _warnings(self, ended: Ended) -> Iterator[str]:
        declared_s = self.info.declared_s
        if declared_s and self.n_samples / RATE_HZ < WHOLE_RATIO * declared_s:
            yield TRUNCATED
        if ended.n_damaged:
            yield DAMAGED
        if self._peak < SILENCE_PEAK:
            yield SILENT


@contextmanager
def decode(
    path: Path,
    *,
    limits: DecodeLimits = DecodeLimits(),
    start_sample: int = 0,
    channel: int | None = None,
    listener: Listener | None = None,
) -> Iterator[Decoding]:
    """Open a recording and decode it, or one `channel` of its two, from `start_sample` (of the decoded sound) on.

    That is exact to the sample: all before it is decoded too, and left out; only `listener` hears it.

    Raises:
        NotAudio: it is no kind of file that we read.
        MediaEmpty: it has no bytes.
        MediaUnreadable, MediaWithoutAudio: it cannot be opened, or has no audio stream.
        MediaTooLong: its header declares more than allowed.
        MediaNotStereo: a channel is wanted, and there are not two (or later, when they cease to be).
        ChildDied: the decoder was killed from outside.
    """
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise MediaEmpty(reason="the file has no bytes")
    head = _head(path)
    container = sniff(head)
    with closing(DecoderProcess(_request(path, container, limits, channel), limits.stall_s)) as process:
        opened = process.report()
        if isinstance(opened, Ended):
            _refuse(opened, limits)
        info = _info(container, opened, head)
        _check_length(info, size_bytes, limits)
        yield Decoding(process, info, limits, start_sample, listener)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _request(path: Path, container: Container, limits: DecodeLimits, channel: int | None) -> Request:
    return Request(
        path=str(path.resolve()),
        demuxer=container.demuxer,
        max_samples=int(limits.max_s * RATE_HZ),
        memory_bytes=limits.memory_bytes,
        cpu_s=limits.cpu_s,
        channel=channel,
    )


def _refuse(ended: Ended, limits: DecodeLimits) -> NoReturn:
    if ended.outcome is Outcome.WITHOUT_AUDIO:
        raise MediaWithoutAudio
    if ended.outcome is Outcome.NOT_STEREO:
        raise MediaNotStereo
    if ended.outcome is Outcome.TOO_LONG:
        raise MediaTooLong(limit_s=f"{limits.max_s:g}")
    if ended.outcome is Outcome.FAILED:
        log.error("decoder_failed", traceback=ended.reason)
        raise MediaUnreadable(reason="the decoder failed on it")
    raise MediaUnreadable(reason=ended.reason)


def _info(container: Container, opened: Opened, head: bytes) -> MediaInfo:
    return MediaInfo(
        container, opened.codec, opened.rate_hz, opened.n_channels, _declared_s(container, opened.declared_s, head)
    )


def _declared_s(container: Container, ffmpeg_s: float | None, head: bytes) -> float | None:
    """How long the header says the recording is, where there is one that says it.

    FFmpeg takes a WAV's length from the size of the file instead, and guesses those of AAC, AMR and of an MP3
    without a Xing header from their bit rate.
    """
    if container is containers.WAV:
        header = wav_header(head)
        return header.declared_s if header else None
    if container in {containers.AAC, containers.AMR}:
        return None
    if container is containers.MP3 and not any(mark in head for mark in (b"Xing", b"Info", b"VBRI")):
        return None
    return ffmpeg_s


def _check_length(info: MediaInfo, size_bytes: int, limits: DecodeLimits) -> None:
    """Refuse at once what says it is too long, if its size bears it out; the rest is counted as it is decoded."""
    declared_s = info.declared_s or 0.0
    if declared_s > limits.max_s and size_bytes >= declared_s * MIN_BYTES_PER_S:
        raise MediaTooLong(limit_s=f"{limits.max_s:g}")


def _sane(chunk: Pcm) -> Pcm:
    """Within −1…1, in place; files of floats may hold anything, NaN too."""
    np.nan_to_num(chunk, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip(chunk, -1.0, 1.0, out=chunk)
