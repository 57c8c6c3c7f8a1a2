"""The end of a diarization: its turns are kept, and joined with its words when both are there."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import structlog
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from app.domain.diarization import Diarization, channel_label
from app.domain.job import SEPARATE, JobOptions
from app.domain.states import JobState
from app.domain.transcript import Transcript
from app.models import Job, JobTranscript, JobTurns
from app.services.database import Database, Work
from app.services.diarization.half_rows import insert_halves
from app.services.diarization.merging import interleaved, merged, speakers_of, spoken_by
from app.services.jobs.bell import Bell
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.claims import holds
from app.services.jobs.endings import Endings
from app.services.jobs.halves import begin_again, halves_of
from app.services.jobs.narrator import Narrator
from app.services.jobs.parking import park
from app.services.jobs.stored import stored_transcript, stored_turns, turns_to_rows

log = structlog.get_logger(__name__)


class Joiner:
    """Ends runs of diarizations. Every write is fenced by the claim token."""

    def __init__(self, database: Database, endings: Endings, narrator: Narrator, bell: Bell) -> None:
        self._database = database
        self._endings = endings
        self._narrator = narrator
        self._bell = bell

    def is_known(self, job: ClaimedJob) -> bool:
        """Whether an earlier run, or the job that this one goes on from, has found the turns: only joining is left.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            if holds(work.session, job):
                self._make_up_halves(work, job)
            return work.session.get(JobTurns, UUID(job.id)) is not None

    def keep(self, job: ClaimedJob, found: Diarization | None) -> bool:
        """Keep the turns that were found (None: by an earlier run), then bring the job as far as its words allow.

        PROCESSING → COMPLETED with turns and words joined, → FAILED for the reason its other half has, or parked
        until that half ends. False if the job was no longer this run's.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            if not holds(work.session, job):
                return self._endings.has_ended(work, job)
            if found is not None:
                _keep_turns(work, job, found)
            return self._joined(work, job)

    def _make_up_halves(self, work: Work, job: ClaimedJob) -> None:
        """Whoever made the row may have left the rest to us, as the end of a live session does."""
        if job.options.transcribe and not halves_of(work, UUID(job.id)):
            self._bell.ring(work, insert_halves(work, work.session.get_one(Job, UUID(job.id))))

    def _joined(self, work: Work, job: ClaimedJob) -> bool:
        halves = halves_of(work, UUID(job.id))
        failed = next((half for half in halves if half.state == JobState.FAILED), None)
        if failed is not None:
            return self._endings.fail_within(work, job, failed)
        if all(half.state == JobState.COMPLETED for half in halves):
            return self._complete(work, job, halves)
        return self._park(work, job)

    def _complete(self, work: Work, job: ClaimedJob, halves: Sequence[Job]) -> bool:
        turns = work.session.get_one(JobTurns, UUID(job.id))
        transcript = joined(job.options, turns, [_transcript_of(work, half) for half in halves])
        ended = self._endings.complete_within(work, job, transcript)
        work.session.execute(delete(Job).where(Job.parent_id == UUID(job.id)))
        work.after_commit(lambda: self._narrator.state(job.id, JobState.COMPLETED, job.attempt))
        return ended

    def _park(self, work: Work, job: ClaimedJob) -> bool:
        row = work.session.get_one(Job, UUID(job.id), populate_existing=True)
        if row.cancel_requested:
            return self._endings.cancel_within(work, job)
        self._bell.ring(work, begin_again(work, row))
        log.info("job_parked", job_id=job.id)
        return park(work, row.id, job.token)


def joined(options: JobOptions, kept: JobTurns, transcripts: Sequence[Transcript]) -> Transcript:
    """Turns and words as the job's one result; without transcripts, the turns alone."""
    turns = stored_turns(kept)
    if not transcripts:
        found = Transcript(speakers=speakers_of(turns), turns=turns, duration_s=kept.duration_s)
        found = replace(found, engine=kept.engine, model=kept.model)
    elif options.channels == SEPARATE:
        found = interleaved([spoken_by(one, channel_label(at)) for at, one in enumerate(transcripts)], turns)
    else:
        found = merged(transcripts[0], turns)
    found = found if options.word_timestamps else _without_words(found)
    return replace(found, warnings=tuple(dict.fromkeys((*found.warnings, *kept.warnings))))


def _without_words(transcript: Transcript) -> Transcript:
    return replace(transcript, segments=tuple(replace(segment, words=()) for segment in transcript.segments))


def _transcript_of(work: Work, half: Job) -> Transcript:
    return stored_transcript(half, work.session.get_one(JobTranscript, half.id))


def _keep_turns(work: Work, job: ClaimedJob, found: Diarization) -> None:
    row = {
        "job_id": UUID(job.id),
        "turns": turns_to_rows(found.turns),
        "engine": found.engine,
        "model": found.model,
        "duration_s": found.duration_s,
        "warnings": list(found.warnings),
    }
    newest = insert(JobTurns).values(row)
    work.session.execute(newest.on_conflict_do_update(index_elements=["job_id"], set_=dict(newest.excluded)))
