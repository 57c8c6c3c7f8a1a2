"""Who spoke when: diarization error rate, speed and memory of a diarization engine.

Needs a folder of recordings with a `reference.rttm`: `--audio FOLDER`. No collar, overlapped speech counted, by
pyannote.metrics. `--files PREFIX` takes those whose names begin so; `--hours N` measures memory on the recordings
one after the other, again and again, until they last that long. One core.
"""

import argparse
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYANNOTE_METRICS_ENABLED="0")

import resource
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from app.audio.decode import decode
from app.audio.sound import RATE_HZ, Pcm
from app.domain.speaker_hints import SpeakerHints
from app.domain.speaker_turn import SpeakerTurn
from app.engines.base import Hardware
from app.engines.diarization import Diarizer, SoundStream, Watch
from app.engines.diarizers import build_diarizers, select_diarizer
from benchmarks.report import heading
from benchmarks.service import ROOT

AUDIO = ROOT.parent / "shared" / "audio" / "meeting"
PARTS = ("false alarm", "missed detection", "confusion")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audio", type=Path, default=AUDIO)
    parser.add_argument("--files", default="trn", help="names begin with")
    parser.add_argument("--engine", default="embedded")
    parser.add_argument("--model", help="of the engine; default: its best")
    parser.add_argument("--alone", type=Path, help="a folder of recordings of one person each: how many are split")
    parser.add_argument("--hours", type=float, default=0.0, help="also measure the memory of so long a recording")
    asked = parser.parse_args()
    if not (asked.audio / "reference.rttm").is_file():
        print(f"left out: no reference.rttm in {asked.audio}")
        return
    diarizer = loaded(asked.engine, asked.model)
    recordings = {path.stem: sound(path) for path in sorted(recorded(asked.audio, asked.files))}
    tell_errors(diarizer, asked.engine, recordings, references(asked.audio / "reference.rttm"))
    if asked.alone:
        tell_split(diarizer, [sound(path) for path in sorted(recorded(asked.alone, ""))])
    if asked.hours:
        tell_memory(diarizer, list(recordings.values()), asked.hours)


def tell_split(diarizer: Diarizer, recordings: list[Pcm]) -> None:
    """How many recordings of one speaker are said to be of several."""
    found = [diarizer.diarize(SoundStream.of(pcm), SpeakerHints(), Watch()) for pcm in recordings]
    n_split = sum(len({turn.speaker for turn in turns}) > 1 for turns in found)
    print(f"\nrecordings of one person that are split: {n_split} of {len(recordings)}")


def recorded(audio: Path, prefix: str) -> Iterator[Path]:
    """The recordings whose names begin so."""
    return (path for path in audio.glob(f"{prefix}*") if path.suffix in {".flac", ".wav"})


def loaded(engine: str, model: str | None) -> Diarizer:
    """The engine, on one core."""
    choice = select_diarizer(build_diarizers(ROOT / "var" / "weights", os.environ.get("HF_TOKEN")), engine, model)
    return choice.engine.load(choice.model, Hardware("cpu", "float32", 1))


def tell_errors(diarizer: Diarizer, engine: str, recordings: dict[str, Pcm], said: dict[str, Annotation]) -> None:
    """A row a recording, and one for all together."""
    heading(f"Diarization error rate of {engine}, no collar, overlap counted")
    print("| recording | error | false alarm | missed | confusion | speakers | found |\n|---|---|---|---|---|---|---|")
    metric, spent = DiarizationErrorRate(collar=0.0, skip_overlap=False), 0.0
    for name, pcm in recordings.items():
        started = time.process_time()
        turns = diarizer.diarize(SoundStream.of(pcm), SpeakerHints(), Watch())
        spent += time.process_time() - started
        heard, everything = annotation(turns), Timeline([Segment(0, len(pcm) / RATE_HZ)])
        parts = metric(said[name], heard, uem=everything, detailed=True)
        print(line(name, parts), len(said[name].labels()), "|", len(heard.labels()), "|")
    print(line("all", {**metric[:], "diarization error rate": abs(metric)}), "| |")
    print(f"\nreal-time factor {spent / sum(len(pcm) / RATE_HZ for pcm in recordings.values()):.3f}")


def line(name: str, parts: dict[str, float]) -> str:
    """Shares of the speech there is."""
    total = parts["total"]
    shares = " | ".join(f"{100 * parts[part] / total:.1f}" for part in PARTS)
    return f"| {name} | {100 * parts['diarization error rate']:.1f} % | {shares} |"


def tell_memory(diarizer: Diarizer, recordings: list[Pcm], hours: float) -> None:
    """One long recording: time, memory, and whether the same people come back under the same labels."""
    started = time.process_time()
    turns = diarizer.diarize(SoundStream(repeated(recordings, hours), hours * 3600), SpeakerHints(), Watch())
    spent = time.process_time() - started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    n_speakers = len({turn.speaker for turn in turns})
    print(f"\n{hours:g} h: real-time factor {spent / hours / 3600:.3f}, peak {peak_mb:.0f} MB, ", end="")
    print(f"{n_speakers} speakers, {len(turns)} turns")


def repeated(recordings: list[Pcm], hours: float) -> Iterator[Pcm]:
    """The recordings, one after the other, for some hours."""
    left = int(hours * 3600 * RATE_HZ)
    for pcm in cycle(recordings):
        if left <= 0:
            return
        yield pcm[:left]
        left -= len(pcm)


def sound(path: Path) -> Pcm:
    """The whole recording, decoded."""
    with decode(path) as decoding:
        return np.concatenate(list(decoding))


def references(rttm: Path) -> dict[str, Annotation]:
    """Who really spoke when, by recording."""
    turns: dict[str, list[SpeakerTurn]] = defaultdict(list)
    for line in rttm.read_text(encoding="utf-8").splitlines():
        _, name, _, start_s, length_s, _, _, speaker, *_ = line.split()
        turns[name].append(SpeakerTurn(float(start_s), float(start_s) + float(length_s), speaker))
    return {name: annotation(own) for name, own in turns.items()}


def annotation(turns: Iterable[SpeakerTurn]) -> Annotation:
    """Turns as pyannote.metrics wants them."""
    made = Annotation()
    for number, turn in enumerate(turns):
        made[Segment(turn.start_s, turn.end_s), number] = turn.speaker
    return made


if __name__ == "__main__":
    main()
