"""Opus as a browser's MediaRecorder sends it, in WebM or Ogg, packet by packet.

Positions count the sound that was sent: nothing is filled in where a recorder paused. A decoder that begins in the
middle needs some sound to find its state again, so restart points lie a while before what is wanted.
"""

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError
from av.packet import Packet

from app.audio.live.base import RestartPoint
from app.audio.live.ogg import MAGIC as OGG_MAGIC
from app.audio.live.ogg import OggDemuxer
from app.audio.live.packets import Demuxer, OpusPacket, n_samples_of, unreadable
from app.audio.live.points import OPUS_HZ, Point, Points
from app.audio.live.resampling import LiveResampler
from app.audio.live.webm import MAGIC as WEBM_MAGIC
from app.audio.live.webm import WebmDemuxer
from app.audio.sound import RATE_HZ, Pcm

STEP = OPUS_HZ // RATE_HZ
POINT_STEP = RATE_HZ
"""Samples between restart points that are remembered."""
HEAD_BYTES = 19
MAX_CHANNELS = 2
FULL_SCALE = 32_768
MAX_DAMAGED = 50
"""Packets in a row that cannot be decoded before the stream is given up."""


class OpusDecoder:
    """A `LiveDecoder` of either container."""

    def __init__(self, start: RestartPoint) -> None:
        self._start = start
        self._demuxer: Demuxer | None = None
        self._codec: AudioCodecContext | None = None
        self._resampler = LiveResampler(OPUS_HZ)
        self._sniffed = b""
        self._n_skipped = 0
        self._n_damaged = 0
        self._n_out = start.sample * STEP
        self.points = Points(start)
        self._new_points: list[Point] = []
        if start.header:
            self._packets(start.header)

    def feed(self, data: bytes) -> Pcm:
        """See `LiveDecoder`."""
        sounds = [self._resampler.feed(self._sound(packet)) for packet in self._packets(data)]
        return np.concatenate(sounds) if sounds else np.zeros(0, np.float32)

    def flush(self) -> Pcm:
        """See `LiveDecoder`; a packet that is not whole is nothing."""
        return self._resampler.flush()

    def close(self) -> None:
        """Nothing is held that would not go by itself."""

    def restart_at(self, sample: int) -> RestartPoint:
        """See `LiveDecoder`."""
        return self.points.before(sample)

    def new_points(self) -> list[Point]:
        """The points that were found since this was asked last."""
        new, self._new_points = self._new_points, []
        return new

    def _packets(self, data: bytes) -> list[OpusPacket]:
        if self._demuxer is None:
            self._sniffed += data
            if len(self._sniffed) < len(WEBM_MAGIC):
                return []
            data, self._sniffed = self._sniffed, b""
            self._demuxer = _demuxer(data, self._start.byte - len(self._start.header))
        packets = self._demuxer.feed(data)
        self.points.header = self._demuxer.header
        return packets

    def _sound(self, packet: OpusPacket) -> Pcm:
        codec = self._codec or self._opened()
        if packet.byte is not None:
            self._remember(packet.byte)
        n_samples = n_samples_of(packet.data)
        decoded = self._decoded(codec, packet.data, n_samples)
        n_skipped = min(self._n_skipped, len(decoded))
        self._n_skipped -= n_skipped
        self._n_out += len(decoded) - n_skipped
        return decoded[n_skipped:]

    def _remember(self, byte: int) -> None:
        """A point lies where both rates have a sample, and behind what is skipped in the beginning."""
        is_far = self._n_out >= (self.points.last_sample + POINT_STEP) * STEP
        if is_far and not self._n_skipped and not self._n_out % STEP:
            point = (self._n_out // STEP, byte)
            self.points.add([point])
            self._new_points.append(point)

    def _opened(self) -> AudioCodecContext:
        assert self._demuxer is not None
        head = self._demuxer.head
        if len(head) < HEAD_BYTES or not head.startswith(b"OpusHead") or not 1 <= head[9] <= MAX_CHANNELS or head[18]:
            raise unreadable("its header does not name one or two channels")
        if not self._start.byte:
            skipped = int.from_bytes(head[10:12], "little")
            self._n_skipped = skipped - skipped % STEP
        self._codec = _codec(head)
        return self._codec

    def _decoded(self, codec: AudioCodecContext, data: bytes, n_samples: int) -> Pcm:
        """Mono, 48 kHz, as many samples as the packet says; silence if it is damaged."""
        try:
            frames = codec.decode(Packet(data)) if n_samples else []
        except FFmpegError:
            frames = []
        self._n_damaged = 0 if frames else self._n_damaged + 1
        if self._n_damaged > MAX_DAMAGED:
            raise unreadable("nothing in it can be decoded")
        made = np.zeros(n_samples, np.float32)
        for frame in frames:
            # Interleaved, in 16 bits: that is how this decoder gives it.
            mono = frame.to_ndarray().reshape(-1, frame.layout.nb_channels).mean(axis=1) / FULL_SCALE
            made[: len(mono)] = mono[:n_samples]
        return made


def _demuxer(data: bytes, byte: int) -> Demuxer:
    if data.startswith(WEBM_MAGIC):
        return WebmDemuxer(byte)
    if data.startswith(OGG_MAGIC):
        return OggDemuxer(byte)
    raise unreadable("it begins with something else")


def _codec(head: bytes) -> AudioCodecContext:
    """A decoder that leaves the beginning and the level to us: the skip and the gain in its header are 0."""
    codec = av.CodecContext.create("libopus", "r")
    assert isinstance(codec, AudioCodecContext)
    codec.extradata = head[:10] + b"\0\0" + head[12:16] + b"\0\0" + head[18:]
    codec.sample_rate = OPUS_HZ
    codec.layout = "mono" if head[9] == 1 else "stereo"
    codec.thread_count = 1
    return codec
