"""How far a run is: seconds of the recording done, of all its seconds."""

from app.services.transcription.observer import Observer

_NEVER_DONE = 0.99
"""What is left for the work after the last segment; only the final state says 1."""


class Tracker:
    """Tells an observer duration and progress; headers may lie, so the duration follows what is found."""

    def __init__(self, observer: Observer, declared_s: float | None) -> None:
        self._observer = observer
        self._duration_s = declared_s or 0.0
        self._fraction = 0.0
        if declared_s:
            observer.duration(declared_s)

    def read(self, until_s: float, *, is_end: bool) -> None:
        """The recording was read up to here: it is at least so long, or, at its end, exactly."""
        if until_s > self._duration_s or (is_end and until_s != self._duration_s):
            self._duration_s = until_s
            self._observer.duration(until_s)

    def done(self, until_s: float) -> None:
        """The recording was transcribed up to here."""
        if self._duration_s <= 0:
            return
        fraction = min(until_s / self._duration_s, _NEVER_DONE)
        self._fraction = max(self._fraction, fraction)
        self._observer.progress(self._fraction)
