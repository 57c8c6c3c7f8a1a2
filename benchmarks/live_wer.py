"""Words wrong when the embedded engine listens live: 0.1 s at a time, no look ahead.

Needs a folder of recordings with a `reference.tsv` (file first, text last, tabs between): `--audio FOLDER`. Word
error rate by jiwer after lower-casing and dropping punctuation; a second of silence ends each recording.
"""

import argparse
import time
from pathlib import Path

import jiwer
import numpy as np

from app.audio.sound import RATE_HZ, Pcm
from app.engines.base import Hardware
from app.engines.pocketsphinx import PocketsphinxEngine
from app.engines.registry import Choice
from app.engines.streaming import Hypothesis, StreamingModel, StreamOptions, Utterance
from app.engines.streaming_models import open_streaming_model
from benchmarks.embedded_wer import plain, references, sound
from benchmarks.report import heading, percentile, row
from benchmarks.service import ROOT

CHUNK = RATE_HZ // 10


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audio", type=Path, default=ROOT / "assets" / "demo")
    reference = references(parser.parse_args().audio)
    engine = PocketsphinxEngine(ROOT)
    model = open_streaming_model(Choice(engine, engine.models()[0]), Hardware())
    heading(f"The embedded engine live, {len(reference)} recordings")
    print("| figure | measured | |\n|---|---|---|")
    spent_s: list[float] = []
    heard, n_hypotheses = {}, 0
    for path in reference:
        text, n_partials = listened(model, sound(path), spent_s)
        heard[path], n_hypotheses = plain(text), n_hypotheses + n_partials
    wer = jiwer.wer([reference[path] for path in heard], [heard[path] or "-" for path in heard])
    row("words wrong", f"{100 * wer:.1f} %")
    row("processor time per second of sound", f"{sum(spent_s) / len(spent_s) * 10:.2f} s")
    row(
        "processor time per 100 ms, p50, p95, p99",
        " ".join(f"{1000 * percentile(spent_s, p):.1f}" for p in (0.5, 0.95, 0.99)),
    )
    row("hypotheses", str(n_hypotheses))


def listened(model: StreamingModel, pcm: Pcm, spent_s: list[float]) -> tuple[str, int]:
    """The finals of one recording, and how many hypotheses came; adds the processor time of each chunk."""
    recognizer = model.open(StreamOptions(language="en"))
    padded = np.concatenate([pcm, np.zeros(RATE_HZ, np.float32)])
    heard = []
    for start in range(0, len(padded), CHUNK):
        began = time.process_time()
        heard += recognizer.accept(padded[start : start + CHUNK])
        spent_s.append(time.process_time() - began)
    heard += recognizer.finish()
    texts = [one.segment.text for one in heard if isinstance(one, Utterance)]
    return " ".join(texts), sum(isinstance(one, Hypothesis) for one in heard)


if __name__ == "__main__":
    main()
