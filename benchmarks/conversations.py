"""Conversations put together from single voices, with overlaps, noise and rooms: ground to tune diarization on.

`python -m benchmarks.conversations --out FOLDER` writes recordings and their `reference.rttm`, which
`python -m benchmarks.diarization --audio FOLDER --files ""` then measures. The voices are the stretches of
`meeting/trn*` in which one person speaks, and those of `read/`; a voice played faster or slower is another one, and one
that is hard to tell from the first where the two meet. Every run gives the same sound.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from scipy.signal import fftconvolve, resample_poly

from app.audio.sound import RATE_HZ, Pcm
from benchmarks.dialogue import write
from benchmarks.diarization import references, sound
from benchmarks.service import ROOT

AUDIO = ROOT.parent / "shared" / "audio"
SPEEDS = (86, 93, 100, 107, 115)
"""Percent. Neighbours are as hard to tell apart as alike people; those farthest apart are a man and a woman."""
MIN_STRETCH_S, MIN_VOICE_S = 0.9, 6.0
TURN_S = (0.5, 8.0)
QUIET = 10 ** (-30 / 20)
"""What is so much (30 dB) softer than a stretch's loud moments, at its ends, is no speech."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who meets, for how long, how much they interrupt each other (0…1), how noisy and how large the room is."""

    name: str
    voices: Sequence[str]
    seconds: float
    overlap: float = 0.0
    snr_db: float = 40.0
    room_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Said:
    """One voice from one sample on."""

    voice: str
    start: int
    pcm: Pcm

    @property
    def end(self) -> int:
        """The sample after the last."""
        return self.start + len(self.pcm)


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audio", type=Path, default=AUDIO)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=10, help="of nine conversations each")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    known = {name: stretches for name, stretches in voices(asked.audio).items() if lasts_s(stretches) >= MIN_VOICE_S}
    with (asked.out / "reference.rttm").open("w", encoding="utf-8") as rttm:
        for scene in scenes(sorted(known), asked.rounds):
            chance = random.Random(scene.name)
            said = list(conversation(scene, known, chance))
            write(asked.out / f"{scene.name}.wav", mixed(scene, said, chance))
            rttm.writelines(f"{line}\n" for line in lines(scene, said))


def scenes(names: Sequence[str], rounds: int) -> Iterator[Scene]:
    """Of every kind one a round, each time with others."""
    chance = random.Random(1)
    for number in range(rounds):
        for kind, n_voices, seconds in (
            ("one", 1, 30), ("alike", 2, 30), ("near", 2, 30), ("pair", 2, 30), ("call", 2, 60),
            ("three", 3, 45), ("four", 4, 60), ("five", 5, 90), ("meeting", 4, 30),
        ):  # fmt: skip
            met = company(kind, chance.sample(list(names), min(n_voices, len(names))), chance)
            quiet, dry = chance.random() < 0.4, chance.random() < 0.5
            yield Scene(
                f"{kind}{number:02d}", met, seconds, chance.choice((0.0, 0.15, 0.3)),
                40.0 if quiet else chance.uniform(12, 30), 0.0 if dry else chance.uniform(0.15, 0.5),
            )  # fmt: skip


def company(kind: str, names: list[str], chance: random.Random) -> list[str]:
    """Voices by name and speed; those of kind `alike` and `near` are one recording's at two speeds."""
    if kind in {"alike", "near"}:
        step = 1 if kind == "alike" else 2
        first = chance.randrange(len(SPEEDS) - step)
        return [f"{names[0]}@{SPEEDS[first]}", f"{names[0]}@{SPEEDS[first + step]}"]
    return [f"{name}@{chance.choice(SPEEDS)}" for name in names]


def conversation(scene: Scene, known: dict[str, list[Pcm]], chance: random.Random) -> Iterator[Said]:
    """Turns with pauses between, some begun before the last has ended, some only a word thrown in."""
    loudness = {voice: 10 ** (chance.uniform(-4, 4) / 20) for voice in scene.voices}
    shares = {voice: chance.uniform(0.3, 1.0) for voice in scene.voices}
    at, last, end = RATE_HZ // 2, "", int(scene.seconds * RATE_HZ)
    while at < end - RATE_HZ:
        others = [voice for voice in scene.voices if voice != last] or [last]
        last = chance.choices(others, [shares[voice] for voice in others])[0]
        turn = Said(last, at, piece(known, last, chance.uniform(*TURN_S), chance)[: end - at] * loudness[last])
        yield turn
        if (
            len(others) > 0
            and len(scene.voices) > 1
            and chance.random() < scene.overlap
            and len(turn.pcm) > 2 * RATE_HZ
        ):
            beside = chance.choice([voice for voice in scene.voices if voice != last])
            word = piece(known, beside, chance.uniform(0.4, 1.0), chance) * loudness[beside]
            yield Said(beside, at + chance.randrange(len(turn.pcm) - len(word)), word)
        early = len(scene.voices) > 1 and chance.random() < scene.overlap
        gap_s = -chance.uniform(0.2, 1.2) if early else chance.choice((0.05, 0.2, 0.5, 1.2)) * chance.uniform(0.5, 1.5)
        at = max(turn.end + int(gap_s * RATE_HZ), at + RATE_HZ // 2)


def piece(known: dict[str, list[Pcm]], voice: str, seconds: float, chance: random.Random) -> Pcm:
    """Some of what a voice says, at its speed, up to so long."""
    name, speed = voice.rsplit("@", 1)
    stretch = chance.choices(known[name], [len(one) for one in known[name]])[0]
    n_wanted = int(seconds * RATE_HZ * int(speed) / 100)
    first = chance.randrange(max(1, len(stretch) - n_wanted + 1))
    cut = trimmed(stretch[first : first + n_wanted])
    at_speed = np.asarray(resample_poly(cut, 100, int(speed)), np.float32)
    edge = np.minimum(1.0, np.arange(1, len(at_speed) + 1) / 160).astype(np.float32)
    return at_speed * edge * edge[::-1]


def mixed(scene: Scene, said: Sequence[Said], chance: random.Random) -> Pcm:
    """All together in one room (echoes die away exponentially, others for every voice), with noise."""
    noise = np.random.default_rng(chance.randrange(2**32))
    whole = np.zeros(int(scene.seconds * RATE_HZ), np.float32)
    for _, turns in groupby(sorted(said, key=lambda one: one.voice), lambda one: one.voice):
        alone = np.zeros_like(whole)
        for one in turns:
            room = alone[one.start : one.end]
            room += one.pcm[: len(room)]
        whole += echoed(alone, scene.room_s, noise)
    hiss = np.cumsum(noise.normal(size=len(whole))) * 0.05 + noise.normal(size=len(whole))
    hiss = hiss - fftconvolve(hiss, np.ones(400) / 400, "same")
    level = np.sqrt(np.mean(np.square(whole))) / np.sqrt(np.mean(np.square(hiss))) * 10 ** (-scene.snr_db / 20)
    whole = whole + (level * hiss).astype(np.float32)
    return np.asarray(whole * (chance.uniform(0.1, 0.9) / np.abs(whole).max()), np.float32)


def echoed(pcm: Pcm, room_s: float, noise: np.random.Generator) -> Pcm:
    """The sound with its echo, which takes `room_s` to fall by 60 dB."""
    if not room_s:
        return pcm
    decay = np.exp(-6.9 * np.arange(int(room_s * RATE_HZ)) / (room_s * RATE_HZ))
    echo = noise.normal(size=len(decay)) * decay
    echo *= noise.uniform(0.3, 0.8) / np.sqrt(np.sum(np.square(echo)))
    echo[0] = 1.0
    return np.asarray(fftconvolve(pcm, echo)[: len(pcm)], np.float32)


def lines(scene: Scene, said: Sequence[Said]) -> Iterator[str]:
    """The reference, as RTTM wants it; what one voice says at a time is one line."""
    truth = Annotation()
    for number, one in enumerate(said):
        truth[Segment(one.start / RATE_HZ, min(one.end / RATE_HZ, scene.seconds)), number] = one.voice
    for segment, _, voice in truth.support().itertracks(yield_label=True):
        yield f"SPEAKER {scene.name} 1 {segment.start:.3f} {segment.duration:.3f} <NA> <NA> {voice} <NA> <NA>"


def voices(audio: Path) -> dict[str, list[Pcm]]:
    """What each person says alone."""
    found: dict[str, list[Pcm]] = {}
    for path in sorted((audio / "read").glob("*.wav")):
        found.setdefault(path.stem[:4], []).append(trimmed(sound(path)))
    spoken = references(audio / "meeting" / "reference.rttm")
    for path in sorted((audio / "meeting").glob("trn*.flac")):
        pcm = sound(path)
        for segment, speaker in alone(spoken[path.stem]):
            found.setdefault(speaker, []).append(pcm[int(segment.start * RATE_HZ) : int(segment.end * RATE_HZ)])
    return found


def alone(truth: Annotation) -> Iterator[tuple[Segment, str]]:
    """Where one person speaks and nobody else."""
    for speaker in truth.labels():
        others = Timeline([other for other, _, who in truth.itertracks(yield_label=True) if who != speaker])
        own = truth.label_timeline(speaker)
        for segment in own.extrude(others.support()):
            if segment.duration >= MIN_STRETCH_S:
                yield segment, speaker


def lasts_s(stretches: Sequence[Pcm]) -> float:
    """How long somebody speaks in all."""
    return sum(map(len, stretches)) / RATE_HZ


def trimmed(pcm: Pcm) -> Pcm:
    """Without the quiet at both ends."""
    n_frames = len(pcm) // 160
    levels = np.sqrt(np.mean(np.square(pcm[: n_frames * 160].reshape(n_frames, 160)), axis=1))
    loud = np.flatnonzero(levels > QUIET * np.percentile(levels, 95))
    return pcm[loud[0] * 160 : (loud[-1] + 1) * 160]


if __name__ == "__main__":
    main()
