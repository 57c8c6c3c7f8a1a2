"""What is stored of a live session, told to a client that knows some of it already."""

from collections.abc import Iterator

from app.domain.errors import Cancelled, NotFound
from app.domain.live import Final
from app.domain.principal import Principal
from app.domain.states import JobState
from app.exports.wire import segment_to_wire
from app.services.jobs.catalogue import Catalogue
from app.services.streaming.sessions import Sessions
from app.services.streaming.standing import Standing
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
        yield from self.standing()[1]

    def standing(self) -> tuple[Standing, list[SaidFinal]]:
        """How the session stands, and the stored finals that were not told yet; they count as told.

        Raises:
            NotFound, Unavailable: as `new_finals`.
        """
        standing = self._sessions.standing(self._principal, self._job_id, self.last)
        self.last = standing.finals[-1].seq if standing.finals else self.last
        return standing, [_said(final) for final in standing.finals]

    def ending(self, standing: Standing) -> Iterator[Told]:
        """What there is to be told, after its finals, at the end of a session that has ended so.

        Raises:
            NotFound, Unavailable: as `new_finals`.
        """
        if standing.state is not JobState.COMPLETED:
            yield Trouble(self._catalogue.get_job(self._principal, self._job_id).error or Cancelled())
        elif standing.text is None:
            raise NotFound(what="transcript")
        else:
            yield Finished(self._job_id, standing.text, standing.duration_s)

    def past(self) -> Iterator[Told]:
        """All there is to be told of a session that has ended.

        Raises:
            NotFound, Unavailable: as `new_finals`.
        """
        standing, finals = self.standing()
        yield from finals
        yield from self.ending(standing)


def _said(final: Final) -> SaidFinal:
    return SaidFinal(final.seq, segment_to_wire(final.segment), final.speech_final, final.alternatives)
