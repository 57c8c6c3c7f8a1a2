"""The live side of the scripted engine: hears bursts of tone, each a word named by its pitch (`w440`: to 20 Hz).

An utterance ends after `endpoint_ms` of silence. Hotwords make it misbehave: `crash:w440` (the process dies when it
hears that word), `hang:w440`, `fail:w440`, `slow:0.05` (so many seconds a call).
"""

import os
import signal
import time

import numpy as np

from app.domain.errors import EngineError
from app.domain.transcript import Segment, Word
from app.engines.streaming import Hypothesis, Silence, Utterance

RATE_HZ = 16_000
FRAME = 160
SILENCE = 2 * RATE_HZ


class ScriptedModel:
    language = "en"

    def open(self, options):
        return ScriptedRecognizer(options)


class ScriptedRecognizer:
    def __init__(self, options):
        self._options = options
        self._acts = dict(word.split(":", 1) for word in options.hotwords if ":" in word)
        self._rest = np.empty(0, np.float32)
        self._at = 0
        self._told_silence = 0
        self._new()

    def _new(self):
        self._words = []
        self._burst = []
        self._quiet = 0

    def accept(self, pcm):
        time.sleep(float(self._acts.get("slow", 0)))
        pcm = np.concatenate([self._rest, pcm])
        n = len(pcm) // FRAME * FRAME
        self._rest = pcm[n:]
        heard = []
        for frame in pcm[:n].reshape(-1, FRAME):
            heard += self._frame(frame)
        return heard

    def _frame(self, frame):
        self._at += FRAME
        if np.abs(frame).max() > 0.05:
            self._burst.append(frame)
            self._quiet = 0
            return []
        heard = []
        if self._burst:
            heard = [self._word()]
        self._quiet += FRAME
        if self._words and self._quiet >= self._options.endpoint_ms * 16:
            return [*heard, self._final(True)]
        if not self._words and self._at - self._told_silence >= SILENCE:
            self._told_silence = self._at
            return [*heard, Silence(self._at)]
        return heard

    def _word(self):
        sound = np.concatenate(self._burst)
        crossings = np.count_nonzero(np.diff(np.signbit(sound)))
        word = f"w{round(crossings / 2 / (len(sound) / RATE_HZ) / 20) * 20}"
        end_s = (self._at - FRAME) / RATE_HZ
        self._words.append(Word(word, end_s - len(sound) / RATE_HZ, end_s, 0.9))
        self._burst = []
        self._act(word)
        return Hypothesis(self._text(), int(self._words[0].start_s * RATE_HZ), self._at)

    def _act(self, word):
        if self._acts.get("crash") == word:
            os.kill(os.getpid(), signal.SIGSEGV)
        if self._acts.get("hang") == word:
            time.sleep(3600)
        if self._acts.get("fail") == word:
            raise EngineError(reason="scripted")

    def _text(self):
        return " ".join(word.word for word in self._words)

    def _final(self, speech_final):
        words, text = tuple(self._words), self._text()
        self._new()
        self._told_silence = self._at
        return Utterance(Segment(0, words[0].start_s, words[-1].end_s, text, 0.9, None, words), self._at, speech_final)

    def finish(self):
        heard = []
        self._at += len(self._rest)
        self._rest = np.empty(0, np.float32)
        if self._burst:
            self._at += FRAME
            heard.append(self._word())
            self._at -= FRAME
        if self._words:
            return [self._final(False)]
        self._new()
        return []

    def close(self):
        pass
