"""What of a long recording is done already, in a form that can be kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.transcript import Segment, segment_from_dict, segment_to_dict


@dataclass(frozen=True, slots=True)
class PartResult:
    """The transcript of samples `start_sample` to `end_sample` (16 kHz) of a recording; times are the recording's."""

    index: int
    start_sample: int
    end_sample: int
    segments: tuple[Segment, ...] = ()
    language: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "index": self.index,
            "start_sample": self.start_sample,
            "end_sample": self.end_sample,
            "segments": [segment_to_dict(segment) for segment in self.segments],
            "language": self.language,
        }

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> "PartResult":
        """The part that `to_dict` stored."""
        return PartResult(**{**stored, "segments": tuple(segment_from_dict(s) for s in stored["segments"])})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The finished parts of a recording, in order, from its start without a gap."""

    parts: tuple[PartResult, ...] = ()

    @staticmethod
    def of(parts: Iterable[PartResult]) -> "Checkpoint":
        """As many of `parts`, in order of their index, as follow on each other from the start of the recording.

        A part may be missing in between, because it could not be stored; what comes after it is done again.
        """
        whole: list[PartResult] = []
        for part in parts:
            if part.start_sample != (whole[-1].end_sample if whole else 0):
                break
            whole.append(part)
        return Checkpoint(tuple(whole))

    @property
    def end_sample(self) -> int:
        """Where to go on."""
        return self.parts[-1].end_sample if self.parts else 0

    @property
    def language(self) -> str | None:
        """The language that was found in them."""
        return next((part.language for part in self.parts if part.language), None)
