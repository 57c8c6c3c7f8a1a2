"""Promises to those who spoke live, judged when all has come to rest. They are told in words; nothing is good news."""

import json
import wave
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.audio.live.base import PCM_S16LE
from app.audio.live.decoder import make_live_decoder
from app.domain.live import Final
from app.domain.principal import ANONYMOUS
from app.domain.transcript import Segment
from app.engines.streaming import StreamOptions, Utterance
from app.exports.wire import segment_to_wire
from app.models import Job
from app.services.media.folder import FolderStorage
from app.services.transcription.placement import tidy
from tests.factories import House
from tests.faults.speech import Message, Speech
from tests.live import RATE_HZ, make_sessions, words_of
from tests.plugins.parloir_scripted import ScriptedStream


def broken_speeches(house: House, storage: FolderStorage, speeches: Sequence[Speech], patience_s: float) -> list[str]:
    """Word for word what nothing would have disturbed, each final once and never changed, no sample lost.

    Who was away for `patience_s` or longer had their session ended: of what they said it must be the beginning.
    """
    sessions = make_sessions(house)
    begun = [one for one in speeches if one.job_id]
    broken = [what for one in begun for what in one.broken]
    for one in begun:
        stored = _as_told(sessions.finals(ANONYMOUS, one.job_id))
        outcome = Outcome(one, house.row(one.job_id), stored, may_be_cut_short=one.away_s >= patience_s)
        broken += [f"{one.job_id}: {what}" for what in outcome.judged(storage)]
    return broken


@dataclass(frozen=True)
class Outcome:
    """What has become of a speech: its job, and the segments that are stored, as clients are sent them."""

    speech: Speech
    row: Job
    stored: Sequence[Message]
    may_be_cut_short: bool

    def judged(self, storage: FolderStorage) -> Iterator[str]:
        """What is wrong with it."""
        completed = self.speech.completed
        if self.row.state != "COMPLETED" or completed is None:
            yield f"it is {self.row.state} ({self.row.error_code}), and its speaker was told {completed}"
            return
        expected, n_samples = undisturbed(self.speech)
        lacks_s = round(n_samples / RATE_HZ, 3) - completed["duration"]
        is_short = self.may_be_cut_short and lacks_s > 0
        if lacks_s and not is_short:
            yield f"it is {completed['duration']} s long, {lacks_s} s too short"
        yield from self._told(completed["transcription"])
        yield from self._said(expected, is_short=is_short)
        if self.speech.spec.keep_audio:
            yield from self._kept(storage, None if is_short else n_samples)

    def _told(self, transcription: str) -> Iterator[str]:
        told = [final["segment"] for final in self.speech.finals]
        if told != self.stored:
            yield f"told were {told}, stored are {self.stored}"
        texts = " ".join(segment["text"] for segment in self.stored)
        if transcription != texts:
            yield f"told was {transcription!r}, stored is {texts!r}"

    def _said(self, expected: Sequence[Message], *, is_short: bool) -> Iterator[str]:
        whole = self.stored[:-1] if is_short else self.stored
        if whole != expected[: len(whole)] or (not is_short and len(expected) > len(whole)):
            yield f"{self.stored} instead of {expected}"
        n_sure = max(0, len(_words(self.stored)) - 1)  # the last one of a speech that was cut short may be half a word
        if _words(self.stored)[:n_sure] != _words(expected)[:n_sure]:
            yield f"{self.stored} is not the beginning of {expected}"

    def _kept(self, storage: FolderStorage, n_samples: int | None) -> Iterator[str]:
        if self.row.audio_key is None:
            if self.row.duration_s:
                yield f"of its {self.row.duration_s} s nothing was kept"
            return
        if self.row.audio_key not in storage.kept_keys(0):
            return  # told already: see `broken_promises`
        with storage.local_path(self.row.audio_key) as path, wave.open(str(path)) as file:
            kept = file.readframes(file.getnframes())
        if n_samples is not None and len(kept) != 2 * n_samples:
            yield f"{len(kept)} bytes of sound were kept, of {n_samples} samples"
        if self.speech.spec.encoding == PCM_S16LE and kept != self.speech.sound[: len(kept)]:
            yield "the sound that was kept is not what was said"


def undisturbed(speech: Speech) -> tuple[list[Message], int]:
    """The segments, and the samples at 16 kHz, where everything is heard by one recogniser from start to end."""
    decoder = make_live_decoder(speech.spec.encoding, speech.spec.rate_hz)
    recognizer = ScriptedStream(StreamOptions(endpoint_ms=speech.spec.endpoint_ms))
    pcm = np.concatenate([decoder.feed(speech.sound), decoder.flush()])
    heard = [one for one in (*recognizer.accept(pcm), *recognizer.finish()) if isinstance(one, Utterance)]
    finals = [Final(n + 1, _placed(replace(tidy(one.segment), id=n))) for n, one in enumerate(heard)]
    assert [final.segment.text for final in finals] == words_of(speech.n_utterances, first_hz=speech.first_hz)
    return _as_told(finals), len(pcm)


def _placed(segment: Segment) -> Segment:
    """Times to the microsecond, as they are stored."""
    words = tuple(replace(word, start_s=round(word.start_s, 6), end_s=round(word.end_s, 6)) for word in segment.words)
    return replace(segment, start_s=round(segment.start_s, 6), end_s=round(segment.end_s, 6), words=words)


def _as_told(finals: Iterable[Final]) -> list[Message]:
    return [json.loads(json.dumps(segment_to_wire(final.segment))) for final in finals]


def _words(segments: Sequence[Message]) -> list[Message]:
    return [word for segment in segments for word in segment["words"]]
