"""The decoder process: one recording in, PCM out, then gone. Started by `app.audio.decode` as `-m app.audio.decoder`.

Everything it needs is loaded before it is confined; what it says, and where, is in `decoder_protocol`.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterator
from typing import IO, cast

import av

# PyAV imports these when it meets its first stream, by when no more files may be opened.
import av.subtitles.codeccontext
import av.subtitles.stream
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.error import MemoryError as FFmpegMemoryError
from av.packet import Packet

from app.audio.confinement import confine, end_with_parent
from app.audio.containers import DEMUXERS
from app.audio.conversion import N_STEREO, SAMPLE_BYTES, NotStereo, Resampler, Timeline, silence
from app.audio.decoder_protocol import Ended, Opened, Outcome, Request, tell

STDOUT_FD = 1
BUFFER_BYTES = 65_536
MAX_FAILED_READS = 50
"""Places in a row that the demuxer may fail to read before the rest of the file is given up."""
OPEN_OPTIONS = {
    "protocol_whitelist": "file",
    # QuickTime can name other files as the place of its sound.
    "enable_drefs": "0",
    "use_absolute_path": "0",
}
NO_MEMORY = "it takes more memory than decoding may"
BROKEN = "its contents are not what its kind of file should hold, or it is cut short"
NO_CODEC = "its sound is in a codec that is not supported"


class TooLong(Exception):
    """The recording has more samples than asked for."""


class Output:
    """Standard output, up to a number of samples."""

    def __init__(self, max_samples: int) -> None:
        self._pipe = open(STDOUT_FD, "wb", buffering=BUFFER_BYTES, closefd=False)  # noqa: SIM115 - a descriptor
        self._left_bytes = max_samples * SAMPLE_BYTES

    def write(self, block: bytes) -> None:
        """Add a block of samples.

        Raises:
            TooLong: that is more than was asked for.
        """
        self._left_bytes -= len(block)
        if self._left_bytes < 0:
            raise TooLong
        self._pipe.write(block)

    def flush(self) -> None:
        """Let go of what is buffered."""
        self._pipe.flush()


class Decoding:
    """Takes the packets of one stream through the decoder; what is damaged is left out and counted."""

    def __init__(self, recording: InputContainer, stream: AudioStream, output: Output, channel: int | None) -> None:
        self._recording = recording
        self._stream = stream
        self._output = output
        self._resampler = Resampler(channel)
        self._timeline = Timeline((recording.start_time or 0) / av.time_base)
        self.n_damaged = 0

    def run(self) -> None:
        """Decode to the end."""
        for packet in self._packets():
            try:
                self._decode(packet)
            except FFmpegMemoryError:
                raise
            except FFmpegError:
                self.n_damaged += 1
        self._write(self._resampler.flush())
        self._output.flush()

    def _packets(self) -> "Iterator[Packet[AudioStream]]":
        n_failed = 0
        while n_failed < MAX_FAILED_READS:
            try:
                for packet in self._recording.demux(self._stream):
                    n_failed = 0
                    yield packet
                return
            except FFmpegMemoryError:
                raise
            except FFmpegError:
                n_failed += 1
                self.n_damaged += 1

    def _decode(self, packet: "Packet[AudioStream]") -> None:
        for frame in self._stream.codec_context.decode(packet):
            self._write(silence(self._timeline.hole_s(frame)))
            self._write(self._resampler.convert(frame))

    def _write(self, blocks: Iterator[bytes]) -> None:
        for block in blocks:
            self._output.write(block)


def opened(recording: InputContainer, stream: AudioStream) -> Opened:
    """What the container says of the sound in it."""
    duration = recording.duration
    return Opened(
        declared_s=duration / av.time_base if duration and duration > 0 else None,
        codec=stream.codec_context.name,
        rate_hz=stream.codec_context.sample_rate,
        n_channels=stream.codec_context.channels,
    )


def decode(request: Request, report: IO[str]) -> Ended:
    """Decode the best audio stream to standard output."""
    options = dict(OPEN_OPTIONS)
    with av.open(
        f"file:{request.path}", format=request.demuxer, options=options, metadata_errors="replace"
    ) as recording:
        stream = recording.streams.best("audio")
        if not isinstance(stream, AudioStream):
            return Ended(outcome=Outcome.WITHOUT_AUDIO)
        if cast("AudioCodecContext | None", stream.codec_context) is None:  # PyAV's stubs do not know this case
            return Ended(outcome=Outcome.UNREADABLE, reason=NO_CODEC)
        stream.codec_context.thread_count = 1
        tell(report, opened(recording, stream))
        decoding = Decoding(recording, stream, Output(request.max_samples), request.channel)
        if request.channel is not None and stream.codec_context.channels != N_STEREO:
            return Ended(outcome=Outcome.NOT_STEREO)
        try:
            decoding.run()
        except TooLong:
            return Ended(outcome=Outcome.TOO_LONG, n_damaged=decoding.n_damaged)
        except NotStereo:
            return Ended(outcome=Outcome.NOT_STEREO)
        return Ended(outcome=Outcome.COMPLETE, n_damaged=decoding.n_damaged)


def attempt(request: Request, report: IO[str]) -> Ended:
    """Decode; what FFmpeg says against it becomes a reason, in words that show no path."""
    try:
        return decode(request, report)
    except (FFmpegMemoryError, MemoryError):
        return Ended(outcome=Outcome.UNREADABLE, reason=NO_MEMORY)
    except FFmpegError:
        return Ended(outcome=Outcome.UNREADABLE, reason=BROKEN)
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001 - the process ends with it, and standard error may be a file it may not write
        return Ended(outcome=Outcome.FAILED, reason=traceback.format_exc())


def main(argument: str) -> None:
    """Do what is asked for; ends without a word if nobody listens any more."""
    request = Request(**json.loads(argument))
    if request.demuxer not in DEMUXERS:
        raise ValueError(request.demuxer)
    end_with_parent(request.parent_pid)
    av.logging.set_level(None)
    report = os.fdopen(request.report_fd, "w", encoding="utf-8")
    confine(request.memory_bytes, request.cpu_s)
    try:
        tell(report, attempt(request, report))
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
