"""Looking at jobs: one, many, their transcripts and recordings. All see one project only."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select, tuple_

from app.domain.editing import rewritten
from app.domain.errors import NotFound, Unavailable
from app.domain.job import JobView, Mode
from app.domain.peaks import Peaks
from app.domain.principal import Principal
from app.domain.states import JobState
from app.domain.transcript import Segment, Transcript, segment_from_dict
from app.models import Job, JobPart, JobPeaks, JobSegment, JobTranscript, JobTurns
from app.queues.hints import HintQueue
from app.services.database import Database, Work
from app.services.jobs.cursor import cursor_of, position_of
from app.services.jobs.editing import as_edited, edits_of
from app.services.jobs.estimate import eta_s
from app.services.jobs.halves import halves_by_parent, halves_of
from app.services.jobs.parking import PARKED
from app.services.jobs.refining import refined_by
from app.services.jobs.stored import stored_transcript
from app.services.jobs.views import view
from app.services.media.storage import Storage


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list. `query` searches the transcripts' words; `cursor` is a page's `next_cursor`."""

    mode: Mode | None = None
    state: JobState | None = None
    query: str | None = None
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, newest first, and where the next page begins (None: there is none)."""

    jobs: tuple[JobView, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """A job's recording, open for reading."""

    file: BinaryIO
    filename: str
    content_type: str
    size_bytes: int
    sha256: str


class Catalogue:
    """Reads jobs of a principal's project."""

    def __init__(self, database: Database, storage: Storage, queues: dict[Mode, HintQueue]) -> None:
        self._database = database
        self._storage = storage
        self._queues = queues

    def get_job(self, principal: Principal, job_id: str) -> JobView:
        """One job, with its place in the queue and the time left where they can be told.

        Raises:
            NotFound: unknown, or of another project.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            found = find(work, principal, job_id)
            job = view(found, halves_of(work, found.id))
            job = replace(job, refined_by=refined_by(work, [found])[found.id])
        return replace(job, position=self._position(job), eta_s=eta_s(job))

    def list_jobs(self, principal: Principal, wanted: JobFilter) -> JobPage:
        """A page of jobs, newest first.

        Raises:
            InvalidFields: the cursor is none of ours.
            Unavailable: PostgreSQL cannot be reached.
        """
        mine = select(Job).where(Job.project_id == principal.project_id, Job.parent_id.is_(None))
        query = _filtered(mine, wanted)
        query = query.order_by(Job.created_at.desc(), Job.id.desc()).limit(wanted.limit + 1)
        with self._database.work() as work:
            rows = list(work.session.scalars(query))
            shown = rows[: wanted.limit]
            halves, refining = halves_by_parent(work, shown), refined_by(work, shown)
        more = len(rows) > wanted.limit
        return JobPage(
            tuple(replace(view(row, halves[row.id]), refined_by=refining[row.id]) for row in shown),
            cursor_of(shown[-1].created_at, shown[-1].id) if more else None,
        )

    def get_transcript(self, principal: Principal, job_id: str, *, is_machines: bool = False) -> Transcript:
        """The transcript of a job: whole when it is completed, else what its finished parts or its finals hold.

        It is as people have corrected it, unless the machine's own is asked for.

        Raises:
            NotFound: unknown, or of another project.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            job = find(work, principal, job_id)
            stored = work.session.get(JobTranscript, job.id)
            if stored is not None:
                heard = stored_transcript(job, stored, work.session.get(JobTurns, job.id))
                return heard if is_machines else as_edited(heard, stored)
            return Transcript(
                segments=_segments(_segments_so_far(work, job)),
                language=job.language,
                duration_s=job.duration_s or 0.0,
                engine=job.engine,
                model=job.model,
            )

    def list_edits(self, principal: Principal, job_id: str) -> list[tuple[Segment, Segment]]:
        """The segments that people have corrected: as they are now, and as the machine heard them.

        Raises:
            NotFound: unknown, or of another project.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            stored = work.session.get(JobTranscript, find(work, principal, job_id).id)
        edits = edits_of(stored) if stored else {}
        heard = _segments(one for one in stored.segments if one["id"] in edits) if stored and edits else ()
        return [(rewritten(segment, edits[segment.id]), segment) for segment in heard]

    def get_peaks(self, principal: Principal, job_id: str) -> Peaks:
        """The outline of a job's recording, whichever job of the project it was drawn for.

        Raises:
            NotFound: unknown, of another project, or the recording was not read to its end yet.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            job = find(work, principal, job_id)
            peaks = work.session.get(JobPeaks, job.id) or _drawn_of(work, job)
        if peaks is None:
            raise NotFound(what="outline")
        return Peaks(peaks.bucket_s, peaks.pairs)

    def open_recording(self, principal: Principal, job_id: str) -> Recording:
        """A job's recording.

        Raises:
            NotFound: unknown, of another project, or the recording is gone, or not fetched yet.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            job = find(work, principal, job_id)
        if job.audio_key is None:
            raise NotFound(what="recording")
        file = self._storage.open(job.audio_key)
        return Recording(file, job.filename, job.content_type, job.size_bytes, job.sha256)

    def _position(self, job: JobView) -> int | None:
        if job.state is not JobState.QUEUED:
            return None
        try:
            return self._queues[job.mode].position(job.id)
        except Unavailable:
            return None


def find(work: Work, principal: Principal, job_id: str, *, lock: bool = False) -> Job:
    """The row of a principal's job; with `lock` nobody else changes it until the transaction ends.

    Raises:
        NotFound: unknown, or of another project.
    """
    try:
        key = UUID(job_id)
    except ValueError as error:
        raise NotFound(what="job") from error
    query = select(Job).where(Job.project_id == principal.project_id, Job.id == key, Job.parent_id.is_(None))
    job = work.session.scalar(query.with_for_update() if lock else query)
    if job is None:
        raise NotFound(what="job")
    return job


def _segments_so_far(work: Work, job: Job) -> list[dict[str, object]]:
    if Mode(job.mode) is Mode.STREAMING:
        finals = select(JobSegment.segment).where(JobSegment.job_id == job.id).order_by(JobSegment.seq)
        return list(work.session.scalars(finals))
    parts = select(JobPart).where(JobPart.job_id == job.id).order_by(JobPart.part)
    return [segment for part in work.session.scalars(parts) for segment in part.segments]


def _drawn_of(work: Work, job: Job) -> JobPeaks | None:
    if job.audio_key is None:
        return None
    same = (Job.project_id == job.project_id, Job.audio_key == job.audio_key)
    return work.session.scalar(select(JobPeaks).join(Job, Job.id == JobPeaks.job_id).where(*same).limit(1))


def _segments(stored: Iterable[dict[str, object]]) -> tuple[Segment, ...]:
    return tuple(segment_from_dict(segment) for segment in stored)


def _is_shown_as(state: JobState) -> ColumnElement[bool]:
    """What `shown_state` says of rows, for PostgreSQL."""
    if state is JobState.PROCESSING:
        return or_(Job.state == state, PARKED)
    return and_(Job.state == state, not_(PARKED))


def _filtered(query: Select[Job], wanted: JobFilter) -> Select[Job]:
    if wanted.mode is not None:
        query = query.where(Job.mode == wanted.mode.value)
    if wanted.state is not None:
        query = query.where(_is_shown_as(wanted.state))
    if wanted.query:
        words = func.websearch_to_tsquery("simple", wanted.query)
        query = query.join(JobTranscript, JobTranscript.job_id == Job.id).where(JobTranscript.search.op("@@")(words))
    if wanted.cursor:
        query = query.where(tuple_(Job.created_at, Job.id) < position_of(wanted.cursor))
    return query
