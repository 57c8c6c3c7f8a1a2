"""What goes with the row of a job: its recording, and what Redis has been told of it."""

from uuid import UUID

import structlog
from sqlalchemy import exists, select

from app.domain.errors import Unavailable
from app.models import Job
from app.queues.events import EventLog
from app.services.database import Database, Work
from app.services.media.storage import Storage

log = structlog.get_logger(__name__)


class Removal:
    """Lets everything else of a job follow its row, once that is gone for good.

    Row first: a recording without a row is found and removed (`app.services.media.orphans`), a row without its
    recording would be a lie.
    """

    def __init__(self, database: Database, storage: Storage, events: EventLog) -> None:
        self._database = database
        self._storage = storage
        self._events = events

    def follows(self, work: Work, job_id: UUID, audio_key: str | None) -> None:
        """After the commit: remove the recording and the events of a job whose row `work` deletes."""
        self.audio_follows(work, audio_key)
        work.after_commit(lambda: self._forget_events(str(job_id)))

    def audio_follows(self, work: Work, audio_key: str | None) -> None:
        """After the commit: remove a recording, unless another row names it.

        A row that comes to name it does so while it holds the one that did before: there is none that is overlooked.
        """
        if audio_key is not None:
            work.after_commit(lambda: self._delete(audio_key))

    def _delete(self, audio_key: str) -> None:
        try:
            if not self._is_named(audio_key):
                self._storage.delete(audio_key)
        except (OSError, Unavailable) as error:
            log.warning("recording_left_behind", audio_key=audio_key, reason=str(error))  # the sweep finds it

    def _is_named(self, audio_key: str) -> bool:
        with self._database.work() as work:
            return bool(work.session.scalar(select(exists().where(Job.audio_key == audio_key))))

    def _forget_events(self, job_id: str) -> None:
        try:
            self._events.forget(job_id)
        except Unavailable:
            log.debug("events_left_behind", job_id=job_id)  # they expire
