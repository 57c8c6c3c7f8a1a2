"""Decoded frames of any shape → float32, mono, 16 kHz, with the holes in time filled.

Used in the decoder process only: it imports PyAV, and does without numpy to start fast.
"""

from collections.abc import Iterator

from av.audio.frame import AudioFrame
from av.error import BlockingIOError as NotYet
from av.error import EOFError as Exhausted
from av.filter import Graph
from av.filter.context import FilterContext

RATE_HZ = 16_000  # as in `sound`, which would load numpy
SAMPLE_BYTES = 4
MIN_HOLE_S = 0.1
"""Shorter ones are the rounding of timestamps."""
MAX_HOLE_S = 600.0
"""Longer ones are a clock that was set anew, not lost sound."""
MAX_OVERLAP_S = 1.0
"""A timestamp further back than this begins another timeline (files joined end to end)."""


N_STEREO = 2


class NotStereo(Exception):
    """One of two channels is wanted, and the sound has not two."""


class Resampler:
    """Turns frames into PCM bytes; a stream whose rate or channels change midway is followed."""

    def __init__(self, channel: int | None = None) -> None:
        """With a `channel` of a stereo sound, it alone is heard."""
        self._channel = channel
        self._shape: tuple[str, str, int] | None = None
        self._graph: Graph | None = None

    def convert(self, frame: AudioFrame) -> Iterator[bytes]:
        """What is ready after this frame: blocks of float32 samples.

        Raises:
            NotStereo: a channel is wanted, and there are not two.
        """
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            yield from self.flush()
            self._shape, self._graph = shape, _graph(frame, self._channel)
        frame.pts = None
        yield from self._pushed(frame)

    def flush(self) -> Iterator[bytes]:
        """What the filters still held."""
        if self._graph is not None:
            yield from self._pushed(None)
        self._shape = self._graph = None

    def _pushed(self, frame: AudioFrame | None) -> Iterator[bytes]:
        assert self._graph is not None
        self._graph.push(frame)
        while True:
            try:
                out = self._graph.pull()
            except (NotYet, Exhausted):
                return
            # A plane is padded beyond its samples.
            yield bytes(out.planes[0])[: out.samples * SAMPLE_BYTES]  # type: ignore[union-attr]


def _graph(frame: AudioFrame, channel: int | None) -> Graph:
    """Resample and mix down so that a full-scale input stays within −1…1: the weights of channels add up to 1."""
    if channel is not None and frame.layout.nb_channels != N_STEREO:
        raise NotStereo
    graph = Graph()
    graph.threads = 1  # more would each take address space, and there is nothing to share
    try:
        graph.link_nodes(*_nodes(graph, frame, channel))
    except RuntimeError as error:  # that is how PyAV says it
        raise MemoryError from error
    graph.configure()
    return graph


def _nodes(graph: Graph, frame: AudioFrame, channel: int | None) -> list[FilterContext]:
    source = graph.add(
        "abuffer",
        sample_rate=str(frame.sample_rate),
        sample_fmt=frame.format.name,
        channel_layout=frame.layout.name,
        time_base=f"1/{frame.sample_rate}",
    )
    mixed = [graph.add("pan", pan)] if (pan := _pan(frame, channel)) else []
    resampled = graph.add("aresample", rematrix_maxval="1.0")
    shaped = graph.add("aformat", sample_rates=str(RATE_HZ), sample_fmts="flt", channel_layouts="mono")
    return [source, *mixed, resampled, shaped, graph.add("abuffersink")]


def _pan(frame: AudioFrame, channel: int | None) -> str | None:
    """How the channels become one, where FFmpeg's own way is not wanted."""
    if channel is not None:
        return f"mono|c0=c{channel}"
    return _mean_of(frame.layout.nb_channels) if _is_unnamed(frame) else None


def _is_unnamed(frame: AudioFrame) -> bool:
    """Whether nobody says which channel is which. A guess would take the third for a subwoofer and leave it out."""
    return frame.layout.name.endswith(" channels")


def _mean_of(n_channels: int) -> str:
    """For FFmpeg's `pan`: one channel, the mean of all."""
    return "mono|c0=" + "+".join(f"{1 / n_channels}*c{i}" for i in range(n_channels))


class Timeline:
    """Keeps the sound where its timestamps say, as players do: where packets were lost, there is silence.

    `origin_s` is where the container begins; sound that begins later (under a video) gets silence in front.
    """

    def __init__(self, origin_s: float) -> None:
        self._origin_s = origin_s
        self._clock_s = 0.0

    def hole_s(self, frame: AudioFrame) -> float:
        """How much silence belongs in front of this frame, mostly 0."""
        hole_s = self._hole_s(frame.time)
        self._clock_s += hole_s + frame.samples / frame.sample_rate
        return hole_s

    def _hole_s(self, time_s: float | None) -> float:
        if time_s is None:
            return 0.0
        ahead_s = time_s - self._origin_s - self._clock_s
        if not -MAX_OVERLAP_S <= ahead_s <= MAX_HOLE_S:
            self._origin_s += ahead_s
        return ahead_s if MIN_HOLE_S <= ahead_s <= MAX_HOLE_S else 0.0


def silence(duration_s: float) -> Iterator[bytes]:
    """Zeros, at most a second in a block."""
    n_samples = round(duration_s * RATE_HZ)
    while n_samples > 0:
        n_block = min(n_samples, RATE_HZ)
        yield bytes(n_block * SAMPLE_BYTES)
        n_samples -= n_block
