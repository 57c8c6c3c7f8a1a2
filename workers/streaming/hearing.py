"""One session in a child: sound in, finals out, each with the place from which another child could go on."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from app.audio.live.base import Decoding, RestartPoint
from app.audio.sound import RATE_HZ, Pcm
from app.domain.live import Final, Mark, Step
from app.domain.transcript import Segment, Word
from app.engines.streaming import Heard, Hypothesis, Silence, StreamingRecognizer, Utterance
from app.exports.plain import plain
from app.services.transcription.placement import tidy
from workers.streaming.messages import Guess, Open, Said

HALF_SCALE = 32_768


class Hearing:
    """A recogniser that began at a mark, as did the decoding of what it hears, both new."""

    def __init__(self, opening: Open, decoding: Decoding, recognizer: StreamingRecognizer) -> None:
        self._sid = opening.sid
        self._spec = opening.spec
        self._decoding = decoding
        self._recognizer = recognizer
        self._mark = opening.mark
        self._base = opening.mark.cursor
        self._to_skip = opening.mark.cursor - opening.mark.sample
        self._n_samples = opening.mark.sample
        self._done_byte = opening.mark.byte
        self._kept = _Kept(opening.mark.cursor) if opening.spec.keeps_sound else None

    def hear(self, pcm: Pcm, n_bytes: int, *, is_behind: bool) -> Said:
        """Listen to what the next so many bytes of the client's stream have become; `is_behind`: more waits already.

        Raises:
            EngineError: the engine failed.
        """
        self._done_byte += n_bytes
        return self._told(self._listen(pcm, is_behind=is_behind))

    def finalize(self) -> Said:
        """Say for good what is still open."""
        return self._told(self._recognizer.finish())

    def end(self, rest: Pcm) -> Said:
        """The stream ends after this: say what is left, and move the mark to its very end."""
        heard = [*self._listen(rest), *self._recognizer.finish()]
        said = self._told(heard)
        mark = replace(self._mark, byte=self._done_byte, sample=self._n_samples, cursor=self._n_samples)
        return replace(said, steps=(*said.steps, self._step(mark, None)), guess=None, has_ended=True)

    def close(self) -> None:
        """Give back what the recogniser holds."""
        self._recognizer.close()

    def _listen(self, pcm: Pcm, *, is_behind: bool = False) -> Sequence[Heard]:
        self._n_samples += len(pcm)
        skipped = min(self._to_skip, len(pcm))
        self._to_skip -= skipped
        pcm = pcm[skipped:]
        if not len(pcm):
            return ()
        if self._kept:
            self._kept.add(pcm)
        return self._recognizer.accept(pcm, is_behind=is_behind)

    def _told(self, heard: Iterable[Heard]) -> Said:
        steps: list[Step] = []
        guess = None
        for one in heard:
            if isinstance(one, Hypothesis):
                guess = self._guess(one)
            else:
                steps.append(self._moved(one))
                guess = None
        return Said(self._sid, self._done_byte, self._n_samples, tuple(steps), guess)

    def _guess(self, hypothesis: Hypothesis) -> Guess | None:
        if not self._spec.interim_results:
            return None
        start_s, end_s = (self._base + at for at in (hypothesis.start_sample, hypothesis.end_sample))
        return Guess(self._mark.n_finals + 1, start_s / RATE_HZ, end_s / RATE_HZ, hypothesis.text)

    def _moved(self, heard: Utterance | Silence) -> Step:
        final = self._final(heard) if isinstance(heard, Utterance) else None
        cursor = max(self._mark.cursor, self._base + heard.cursor)
        restart: RestartPoint = self._decoding.restart_at(cursor)
        seq = final.seq if final else self._mark.n_finals
        return self._step(Mark(restart.byte, restart.sample, restart.header, cursor, seq), final)

    def _final(self, heard: Utterance) -> Final:
        seq = self._mark.n_finals + 1
        segment = _storable(_shifted(replace(tidy(heard.segment), id=seq - 1), self._base / RATE_HZ))
        alternatives = tuple((plain(text), _finite(sure) or 0.0) for text, sure in heard.alternatives)
        return Final(seq, segment, heard.speech_final, alternatives)

    def _step(self, mark: Mark, final: Final | None) -> Step:
        start, self._mark = self._mark.cursor, mark
        return Step(mark, final, start, self._kept.take(mark.cursor) if self._kept else b"")


class _Kept:
    """The sound after the mark, which is to be kept."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._pieces: list[Pcm] = []

    def add(self, pcm: Pcm) -> None:
        self._pieces.append(pcm)

    def take(self, upto: int) -> bytes:
        """The sound before sample `upto` as signed 16-bit little-endian."""
        pcm = np.concatenate(self._pieces) if self._pieces else np.empty(0, np.float32)
        n = upto - self._start
        self._pieces, self._start = [pcm[n:].copy()], upto
        return np.clip(np.rint(pcm[:n] * HALF_SCALE), -HALF_SCALE, HALF_SCALE - 1).astype("<i2").tobytes()


def _shifted(segment: Segment, by_s: float) -> Segment:
    """The segment with its times counted from the session's start."""

    def at(time_s: float) -> float:
        # Rounded, or a sum of floats would tell from which mark the recogniser began.
        return round(time_s + by_s, 6)

    words = tuple(replace(word, start_s=at(word.start_s), end_s=at(word.end_s)) for word in segment.words)
    return replace(segment, start_s=at(segment.start_s), end_s=at(segment.end_s), words=words)


def _storable(segment: Segment) -> Segment:
    """A confidence that is no number is none: it could not be stored, nor sent."""
    words = tuple(_sure(word) for word in segment.words)
    return replace(segment, confidence=_finite(segment.confidence), words=words)


def _sure(word: Word) -> Word:
    return word if _finite(word.confidence) == word.confidence else replace(word, confidence=None)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
