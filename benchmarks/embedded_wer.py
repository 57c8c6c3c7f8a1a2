"""Words wrong: the embedded engine behind our pipeline, beside the same engine fed whole files.

Needs a folder of recordings with a `reference.tsv` (file first, text last, tabs between): `--audio FOLDER`. Word
error rate by jiwer after lower-casing and dropping punctuation.
"""

import argparse
import re
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import jiwer
import numpy as np

from app.audio.decode import decode
from app.audio.sound import Pcm
from app.domain.job import JobOptions
from app.domain.peaks import Peaks
from app.domain.transcript import Segment
from app.services.transcription.assembly import PipelineSettings, build_pipeline
from app.services.transcription.checkpoint import PartResult
from benchmarks.report import heading, row
from benchmarks.service import ROOT


class Silent:
    """An observer that does not care."""

    def duration(self, duration_s: float) -> None: ...
    def progress(self, fraction: float) -> None: ...
    def segment(self, segment: Segment) -> None: ...
    def part_done(self, part: PartResult) -> None: ...
    def drawn(self, peaks: Peaks) -> None: ...
    def cancelled(self) -> bool:
        return False


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audio", type=Path, default=ROOT / "assets" / "demo")
    asked = parser.parse_args()
    reference = references(asked.audio)
    heading(f"Word error rate of the embedded engine, {len(reference)} recordings")
    print("| engine | WER | real-time factor |\n|---|---|---|")
    seconds = sum(len(sound(path)) for path in reference) / 16_000
    ways = {
        "our pipeline": by_pipeline(),
        "whole files, our settings": by_whole_file(topn=8, fwdflat=False),
        "whole files, the library's defaults": by_whole_file(),
    }
    for name, listen in ways.items():
        started = time.process_time()
        heard = {path: plain(listen(path)) for path in reference}
        spent = time.process_time() - started
        wer = jiwer.wer([reference[path] for path in heard], [heard[path] or "-" for path in heard])
        row(name, f"{100 * wer:.1f} %", f"{spent / seconds:.2f}")


def references(folder: Path) -> dict[Path, str]:
    """The recordings of a folder with what is said in them."""
    said: dict[Path, list[str]] = defaultdict(list)
    for line in (folder / "reference.tsv").read_text(encoding="utf-8").splitlines():
        name, *_, text = line.split("\t")
        if (folder / name).is_file():
            said[folder / name].append(text)
    return {path: plain(" ".join(texts)) for path, texts in said.items()}


def plain(text: str) -> str:
    """Lower case, no punctuation, one space between words."""
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())


def sound(path: Path) -> Pcm:
    """The whole recording, decoded."""
    with decode(path) as decoding:
        return np.concatenate(list(decoding))


def by_pipeline() -> Callable[[Path], str]:
    """As a job is transcribed."""
    pipeline = build_pipeline(PipelineSettings(weights_dir=ROOT / "var" / "weights", device="cpu"))
    options = JobOptions(engine="pocketsphinx", model="en-us")
    return lambda path: pipeline.run(path, options, Silent()).text


def by_whole_file(**settings: object) -> Callable[[Path], str]:
    """The same engine, given each file in one piece."""
    import pocketsphinx

    decoder = pocketsphinx.Decoder(samprate=16_000, loglevel="FATAL", **settings)

    def listen(path: Path) -> str:
        decoder.start_utt()
        decoder.process_raw((sound(path) * 32767).astype(np.int16).tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return found.hypstr if found else ""

    return listen


if __name__ == "__main__":
    main()
