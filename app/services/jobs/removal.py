"""What goes with the row of a job: its recording, and what Redis has been told of it."""

from uuid import UUID

import structlog

from app.domain.errors import Unavailable
from app.queues.breaker import Breaker
from app.queues.events import EventLog
from app.services.database import Work
from app.services.media.storage import Storage

log = structlog.get_logger(__name__)


class Removal:
    """Lets everything else of a job follow its row, once that is gone for good.

    Row first: a recording without a row is found and removed (`app.services.media.orphans`), a row without its
    recording would be a lie.
    """

    def __init__(self, storage: Storage, events: EventLog) -> None:
        self._storage = storage
        self._events = events
        self._breaker = Breaker()

    def follows(self, work: Work, job_id: UUID, audio_key: str | None) -> None:
        """After the commit: remove the recording and the events of a job whose row `work` deletes."""
        self.audio_follows(work, audio_key)
        work.after_commit(lambda: self._forget_events(str(job_id)))

    def audio_follows(self, work: Work, audio_key: str | None) -> None:
        """After the commit: remove a recording that no row names any more."""
        if audio_key is not None:
            work.after_commit(lambda: self._delete(audio_key))

    def _delete(self, audio_key: str) -> None:
        try:
            self._storage.delete(audio_key)
        except OSError as error:
            log.warning("recording_left_behind", audio_key=audio_key, reason=str(error))  # the sweep finds it

    def _forget_events(self, job_id: str) -> None:
        try:
            self._breaker.call(lambda: self._events.forget(job_id))
        except Unavailable:
            log.debug("events_left_behind", job_id=job_id)  # they expire
