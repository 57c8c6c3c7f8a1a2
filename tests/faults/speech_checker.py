"""Promises to those who spoke live, judged when all has come to rest. They are told in words; nothing is good news."""

import json
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.domain.principal import ANONYMOUS
from app.exports.wire import segment_to_wire
from app.models import Job
from app.services.media.folder import FolderStorage
from tests.factories import House
from tests.faults.speech import SAMPLE_BYTES, Message, Speech
from tests.live import RATE_HZ, expected_starts, make_sessions, words_of


def broken_speeches(house: House, storage: FolderStorage, speeches: Sequence[Speech], patience_s: float) -> list[str]:
    """Word for word what nothing would have disturbed, each final once and never changed, no sample lost.

    Who was away for `patience_s` or longer had their session ended: of what they said it must be the beginning.
    """
    sessions = make_sessions(house)
    begun = [one for one in speeches if one.job_id]
    broken = [what for one in begun for what in one.broken]
    for one in begun:
        finals = sessions.finals(ANONYMOUS, one.job_id)
        stored = [json.loads(json.dumps(segment_to_wire(final.segment))) for final in finals]
        outcome = Outcome(one, house.row(one.job_id), stored)
        may_be_cut_short = one.away_s >= patience_s
        broken += [f"{one.job_id}: {what}" for what in outcome.judged(storage, may_be_cut_short=may_be_cut_short)]
    return broken


@dataclass(frozen=True)
class Outcome:
    """What has become of a speech: its job, and the segments that are stored, as clients are sent them."""

    speech: Speech
    row: Job
    stored: Sequence[Message]

    def judged(self, storage: FolderStorage, *, may_be_cut_short: bool) -> Iterator[str]:
        """What is wrong with it."""
        completed = self.speech.completed
        if self.row.state != "COMPLETED" or completed is None:
            yield f"it is {self.row.state} ({self.row.error_code}), and its speaker was told {completed}"
            return
        n_samples, n_said = round(completed["duration"] * RATE_HZ), len(self.speech.sound) // SAMPLE_BYTES
        if n_samples > n_said or (n_samples < n_said and not may_be_cut_short):
            yield f"it has {n_samples} samples of {n_said}"
        yield from self._told()
        yield from self._words(is_whole=n_samples == n_said)
        if self.speech.keeps_audio and _kept(storage, self.row) != self.speech.sound[: n_samples * SAMPLE_BYTES]:
            yield "the sound that was kept is not what was said"

    def _told(self) -> Iterator[str]:
        told = [final["segment"] for final in self.speech.finals]
        if told != self.stored:
            yield f"told were {told}, stored are {self.stored}"
        texts = " ".join(segment["text"] for segment in self.stored)
        if self.speech.completed and self.speech.completed["transcription"] != texts:
            yield f"told was {self.speech.completed['transcription']!r}, stored is {texts!r}"

    def _words(self, *, is_whole: bool) -> Iterator[str]:
        expected = words_of(self.speech.n_utterances, first_hz=self.speech.first_hz)
        starts = expected_starts(self.speech.n_utterances)
        texts = [segment["text"] for segment in self.stored]
        words = [word for segment in self.stored for word in segment["words"]]
        if is_whole and texts != expected:
            yield f"{texts} instead of {expected}"
        n_sure = max(0, len(words) - 1)  # where it was cut short, the last may be half a word
        if [word["word"] for word in words[:n_sure]] != " ".join(expected).split()[:n_sure]:
            yield f"{texts} is not the beginning of {expected}"
        if [round(word["start"], 2) for word in words] != starts[: len(words)]:
            yield f"words at {[word['start'] for word in words]} instead of {starts}"


def _kept(storage: FolderStorage, row: Job) -> bytes:
    if row.audio_key is None:
        return b""
    with storage.local_path(row.audio_key) as path, wave.open(str(path)) as file:
        return file.readframes(file.getnframes())
