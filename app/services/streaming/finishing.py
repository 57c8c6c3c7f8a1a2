"""The end of a live session: its transcript out of its finals, its recording, and what is to be done with that."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.errors import Unavailable
from app.domain.job import JobOptions, Mode, Priority
from app.domain.live import StreamSpec
from app.domain.states import JobState
from app.domain.transcript import Transcript
from app.engines.selection import AUTO
from app.models import Job, JobPeaks, StreamSound
from app.services.database import Database, Work
from app.services.delivery.outbox import owe
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.completing import COMPLETE, Result, completions
from app.services.jobs.narrator import Narrator
from app.services.jobs.row import new_row
from app.services.jobs.views import options_to_dict
from app.services.media.storage import Storage, StoredAudio
from app.services.streaming.kept_sound import KeptSound, join

WAV = "audio/wav"

GATHER = text("""
UPDATE job_transcripts SET text = said.text, segments = said.segments FROM (
    SELECT coalesce(string_agg(words, ' ' ORDER BY seq) FILTER (WHERE words <> ''), '') AS text,
        coalesce(jsonb_agg(segment ORDER BY seq), '[]') AS segments
    FROM (
        SELECT seq, segment, btrim(segment ->> 'text', E' \\t\\n\\r') AS words FROM job_segments WHERE job_id = :job
    ) AS finals
) AS said WHERE job_id = :job
""").bindparams(bindparam("job", type_=Uuid))
"""The finals of a session become its transcript without coming here, where those of some hours would be 100 MB."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """How the sound is worked on again once the session is over: by which engines, and whether speakers are told apart.

    `diarizes` says whether a worker is there that does so; else the sound is only transcribed anew.
    """

    engine: str = AUTO
    diarizer: str = AUTO
    diarizes: Callable[[], bool] = lambda: False

    def mode(self) -> Mode:
        """The mode of the job: a diarization transcribes too."""
        return Mode.DIARIZATION if self.diarizes() else Mode.BATCH


class Finishing:
    """Completes sessions."""

    def __init__(self, database: Database, storage: Storage, narrator: Narrator, refinement: Refinement) -> None:
        self._database = database
        self._storage = storage
        self._narrator = narrator
        self._refinement = refinement

    def complete(self, job: ClaimedJob, spec: StreamSpec, duration_s: float) -> bool:
        """PROCESSING → COMPLETED: transcript, recording, outline and the job that refines it, in one transaction.

        False if the session was no longer this run's. Asking again, because the first answer was lost, is answered
        True again.

        Raises:
            StorageFull: no room is left for the recording.
            Unavailable: PostgreSQL or the storage cannot be reached.
        """
        sound = _Sound(self._storage, join(self._database, self._storage, job.id) if spec.keeps_sound else None, spec)
        refining = _refining(job, self._refinement, sound.refined, duration_s) if sound.refined else None
        kept = False
        try:
            kept = self._complete(job, duration_s, sound, refining)
            return kept or self._was_completed(job)
        except Unavailable:
            # The commit may have happened though its answer was lost: the recording must stay.
            kept = True
            raise
        finally:
            if not kept:
                sound.drop()

    def _complete(self, job: ClaimedJob, duration_s: float, sound: "_Sound", refining: dict[str, Any] | None) -> bool:
        with self._database.work() as work:
            heard = Transcript((), (), job.options.language, duration_s, job.options.engine, job.options.model)
            if not work.rows(COMPLETE, completions([Result(job, heard)])):
                return False
            work.session.execute(GATHER, {"job": UUID(job.id)})
            work.session.execute(delete(StreamSound).where(StreamSound.job_id == UUID(job.id)))
            if sound.own is not None:
                work.session.execute(update(Job).where(Job.id == UUID(job.id)).values(_recording(sound.own)))
                work.session.execute(insert(JobPeaks).values(sound.outline(job.id)))
            if refining is not None:
                self._add(work, refining)
            owe(work, work.session.get_one(Job, UUID(job.id)))
            work.after_commit(lambda: self._narrator.state(job.id, JobState.COMPLETED, job.attempt))
        return True

    def _add(self, work: Work, refining: dict[str, Any]) -> None:
        work.session.execute(insert(Job).values(refining))
        # Its worker finds it by itself within a moment: nobody waits for it at the door. A diarization gets its half
        # then.
        work.after_commit(lambda: self._narrator.state(str(refining["id"]), JobState.QUEUED, 0))

    def _was_completed(self, job: ClaimedJob) -> bool:
        mine = select(Job.id).where(Job.id == UUID(job.id), Job.ended_by == job.token)
        with self._database.work() as work:
            return work.session.scalar(mine.where(Job.state == JobState.COMPLETED)) is not None


class _Sound:
    """The recording, for the session itself and for the job that refines it: each removes its own when it goes."""

    def __init__(self, storage: Storage, kept: KeptSound | None, spec: StreamSpec) -> None:
        self._storage, self._kept = storage, kept
        stored = kept.stored if kept else None
        self.own = stored if spec.keep_audio else None
        self.refined = stored if spec.refine else None
        if self.own is not None and self.refined is not None:
            self.refined = replace(self.own, key=storage.duplicate(self.own.key))

    def outline(self, job_id: str) -> dict[str, Any]:
        """The row of its outline, for the session itself: who refines it draws the sound anew."""
        assert self._kept is not None, "there is sound"
        return {"job_id": UUID(job_id), "bucket_s": self._kept.peaks.bucket_s, "pairs": self._kept.peaks.pairs}

    def drop(self) -> None:
        """Forget it: no row names it."""
        for stored in (self.own, self.refined):
            if stored is not None:
                self._storage.delete(stored.key)


def _recording(stored: StoredAudio) -> dict[str, Any]:
    return {
        "audio_key": stored.key,
        "sha256": stored.sha256,
        "size_bytes": stored.size_bytes,
        "content_type": WAV,
    }


def _refining(job: ClaimedJob, refinement: Refinement, sound: StoredAudio, duration_s: float) -> dict[str, Any]:
    """The row of the job that refines a session: the best engines there are for its language."""
    engine = None if refinement.engine == AUTO else refinement.engine
    diarizer = None if refinement.diarizer == AUTO else refinement.diarizer
    options = JobOptions(language=job.options.language, engine=engine, diarization_engine=diarizer)
    return new_row(
        job.project_id,
        refinement.mode(),
        Priority.NORMAL,
        **_recording(sound),
        options=options_to_dict(options),
        meta={},
        filename=job.filename,
        estimated_s=duration_s,
        source_id=UUID(job.id),
    )
