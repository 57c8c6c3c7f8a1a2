"""How far a run is: seconds of the recording done, of all its seconds."""

from app.services.transcription.observer import Observer

NEARLY_DONE = 0.99
"""The rest is for what comes after the last segment; only the job's final state says 1."""


class Tracker:
    """Tells an observer duration and progress. Headers may lie, so the duration follows what is found."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._duration_s = 0.0
        self._fraction = 0.0

    def read(self, declared_s: float | None, until_s: float) -> None:
        """The recording was read up to here, and its header declares this; it is as long as the longer of both."""
        if max(declared_s or 0.0, until_s) > self._duration_s:
            self.ended(max(declared_s or 0.0, until_s))

    def ended(self, duration_s: float) -> None:
        """The recording was read to its end."""
        if duration_s != self._duration_s:
            self._duration_s = duration_s
            self._observer.duration(duration_s)

    def done(self, until_s: float) -> None:
        """The recording was transcribed up to here."""
        if self._duration_s > 0:
            self._fraction = max(self._fraction, min(until_s / self._duration_s, NEARLY_DONE))
            self._observer.progress(self._fraction)
