# ruff: noqa: INP001 - a script beside the files it makes
"""Make the demo recordings and `reference.tsv`: `python assets/make_recordings.py`.

Needs Debian's `flite` (its voices are free to use); the recordings are kept, so nobody else does. The sentences are
ones that these voices say clearly. Every run gives the same sound.
"""

import csv
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream

RATE_HZ = 16_000
EDGE_S = 0.4
ROOM_NOISE = 4.0
"""Standard deviation in 16-bit steps, about −78 dBFS: no room is perfectly silent."""
DEMO = Path(__file__).with_name("demo")
COLUMNS = ("recording", "start_s", "end_s", "speaker", "channel", "text")

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence, who says it, how long it is quiet after it, and on which channel it is heard."""

    voice: str
    text: str
    pause_s: float = 0.7
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Recording:
    """What is said in a file, and how it is kept."""

    filename: str
    lines: Sequence[Line]
    codec: str = "flac"
    rate_hz: int = RATE_HZ
    n_channels: int = 1


RECORDINGS = (
    Recording(
        "garden.flac",
        (
            Line("slt", "The weather is very nice today.", 1.0),
            Line("slt", "The children are playing in the garden.", 1.0),
            Line("slt", "The sun was shining and the birds were singing."),
        ),
    ),
    Recording(
        "meeting.flac",
        (
            Line("rms", "Good morning and welcome to the meeting.", 0.6),
            Line("rms", "We will begin in five minutes.", 1.2),
            Line("slt", "I would like to talk about the new project.", 0.9),
            Line("rms", "We need to find a better solution to this problem.", 0.8),
            Line("slt", "And how much will it cost?", 0.7),
            Line("rms", "It will cost about two thousand dollars.", 1.1),
            Line("slt", "Thank you very much for your time.", 0.8),
            Line("rms", "Let us meet again next week.", 0.7),
            Line("slt", "That sounds good to me."),
        ),
    ),
    Recording(
        "long-pause.flac",
        (
            Line("awb", "Please send me the report before Friday.", 15.0),
            Line("awb", "The train to London leaves at nine in the morning."),
        ),
    ),
    Recording(
        "telephone.wav",
        (
            Line("slt", "Can you hear me now?", 0.6, channel=0),
            Line("awb", "Yes, I can hear you very well.", 0.7, channel=1),
            Line("slt", "Let us meet again next week.", 0.6, channel=0),
            Line("awb", "That sounds good to me.", channel=1),
        ),
        codec="pcm_mulaw",
        rate_hz=8_000,
        n_channels=2,
    ),
)


def main() -> None:
    """Make them all."""
    DEMO.mkdir(exist_ok=True)
    with (DEMO / "reference.tsv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(COLUMNS)
        for recording in RECORDINGS:
            table.writerows(make(recording))


def make(recording: Recording) -> list[tuple[str, ...]]:
    """Write a recording; returns its rows of the reference."""
    at_s = EDGE_S
    rows: list[tuple[str, ...]] = []
    channels = room(recording)
    for line in recording.lines:
        sound, first = spoken(line), round(at_s * RATE_HZ)
        channels[line.channel, first : first + len(sound)] += sound
        end_s = at_s + len(sound) / RATE_HZ
        rows.append((recording.filename, f"{at_s:.2f}", f"{end_s:.2f}", line.voice, str(line.channel), line.text))
        at_s = end_s + line.pause_s
    write(recording, np.clip(channels, -32_768, 32_767).astype(np.int16))
    return rows


def room(recording: Recording) -> Samples:
    """The sound of the room while nobody speaks, for as long as is needed; shape (n_channels, n)."""
    *lines, last = recording.lines
    length_s = (
        2 * EDGE_S + sum(len(spoken(line)) / RATE_HZ + line.pause_s for line in lines) + len(spoken(last)) / RATE_HZ
    )
    return np.random.default_rng(1).normal(0.0, ROOM_NOISE, (recording.n_channels, round(length_s * RATE_HZ)))


@cache
def spoken(line: Line) -> Samples:
    """A sentence in 16-bit steps, shape (n,)."""
    flite = shutil.which("flite")
    if flite is None:
        raise SystemExit("flite is not installed (apt-get install flite)")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "line.wav")
        subprocess.run([flite, "-voice", line.voice, "-t", line.text, "-o", str(path)], check=True)
        with wave.open(str(path)) as sound:
            return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float64)


def write(recording: Recording, channels: npt.NDArray[np.int16]) -> None:
    """Encode 16 kHz samples, shape (n_channels, n), as the recording wants them."""
    layout = "mono" if recording.n_channels == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels.T).reshape(1, -1), "s16", layout)
    frame.sample_rate = RATE_HZ
    with av.open(str(DEMO / recording.filename), "w", options={"fflags": "+bitexact"}) as file:
        stream = file.add_stream(recording.codec, rate=recording.rate_hz, layout=layout)
        assert isinstance(stream, AudioStream)
        for piece in (frame, None):
            file.mux(stream.encode(piece))


if __name__ == "__main__":
    main()
