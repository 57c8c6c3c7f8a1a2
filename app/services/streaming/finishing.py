"""The end of a live session: its transcript out of its finals, its recording, and what is to be done with that."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.errors import Unavailable
from app.domain.job import JobOptions, Mode, Priority
from app.domain.live import StreamSpec
from app.domain.states import JobState
from app.engines.selection import AUTO
from app.models import Job, JobPeaks
from app.services.database import Database, Work
from app.services.delivery.outbox import owe
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.narrator import Narrator
from app.services.jobs.row import new_row
from app.services.jobs.views import options_to_dict
from app.services.media.storage import Storage, StoredAudio
from app.services.statements import Statement
from app.services.streaming.kept_sound import KeptSound, join

WAV = "audio/wav"

END = Statement.of(
    text("""
WITH ended AS (
    UPDATE jobs SET state = :completed, claim = NULL, ended_by = :token, finished_at = now(), progress = 1,
        duration_s = :length_s, language = :language, engine = :engine, model = :model
    WHERE id = :job AND claim = :token
    RETURNING id
), said AS (
    SELECT coalesce(string_agg(words, ' ' ORDER BY seq) FILTER (WHERE words <> ''), '') AS text,
        coalesce(jsonb_agg(segment ORDER BY seq), '[]') AS segments
    FROM (
        SELECT seq, segment, btrim(segment ->> 'text', E' \\t\\n\\r') AS words FROM job_segments WHERE job_id = :job
    ) AS finals
), kept AS (
    INSERT INTO job_transcripts (job_id, text, segments, speakers, warnings)
    SELECT ended.id, said.text, said.segments, '[]', '[]' FROM ended CROSS JOIN said
), dropped AS (
    DELETE FROM stream_sounds USING ended WHERE stream_sounds.job_id = ended.id
)
SELECT id FROM ended
""").bindparams(
        bindparam("job", type_=Uuid), bindparam("token", type_=Uuid), bindparam("completed", JobState.COMPLETED.value)
    )
)
"""PROCESSING → COMPLETED; gives a row if the job was this run's. Its finals become its transcript without coming here,
where those of some hours would be 100 MB.
"""


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
        ended = _ended(job, duration_s)
        if sound.own is None and refining is None and job.callback_url is None:
            is_mine = bool(self._database.rows(END, ended))
        else:
            is_mine = self._complete_with_more(job, ended, sound, refining)
        if is_mine:
            self._narrator.state(job.id, JobState.COMPLETED, job.attempt)
        return is_mine

    def _complete_with_more(
        self, job: ClaimedJob, ended: dict[str, Any], sound: "_Sound", refining: dict[str, Any] | None
    ) -> bool:
        """With its recording, the job that refines it, and what is owed to whoever asked to be told."""
        with self._database.work() as work:
            if not work.rows(END, ended):
                return False
            if sound.own is not None:
                work.session.execute(update(Job).where(Job.id == UUID(job.id)).values(_recording(sound.own)))
                work.session.execute(insert(JobPeaks).values(sound.outline(job.id)))
            if refining is not None:
                self._add(work, refining)
            owe(work, work.session.get_one(Job, UUID(job.id)))
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


def _ended(job: ClaimedJob, duration_s: float) -> dict[str, Any]:
    """What `END` takes."""
    options = job.options
    asked = {"language": options.language, "engine": options.engine, "model": options.model}
    return {"job": job.id, "token": str(job.token), "length_s": duration_s, **asked}


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
