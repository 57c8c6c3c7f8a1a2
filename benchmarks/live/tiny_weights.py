"""Weights for every live engine without fetching any: those that the tests make, and sound that each understands.

They are tiny: what they cost says nothing of real ones, but what a service adds to them is the same.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from app.audio.sound import RATE_HZ, Pcm
from app.cli.listening.sources import recording
from app.engines.pcm16 import to_pcm16
from benchmarks.live.load import write_wav
from benchmarks.service import ROOT

DEMO = ROOT / "assets" / "demo" / "telephone.wav"
"""Speech, for the engine that comes with its weights; resampled to 16 kHz."""

PAUSE_S = 1.2
"""Longer than the silence that ends an utterance."""

ENGINES = ("pocketsphinx", "vosk", "whisper", "faster-whisper")


def lay_out(engines: Iterable[str], weights_dir: Path, sounds_dir: Path) -> dict[str, Path]:
    """Put the weights of these engines where they look for them; recordings for each, by engine."""
    sys.path.insert(0, str(ROOT / "tests"))
    return {engine: _laid_out(engine, weights_dir, sounds_dir / f"{engine}.wav") for engine in engines}


def _laid_out(engine: str, weights_dir: Path, sound: Path) -> Path:
    if engine == "vosk":
        from fixtures.vosk_weights import RECORDINGS, install_vosk

        install_vosk(weights_dir)
        _write(sound, [digits.read() for digits in RECORDINGS])
    elif engine in {"whisper", "faster-whisper"}:
        from fixtures.whisper_phrases import recorded_phrases
        from fixtures.whisper_weights import install_faster_whisper, install_whisper

        (install_whisper if engine == "whisper" else install_faster_whisper)(weights_dir)
        _write(sound, [pcm for phrase, pcm in recorded_phrases().values() if phrase.language == "en"][:5])
    else:
        write_wav(sound, b"".join(recording(DEMO, is_paced=False)) + bytes(int(PAUSE_S * RATE_HZ) * 2))
    return sound


def _write(path: Path, utterances: list[Pcm]) -> None:
    pause = np.zeros(int(PAUSE_S * RATE_HZ), np.float32)
    write_wav(path, to_pcm16(np.concatenate([part for pcm in utterances for part in (pcm, pause)])))
