"""An engine that does what the job's prompt says; found by the service as any plug-in is.

Prompts: empty (hear one word a span), `sleep:SECONDS` a span, `crash` (SIGSEGV), `hang`, `eat` (memory without end),
`fail` (an error that a retry can help), `refuse` (one that it cannot), `spin:SECONDS` (hold the GIL),
`leak:SECRET` (an error that quotes it), `nan` (be unsure in a way that no table takes).
Each span that is heard adds a line `start-end` to the file that SCRIPTED_LOG names; all that it is given to hear in
adds its length in seconds to that of SCRIPTED_GIVEN.

Live, it hears tones: a burst is a word named by its pitch rounded to 10 Hz (`440`), with times exact to 10 ms; a new
partial comes with each word. `endpoint_ms` without a tone end the utterance, so do MAX_WORDS words (not
`speech_final`); in silence the cursor moves every 2 s. Bursts are best 50 ms or longer with 50 ms between. It needs
about 0.1 ms of processor time for 100 ms of sound. Hotwords script it: `crash:440` misbehaves, as the prompt
`crash` does, when the word 440 has just been said, `sleep:440:0.3` sleeps then, `spin:440:0.3` holds the GIL; a
third part of `crash`, `hang`, `eat`, `fail` and `refuse` is the path of a file: it is made, and where it is there
already nothing happens (so that a replay gets by). `*` stands for any word. Each word adds a line `heard WORD` to the
file that SCRIPTED_LOG names. With `max_alternatives` there are up to two: the text, and the text with `?` added.
The prompt side of a batch job stays as it is.
"""

import ctypes
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from app.audio.sound import RATE_HZ, Pcm, Span
from app.domain.errors import EngineError, EngineUnavailable
from app.domain.transcript import Segment, Word
from app.engines.base import Capabilities, EngineOptions, Hardware, ModelInfo
from app.engines.streaming import Heard, Hypothesis, Silence, StreamOptions, Utterance

BLOCK = RATE_HZ // 100
LOUD = 0.02
"""The root mean square that makes a block part of a tone."""
MIN_BLOCKS = 3
MAX_BLOCKS = 500
MAX_WORDS = 40
SILENCE_STEP = 2 * RATE_HZ


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


class ScriptedStream:
    """A `StreamingRecognizer` of tones, on a grid of 10 ms that begins at each cursor."""

    def __init__(self, options: StreamOptions) -> None:
        self._options = options
        self._pending = np.zeros(0, np.float32)
        self._at = 0
        self._is_behind = False
        self._renew()

    def _renew(self) -> None:
        self._cursor = self._at
        self._words: list[Word] = []
        self._burst: list[Pcm] = []
        self._n_quiet = 0

    def accept(self, pcm: Pcm, *, is_behind: bool = False) -> list[Heard]:
        self._is_behind = is_behind
        sound = np.concatenate([self._pending, pcm])
        n_blocks = len(sound) // BLOCK
        self._pending = sound[n_blocks * BLOCK :]
        blocks = sound[: n_blocks * BLOCK].reshape(n_blocks, BLOCK)
        loud = (np.square(blocks).mean(axis=1) > LOUD**2).tolist()
        heard: list[Heard] = []
        for block, is_loud in zip(blocks, loud, strict=True):
            self._at += BLOCK
            heard += self._loud(block) if is_loud else self._quiet()
        return heard

    def finish(self) -> list[Heard]:
        self._word_ends(self._at)
        self._at += len(self._pending)
        self._pending = self._pending[:0]
        heard: list[Heard] = [self._utterance(speech_final=True)] if self._words else [Silence(self._at)]
        self._renew()
        return heard

    def close(self) -> None:
        pass

    def _loud(self, block: Pcm) -> list[Heard]:
        self._burst.append(block)
        self._n_quiet = 0
        return self._word_ends(self._at) if len(self._burst) >= MAX_BLOCKS else []

    def _quiet(self) -> list[Heard]:
        told = self._word_ends(self._at - BLOCK)
        if any(isinstance(one, Utterance) for one in told):
            return told
        self._n_quiet += BLOCK
        if self._words and self._n_quiet >= self._options.endpoint_ms * RATE_HZ // 1000:
            told = [*told, self._utterance(speech_final=True)]
            self._renew()
        elif not self._words and self._n_quiet >= SILENCE_STEP:
            self._renew()
            told = [Silence(self._cursor)]
        return told

    def _word_ends(self, end: int) -> list[Heard]:
        burst, self._burst = self._burst, []
        if len(burst) < MIN_BLOCKS:
            return []
        word = pitch_of(np.concatenate(burst))
        start_s = (end - len(burst) * BLOCK) / RATE_HZ
        self._words.append(Word(word, start_s, end / RATE_HZ, 1.0))
        note(f"heard {word}")
        for hotword in self._options.hotwords:
            act_live(hotword, word)
        if len(self._words) >= MAX_WORDS:
            told: Heard = self._utterance(speech_final=False)
            self._renew()
            return [told]
        text = " ".join(word.word for word in self._words)
        first = round(self._words[0].start_s * RATE_HZ)
        is_wanted = self._options.interim_results and not self._is_behind
        return [Hypothesis(text, first, self._at)] if is_wanted else []

    def _utterance(self, *, speech_final: bool) -> Utterance:
        words = tuple(self._words)
        text = " ".join(word.word for word in words)
        segment = Segment(0, words[0].start_s, words[-1].end_s, text, 1.0, None, words)
        readings = ((text, 1.0), (f"{text} ?", 0.5))[: self._options.max_alternatives]
        return Utterance(segment, self._at, speech_final, readings)


def pitch_of(burst: Pcm) -> str:
    """The frequency between the first and the last rising edge, rounded to 10 Hz."""
    [edges] = np.nonzero((burst[:-1] < 0) & (burst[1:] >= 0))
    if len(edges) < 2:
        return "0"
    return str(round((len(edges) - 1) * RATE_HZ / float(edges[-1] - edges[0]) / 10) * 10)


def act_live(hotword: str, word: str) -> None:
    """Misbehave as asked, if this is the word to do it at."""
    what, _, rest = hotword.partition(":")
    when, _, argument = rest.partition(":")
    if when not in {"*", word}:
        return
    if argument and what in {"crash", "hang", "eat", "fail", "refuse"}:
        if Path(argument).exists():
            return
        Path(argument).touch()
    act(f"{what}:{argument}")


class ScriptedModel:
    """A `StreamingModel`; there is nothing to share."""

    language = "en"

    def open(self, options: StreamOptions) -> ScriptedStream:
        return ScriptedStream(options)


class ScriptedEngine:
    """Its one model is always here."""

    name: ClassVar[str] = "scripted"
    capabilities: ClassVar[Capabilities] = Capabilities(prompt=True, hotwords=True, streams=True)

    def __init__(self, weights_dir: Path) -> None:
        self._weights_dir = weights_dir

    def models(self) -> Sequence[ModelInfo]:
        return [ModelInfo("v1", ("en",), self._weights_dir)]

    def load(self, model: ModelInfo, hardware: Hardware) -> ScriptedTranscriber:
        return ScriptedTranscriber()

    def load_streaming(self, model: ModelInfo, hardware: Hardware) -> ScriptedModel:
        return ScriptedModel()
