"""Who watches a transcription while it runs."""

from typing import Protocol

from app.domain.peaks import Peaks
from app.domain.transcript import Segment
from app.services.transcription.checkpoint import PartResult


class Observer(Protocol):
    """Is told how a run goes, from the run's own thread, and may ask it to stop."""

    def duration(self, duration_s: float) -> None:
        """The recording's length as far as known: at first what its header says, at the end what was found."""

    def progress(self, fraction: float) -> None:
        """The fraction done, 0…1; never goes back."""

    def segment(self, segment: Segment) -> None:
        """A segment, as soon as it is known; its id is the one it keeps."""

    def part_done(self, part: PartResult) -> None:
        """A part that need not be done again (see `Checkpoint`)."""

    def drawn(self, peaks: Peaks) -> None:
        """The outline of the whole recording, once it is read to its end."""

    def cancelled(self) -> bool:
        """Whether the run is to stop; asked between segments."""
