"""An engine that does what the job's prompt says; found by the service as any plug-in is.

Prompts: empty (hear one word a span), `sleep:SECONDS` a span, `crash` (SIGSEGV), `hang`, `eat` (memory without end),
`fail` (an error that a retry can help), `refuse` (one that it cannot), `spin:SECONDS` (hold the GIL),
`leak:SECRET` (an error that quotes it), `nan` (be unsure in a way that no table takes).
Each span that is heard adds a line `start-end` to the file that SCRIPTED_LOG names; all that it is given to hear in
adds its length in seconds to that of SCRIPTED_GIVEN.
"""

import ctypes
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from app.audio.sound import RATE_HZ, Pcm, Span
from app.domain.errors import EngineError, EngineUnavailable
from app.domain.transcript import Segment, Word
from app.engines.base import Capabilities, EngineOptions, Hardware, ModelInfo


class ScriptedTranscriber:
    """Hears the word `span` in every span."""

    language = "en"

    def detect_language(self, pcm: Pcm) -> str | None:
        return "en"

    def transcribe(self, pcm: Pcm, spans: Sequence[Span], options: EngineOptions) -> Iterator[Segment]:
        note(f"{len(pcm) / RATE_HZ:.3f}", "SCRIPTED_GIVEN")
        for span in spans:
            act(options.prompt or "")
            note(f"{span.start}-{span.end}")
            start_s, end_s = span.start / RATE_HZ, span.end / RATE_HZ
            sure = float("nan") if options.prompt == "nan" else 1.0
            yield Segment(0, start_s, end_s, "span", sure, None, (Word("span", start_s, end_s, 1.0),))


def act(prompt: str) -> None:
    """Misbehave as asked."""
    what, _, argument = prompt.partition(":")
    match what:
        case "sleep":
            time.sleep(float(argument))
        case "spin":
            ctypes.PyDLL(None).usleep(int(float(argument) * 1e6))
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            time.sleep(3600)
        case "eat":
            eat()
        case "fail":
            raise EngineError(reason="scripted")
        case "leak":
            raise ConnectionError(f"https://me:{argument}@engine.test/?sig={argument} refused api_key={argument}")
        case "refuse":
            raise EngineUnavailable(engine="scripted", reason="scripted")


def eat() -> None:
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1) * (20 * 1024 * 1024)))
        time.sleep(0.02)


def note(line: str, log_of: str = "SCRIPTED_LOG") -> None:
    if path := os.environ.get(log_of):
        with Path(path).open("a", encoding="ascii") as log:
            log.write(line + "\n")


class ScriptedEngine:
    """Its one model is always here."""

    name: ClassVar[str] = "scripted"
    capabilities: ClassVar[Capabilities] = Capabilities(prompt=True, hotwords=True)

    def __init__(self, weights_dir: Path) -> None:
        self._weights_dir = weights_dir

    def models(self) -> Sequence[ModelInfo]:
        return [ModelInfo("v1", ("en",), self._weights_dir)]

    def load(self, model: ModelInfo, hardware: Hardware) -> ScriptedTranscriber:
        return ScriptedTranscriber()

    def load_streaming(self, model, hardware):
        from parloir_scripted_live import ScriptedModel

        return ScriptedModel()
