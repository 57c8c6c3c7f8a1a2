"""Words given to the right speaker: a synthetic dialogue of two voices, transcribed, diarized and merged.

The dialogue is made of the lines of `assets/demo` in random order, with pauses of 0.15 to 0.9 s, `--minutes` long.
Whose word it is, is told by the line in whose time its middle lies. The engines are those in the wheels.
"""

import argparse
import csv
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import random
import tempfile
import wave
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np

from app.audio.decode import decode
from app.audio.sound import RATE_HZ, Pcm
from app.domain.diarization import Diarization
from app.domain.job import JobOptions
from app.domain.transcript import Transcript, Word
from app.services.diarization.assembly import build_diarization_pipeline
from app.services.diarization.merging import merged
from app.services.transcription.assembly import PipelineSettings, build_pipeline
from benchmarks.embedded_wer import Silent
from benchmarks.report import heading, row
from benchmarks.service import ROOT

DEMO = ROOT / "assets" / "demo"
VOICES = (("rms", "slt"), ("slt", "awb"))
EDGE_S = 0.03


@dataclass(frozen=True, slots=True)
class Line:
    """Who speaks in a dialogue from when to when."""

    voice: str
    start_s: float
    end_s: float


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0)
    asked = parser.parse_args()
    heading(f"Words given to the right speaker, {asked.minutes:g} min of dialogue a pair of voices")
    print("| voices, and what the engine is told | words | right |\n|---|---|---|")
    for voices in VOICES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "dialogue.wav")
            lines = make_dialogue(path, voices, asked.minutes)
            tell(path, " and ".join(voices), lines)


def tell(path: Path, name: str, lines: Sequence[Line]) -> None:
    """A row for each kind of hint."""
    settings = PipelineSettings(weights_dir=ROOT / "var" / "weights", n_threads=1)
    heard = build_pipeline(settings).run(path, JobOptions(engine="pocketsphinx"), Silent())
    told_apart = build_diarization_pipeline(settings)
    for hint, n_speakers in (("nothing", None), ("two speakers", 2)):
        found = told_apart.run(path, JobOptions(diarization_engine="embedded", n_speakers=n_speakers), Silent())
        words = words_of(heard, found)
        row(f"{name}, {hint}", str(len(words)), f"{100 * accuracy(words, lines):.1f} %")


def words_of(heard: Transcript, found: Diarization) -> list[Word]:
    """Every word with its speaker."""
    return [word for segment in merged(heard, found.turns).segments for word in segment.words]


def accuracy(words: Sequence[Word], lines: Sequence[Line]) -> float:
    """The share of the words that have the right speaker, labels and voices matched as well as can be."""
    seen = Counter((said_by(word, lines), word.speaker) for word in words)
    voices = sorted({line.voice for line in lines})
    labels = [*sorted({str(word.speaker) for word in words}), *voices]
    best = max(sum(seen[pair] for pair in zip(voices, some, strict=True)) for some in permutations(labels, len(voices)))
    return best / len(words)


def said_by(word: Word, lines: Sequence[Line]) -> str:
    """The voice of the line that the word lies in, or is nearest to."""
    middle_s = (word.start_s + word.end_s) / 2
    return min(lines, key=lambda line: max(line.start_s - middle_s, middle_s - line.end_s, 0.0)).voice


def make_dialogue(path: Path, voices: Sequence[str], minutes: float) -> list[Line]:
    """Write it (16 kHz, mono, 16 bits); returns its lines."""
    chance, known, said = random.Random(7), spoken(), []
    pieces: list[Pcm] = []
    at = 0
    while at < minutes * 60 * RATE_HZ:
        voice = chance.choice(voices)
        sound = chance.choice(known[voice])
        said.append(Line(voice, at / RATE_HZ, (at + len(sound)) / RATE_HZ))
        pieces += [sound, np.zeros(int(chance.uniform(0.15, 0.9) * RATE_HZ), np.float32)]
        at += len(pieces[-1]) + len(pieces[-2])
    write(path, np.concatenate(pieces))
    return said


def spoken() -> dict[str, list[Pcm]]:
    """The lines of the demo recordings, by voice."""
    found: dict[str, list[Pcm]] = {}
    with (DEMO / "reference.tsv").open(encoding="utf-8") as file:
        for said in csv.DictReader(file, delimiter="\t"):
            if said["recording"].endswith(".wav"):
                continue  # over a telephone, that voice is another one
            pcm = sound(DEMO / said["recording"])
            first, last = float(said["start_s"]) - EDGE_S, float(said["end_s"]) + EDGE_S
            found.setdefault(said["speaker"], []).append(pcm[int(first * RATE_HZ) : int(last * RATE_HZ)])
    return found


def sound(path: Path) -> Pcm:
    """The whole recording, decoded."""
    with decode(path) as decoding:
        return np.concatenate(list(decoding))


def write(path: Path, pcm: Pcm) -> None:
    """As a WAV file, over the noise of a quiet room."""
    noise = np.random.default_rng(1).normal(0.0, 4.0, len(pcm))
    samples = np.clip(pcm * 32767 + noise, -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())


if __name__ == "__main__":
    main()
