"""What is stored of a live session, told to a client that knows some of it already."""

from collections.abc import Iterator

from app.domain.errors import Cancelled
from app.domain.job import JobView
from app.domain.principal import Principal
from app.domain.states import JobState
from app.exports.wire import segment_to_wire
from app.services.jobs.catalogue import Catalogue
from app.services.streaming.sessions import Sessions
from app.services.streaming.told import Finished, SaidFinal, Told, Trouble


class Record:
    """One client's reading of one session: each final is told to it once. `last` is the last that it was told."""

    def __init__(self, sessions: Sessions, catalogue: Catalogue, principal: Principal, job_id: str, last: int) -> None:
        self.last = last
        self._sessions, self._catalogue = sessions, catalogue
        self._principal, self._job_id = principal, job_id

    def is_next(self, final: SaidFinal) -> bool:
        """Whether nothing lies between the last one told and this; if so it counts as told."""
        if final.seq != self.last + 1:
            return False
        self.last = final.seq
        return True

    def new_finals(self) -> Iterator[SaidFinal]:
        """The stored finals that were not told yet.

        Raises:
            NotFound: the session was deleted.
            Unavailable: PostgreSQL cannot be reached.
        """
        for final in self._sessions.finals(self._principal, self._job_id, self.last):
            self.last = final.seq
            yield SaidFinal(final.seq, segment_to_wire(final.segment), final.speech_final, final.alternatives)

    def job(self) -> JobView:
        """How the job stands.

        Raises:
            NotFound, Unavailable: as `new_finals`.
        """
        return self._catalogue.get_job(self._principal, self._job_id)

    def ending(self, job: JobView) -> Iterator[Told]:
        """What there is to be told at the end of a job that has ended.

        Raises:
            NotFound, Unavailable: as `new_finals`.
        """
        yield from self.new_finals()
        if job.state is JobState.COMPLETED:
            yield Finished(job.id, *self._catalogue.get_text(self._principal, self._job_id))
        elif job.error:
            yield Trouble(job.error)
        else:
            yield Trouble(Cancelled())
