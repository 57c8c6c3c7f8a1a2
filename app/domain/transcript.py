"""What was said, when, and by whom. Times are seconds from the start of the original recording."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.speaker_turn import SpeakerTurn
from app.helpers.quick_pickle import QuickPickle


@dataclass(frozen=True, slots=True)
class Word(QuickPickle):
    """One word with its place in the recording; `confidence` is 0…1, or None if the engine tells none."""

    word: str
    start_s: float
    end_s: float
    confidence: float | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Segment(QuickPickle):
    """A stretch of speech that reads as one line; `words` is empty if word times were not asked for."""

    id: int
    start_s: float
    end_s: float
    text: str
    confidence: float | None = None
    speaker: str | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice in the recording: a stable label, the name people gave it, how long it spoke."""

    label: str
    name: str | None = None
    speaking_time_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Transcript(QuickPickle):
    """The result of a job. `turns`, when each speaker spoke, are known of jobs that were diarized."""

    segments: tuple[Segment, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    language: str | None = None
    duration_s: float = 0.0
    engine: str | None = None
    model: str | None = None
    warnings: tuple[str, ...] = field(default=())
    turns: tuple[SpeakerTurn, ...] = ()

    @property
    def text(self) -> str:
        """The segments' texts, one space between."""
        return " ".join(segment.text.strip() for segment in self.segments if segment.text.strip())

    def speaker_name(self, label: str | None) -> str | None:
        """The name people gave to this label, or the label itself."""
        named = {speaker.label: speaker.name for speaker in self.speakers}
        return named.get(label) or label if label else None


_FIELDS: dict[type, tuple[str, ...]] = {kind: tuple(kind.__dataclass_fields__) for kind in (Word, Segment)}


def segment_to_dict(segment: Segment) -> dict[str, Any]:
    """The stored form of a segment (see `segment_from_dict`)."""
    stored = {name: getattr(segment, name) for name in _FIELDS[Segment]}
    return {**stored, "words": [{name: getattr(word, name) for name in _FIELDS[Word]} for word in segment.words]}


def segment_from_dict(stored: Mapping[str, Any]) -> Segment:
    """The segment that `segment_to_dict` stored; what a newer version stores beyond what we know is left out."""
    words = tuple(Word(**_known(Word, word)) for word in stored.get("words", ()))
    return Segment(**{**_known(Segment, stored), "words": words})


def _known(kind: type[Word | Segment], stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: stored[name] for name in kind.__dataclass_fields__ if name in stored}


def renumbered(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """The same segments in order of time, with ids from 0 up."""
    ordered = sorted(segments, key=lambda segment: (segment.start_s, segment.end_s))
    return tuple(
        Segment(i, s.start_s, s.end_s, s.text, s.confidence, s.speaker, s.words) for i, s in enumerate(ordered)
    )
