"""Sounds for tests: made here, encoded as people's files are, and an honest judge of what is loud."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from app.audio.sound import RATE_HZ, Pcm

DEMO = Path(__file__).parents[1] / "assets" / "demo"
TONE_HZ = 440.0
TONE_LEVEL = 0.5


@dataclass(frozen=True, slots=True)
class Encoding:
    """A kind of file: FFmpeg's muxer and encoder, and the shape of the sound in it."""

    suffix: str
    muxer: str
    codec: str
    rate_hz: int = 48_000
    layout: str = "stereo"

    def __str__(self) -> str:
        return f"{self.suffix}-{self.codec}-{self.rate_hz}-{self.layout}"


ENCODINGS = (
    Encoding("wav", "wav", "pcm_s16le", 44_100),
    Encoding("wav", "wav", "pcm_s16le", 16_000, "mono"),
    Encoding("wav", "wav", "pcm_s24le", 96_000),
    Encoding("wav", "wav", "pcm_f32le", 48_000),
    Encoding("wav", "wav", "pcm_u8", 8_000, "mono"),
    Encoding("wav", "wav", "pcm_mulaw", 8_000, "mono"),
    Encoding("wav", "wav", "pcm_alaw", 8_000),
    Encoding("wav", "wav", "adpcm_ms", 22_050, "mono"),
    Encoding("wav", "wav", "pcm_s16le", 48_000, "5.1"),
    Encoding("w64", "w64", "pcm_s16le"),
    Encoding("flac", "flac", "flac", 44_100),
    Encoding("flac", "flac", "flac", 48_000, "5.1"),
    Encoding("mp3", "mp3", "libmp3lame", 44_100),
    Encoding("mp3", "mp3", "libmp3lame", 16_000, "mono"),
    Encoding("m4a", "ipod", "aac", 44_100),
    Encoding("m4a", "ipod", "alac", 48_000),
    Encoding("mp4", "mp4", "aac", 48_000, "5.1"),
    Encoding("mov", "mov", "pcm_s16le", 48_000),
    Encoding("3gp", "3gp", "libopencore_amrnb", 8_000, "mono"),
    Encoding("aac", "adts", "aac", 44_100),
    Encoding("ogg", "ogg", "vorbis", 44_100),
    Encoding("opus", "ogg", "libopus", 48_000, "mono"),
    Encoding("webm", "webm", "libopus", 48_000),
    Encoding("mkv", "matroska", "ac3", 48_000, "5.1"),
    Encoding("aiff", "aiff", "pcm_s16be", 44_100),
    Encoding("caf", "caf", "pcm_s16be", 44_100),
    Encoding("amr", "amr", "libopencore_amrnb", 8_000, "mono"),
    Encoding("wma", "asf", "wmav2", 44_100),
)


def tone(duration_s: float, *, hz: float = TONE_HZ, level: float = TONE_LEVEL, rate_hz: int = RATE_HZ) -> Pcm:
    """A sine, float32, shape (n,)."""
    times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    sound: Pcm = (level * np.sin(2 * np.pi * hz * times_s)).astype(np.float32)
    return sound


def silence(duration_s: float) -> Pcm:
    """Nothing at all, float32, 16 kHz, shape (n,)."""
    return np.zeros(round(duration_s * RATE_HZ), np.float32)


def bursts(*lengths_s: float) -> Pcm:
    """Silence, tone, silence, tone … each as long as told."""
    return np.concatenate([tone(s) if i % 2 else silence(s) for i, s in enumerate(lengths_s)])


def encode(path: Path, encoding: Encoding, duration_s: float = 2.0, *, level: float = TONE_LEVEL) -> Path:
    """Write a tone, the same on every channel."""
    n_channels = len(av.AudioLayout(encoding.layout).channels)
    sound = tone(duration_s, level=level, rate_hz=encoding.rate_hz)
    return write(path, encoding, np.tile(sound, (n_channels, 1)))


def write(path: Path, encoding: Encoding, channels: npt.NDArray[np.float32]) -> Path:
    """Write sound of the encoding's rate, shape (n_channels, n)."""
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels, np.float32), "fltp", encoding.layout)
    frame.sample_rate = encoding.rate_hz
    with av.open(str(path), "w", format=encoding.muxer) as file:
        stream = file.add_stream(encoding.codec, rate=encoding.rate_hz, layout=encoding.layout)
        assert isinstance(stream, AudioStream)
        stream.codec_context.options = {"strict": "experimental"}  # FFmpeg's own Vorbis encoder is
        if encoding.codec == "wmav2":
            stream.codec_context.bit_rate = 64_000  # its default is too high to encode
        for piece in (frame, None):
            file.mux(stream.encode(piece))
    return path


def write_video(path: Path, *, audio_starts_s: float | None = 0.0, duration_s: float = 2.0) -> Path:
    """Write a black video, with a tone from `audio_starts_s` on, or None for no sound."""
    with av.open(str(path), "w", format="mp4") as file:
        video = file.add_stream("mpeg4", rate=10)
        assert isinstance(video, VideoStream)
        video.width = video.height = 64
        sound = None if audio_starts_s is None else file.add_stream("aac", rate=48_000, layout="mono")
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        for i in range(int(duration_s * 10)):
            picture.pts, picture.time_base = i, Fraction(1, 10)
            file.mux(video.encode(picture))
        file.mux(video.encode(None))
        if isinstance(sound, AudioStream):
            frame = av.AudioFrame.from_ndarray(tone(duration_s, rate_hz=48_000)[None, :], "fltp", "mono")
            frame.sample_rate, frame.time_base = 48_000, Fraction(1, 48_000)
            frame.pts = round((audio_starts_s or 0.0) * 48_000)
            for piece in (frame, None):
                file.mux(sound.encode(piece))
    return path


def loudest_hz(pcm: Pcm) -> float:
    """The frequency with the most energy in it."""
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(spectrum) * RATE_HZ / len(pcm))


def level_of(pcm: Pcm) -> float:
    """The level of the sine that has this energy."""
    return float(np.sqrt(2 * np.mean(pcm.astype(np.float64) ** 2)))


class EnergyVad:
    """A `VoiceActivity` by loudness alone: 1 at −20 dBFS and above, 0 at −60 and below, straight in between."""

    hop = 512

    def __init__(self) -> None:
        self._pending = np.zeros(0, np.float32)

    def reset(self) -> None:
        """Forget the stream."""
        self._pending = np.zeros(0, np.float32)

    def probabilities(self, pcm: Pcm) -> npt.NDArray[np.float32]:
        """One for each whole hop not told before, shape (m,)."""
        stream = np.concatenate([self._pending, pcm])
        n_whole = len(stream) // self.hop * self.hop
        self._pending = stream[n_whole:]
        hops = stream[:n_whole].reshape(-1, self.hop).astype(np.float64)
        decibels = 10 * np.log10(np.mean(hops**2, axis=1) + 1e-12)
        return np.clip((decibels + 60) / 40, 0.0, 1.0).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line of a demo recording's reference."""

    start_s: float
    end_s: float
    speaker: str
    text: str


def demo_lines(filename: str) -> Sequence[Spoken]:
    """What is said in a demo recording, in order."""
    with (DEMO / "reference.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["recording"] == filename]
    return [Spoken(float(row["start_s"]), float(row["end_s"]), row["speaker"], row["text"]) for row in rows]


def demo_text(filename: str) -> str:
    """All that is said in a demo recording."""
    return " ".join(line.text for line in demo_lines(filename))
