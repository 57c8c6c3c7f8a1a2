"""What people do to their jobs: cancel, retry, rename, delete."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select

from app.domain.errors import Cancelled, Conflict, InvalidFields, RecordingRemoved
from app.domain.job import JobView, Mode
from app.domain.principal import Principal
from app.domain.states import JobState, transition
from app.models import Job, JobPart, JobTranscript, JobTurns
from app.queues.events import EventLog
from app.queues.hints import HintQueue
from app.services.database import Database, Work
from app.services.delivery.outbox import owe
from app.services.jobs.bell import Bell
from app.services.jobs.catalogue import find
from app.services.jobs.editing import edit
from app.services.jobs.halves import begin_again, halves_of, stop_halves
from app.services.jobs.narrator import Narrator
from app.services.jobs.removal import Removal
from app.services.jobs.views import view
from app.services.media.storage import Storage


@dataclass(frozen=True, slots=True)
class JobPatch:
    """What to change: names by speaker label (None takes a name away), the whole metadata, texts by segment id.

    A text that is None gives the segment back to the machine.
    """

    speakers: Mapping[str, str | None] | None = None
    metadata: dict[str, Any] | None = None
    segments: Mapping[int, str | None] | None = None


class Control:
    """Changes jobs of a principal's project."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        queues: dict[Mode, HintQueue],
        events: EventLog,
        narrator: Narrator,
    ) -> None:
        self._database = database
        self._removal = Removal(database, storage, events)
        self._narrator = narrator
        self._bell = Bell(queues)

    def cancel(self, principal: Principal, job_id: str) -> JobView:
        """QUEUED → CANCELLED at once; a running job is asked to stop. Cancelling twice is no error.

        Raises:
            NotFound: unknown, or of another project.
            Conflict: it has ended otherwise.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            job = find(work, principal, job_id, lock=True)
            state = JobState(job.state)
            if state is JobState.PROCESSING:
                job.cancel_requested = True
            elif state is JobState.QUEUED:
                self._cancel_waiting(work, job)
            elif state is not JobState.CANCELLED:
                raise Conflict(state=state.value)
            self._bell.drop(work, stop_halves(work, job.id))
            return view(job, halves_of(work, job.id))

    def _cancel_waiting(self, work: Work, job: Job) -> None:
        # Asked before anything changes: a query writes out what has changed so far, and half a change is refused.
        now = work.session.scalar(select(func.now()))
        job.state = transition(JobState.QUEUED, JobState.CANCELLED)
        job.finished_at = now
        job.cancel_requested = True
        job.error_code = Cancelled.code
        owe(work, job)
        self._bell.drop(work, [job])
        work.after_commit(lambda: self._narrator.state(str(job.id), JobState.CANCELLED, job.attempt))

    def retry(self, principal: Principal, job_id: str, *, only: JobState | None = None) -> JobView:
        """FAILED | CANCELLED (or `only` one of them) → QUEUED, with a clean slate; finished parts are not done again.

        Raises:
            NotFound: unknown, or of another project.
            Conflict: it is in no such state.
            RecordingRemoved: its recording is no longer kept, and cannot be fetched again.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            job = find(work, principal, job_id, lock=True)
            if JobState(job.state) not in ({only} if only else {JobState.FAILED, JobState.CANCELLED}):
                raise Conflict(state=job.state)
            if job.audio_key is None:
                _forget_parts(work, job)
            _make_new(job)
            work.session.flush()
            work.session.refresh(job)
            self._bell.ring(work, [job, *begin_again(work, job)])
            work.after_commit(lambda: self._narrator.state(job_id, JobState.QUEUED, job.attempt))
            return view(job, halves_of(work, job.id))

    def update(self, principal: Principal, job_id: str, patch: JobPatch) -> JobView:
        """Rename speakers, replace the metadata, correct the text.

        Raises:
            NotFound: unknown, or of another project.
            InvalidFields: a speaker's label or a segment is not in the transcript.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            job = find(work, principal, job_id, lock=True)
            if patch.metadata is not None:
                job.meta = patch.metadata
            if patch.speakers:
                _rename(work, job, patch.speakers)
            if patch.segments:
                edit(work, job, patch.segments)
            return view(job, halves_of(work, job.id))

    def delete(self, principal: Principal, job_id: str, *, only: JobState | None = None) -> None:
        """Remove a job: its row, transcript and recording. A run under way finds that it no longer owns anything.

        Raises:
            NotFound: unknown, or of another project.
            Conflict: it is in another state than `only`.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            job = find(work, principal, job_id, lock=True)
            if only and JobState(job.state) is not only:
                raise Conflict(state=job.state)
            self._bell.drop(work, [job, *halves_of(work, job.id)])
            work.session.delete(job)
            self._removal.follows(work, job.id, job.audio_key)


def _forget_parts(work: Work, job: Job) -> None:
    """What was found is of a recording that is gone; what is fetched again may be another one."""
    if job.audio_url is None:
        raise RecordingRemoved
    all_of = [job.id, *(half.id for half in halves_of(work, job.id))]
    work.session.execute(delete(JobPart).where(JobPart.job_id.in_(all_of)))
    work.session.execute(delete(JobTranscript).where(JobTranscript.job_id.in_(all_of)))
    work.session.execute(delete(JobTurns).where(JobTurns.job_id.in_(all_of)))


def _make_new(job: Job) -> None:
    job.state = transition(JobState(job.state), JobState.QUEUED)
    job.run_at = func.now()
    job.finished_at = None
    job.cancel_requested = False
    job.failures = job.crashes = 0
    job.error_code = job.error_message = job.error_params = job.error_retryable = None


def _rename(work: Work, job: Job, names: Mapping[str, str | None]) -> None:
    transcript = work.session.get(JobTranscript, job.id)
    known = {speaker["label"] for speaker in transcript.speakers} if transcript else set()
    unknown = sorted(set(names) - known)
    if transcript is None or unknown:
        raise InvalidFields({"speakers": [f"no speaker {label} in this transcript" for label in unknown or names]})
    transcript.speakers = [
        {**speaker, "name": names.get(speaker["label"], speaker["name"])} for speaker in transcript.speakers
    ]
