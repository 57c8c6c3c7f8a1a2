"""What must hold after every fault, whatever it was.

`broken_rules` judges what was written while things broke (see `audit`); `broken_promises` what must have come of the
jobs that were answered 202, once everything is healed and has come to rest. Both tell in words; nothing is good news.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from app.domain.errors import RefusedTransition
from app.domain.job import SEQ_PER_ATTEMPT, Mode
from app.domain.states import JobState, transition
from app.models import Job, JobError, JobPart, JobTranscript
from app.queues.hints import HintQueue
from app.services.jobs.reconciler import drift
from app.services.media.folder import FolderStorage
from app.services.media.orphans import remove_orphans
from tests.factories import House

FINAL = {"COMPLETED", "FAILED", "CANCELLED"}
FINAL_EVENTS = {"completed", "failed"}


def broken_rules(house: House) -> list[str]:
    """Rules that hold at any moment, also while jobs still run."""
    with house.database.work() as work:
        changes = work.session.execute(text("SELECT * FROM audit.changes ORDER BY n")).all()
        jobs = list(work.session.scalars(select(Job)))
        errors = list(work.session.scalars(select(JobError)))
        results = set(work.session.scalars(select(JobTranscript.job_id)))
    broken = [message for change in changes for message in _judged(change)]
    broken += _second_ends(changes)
    parks = Counter(change.job_id for change in changes if change.is_parked and change.old_state == "PROCESSING")
    broken += [message for job in jobs for message in _judged_row(job, results, parks[job.id])]
    broken += _blamed_twice(errors)
    return broken + [message for job in jobs for message in _judged_events(house, job)]


def broken_promises(house: House, accepted: Iterable[str], storage: Path, *, n_unanswered: int = 0) -> list[str]:
    """Promises to those who were answered 202, and order in the house; to be asked when all has come to rest.

    Of `n_unanswered` uploads nobody knows whether they were taken in; each may have left a recording behind, which
    the sweep must find.
    """
    with house.database.work() as work:
        states = {str(row[0]): row[1] for row in work.session.execute(select(Job.id, Job.state))}
        left = work.session.scalars(select(JobPart.job_id).join(Job).where(Job.state == JobState.COMPLETED)).all()
        done = select(Job.id).where(Job.state == JobState.COMPLETED)
        halves = work.session.scalars(select(Job.id).where(Job.parent_id.in_(done))).all()
    broken = [f"{job_id} was accepted and is lost" for job_id in accepted if job_id not in states]
    broken += [f"{job_id} never ended: it is {state}" for job_id, state in states.items() if state not in FINAL]
    broken += [f"{job_id} has ended and its parts are still there" for job_id in left]
    broken += [f"{job_id} is a half of a job that has its words" for job_id in halves]
    for mode in Mode:
        if n_missing := drift(house.database, HintQueue(house.client, mode), mode):
            broken.append(f"{n_missing} due jobs have no hint in the {mode.queue}")
    return [*broken, *_judged_storage(house, FolderStorage(storage), n_unanswered)]


def restarts_s(house: House) -> list[float]:
    """How long after its last sign of life each lost run was begun again, all by PostgreSQL's clock.

    For jobs that lost one run; of several, the last is told.
    """
    with house.database.work() as work:
        changes = work.session.execute(text("SELECT * FROM audit.changes WHERE what = 'job' ORDER BY n")).all()
    lost = {change.job_id: change.last_beat_at for change in changes if change.state == "QUEUED"}
    begun = {change.job_id: change.at for change in changes if change.state == "PROCESSING"}
    return [(begun[job_id] - beat_at).total_seconds() for job_id, beat_at in lost.items() if job_id in begun]


def late_restarts(house: House, *, lease_s: float, tick_s: float, allowance_s: float) -> list[str]:
    """Lost runs that were begun again later than a lease and two ticks after their last sign of life.

    To be asked where a slot was free all the while. `allowance_s` is what a busy machine may take for statements and
    for waking up.
    """
    limit_s = lease_s + 2 * tick_s + allowance_s
    return [f"begun again after {s:.1f} s, not within {limit_s:.1f} s" for s in restarts_s(house) if s > limit_s]


def _judged(change: Row[Any]) -> Iterator[str]:
    """One change of a job: an edge that exists, made by whoever held the claim, counted once."""
    if change.what in {"job_parts", "job_turns"} and not (change.state == "PROCESSING" and change.claim):
        yield f"{change.job_id}: {change.what} were stored while the job was {change.state}"
    if change.what == "job_transcripts" and change.state != "COMPLETED":
        yield f"{change.job_id}: a result was stored while the job was {change.state}"
    if change.what == "job":
        yield from _judged_edge(change)


def _judged_edge(change: Row[Any]) -> Iterator[str]:
    edge = f"{change.job_id}: {change.old_state} → {change.state}"
    if change.old_state == change.state:
        yield f"{edge}: the claim was taken from a run that still had it"
        return
    try:
        transition(JobState(change.old_state), JobState(change.state))
    except RefusedTransition:
        yield f"{edge} does not exist"
    if change.state == "PROCESSING" and change.attempts != 1:
        yield f"{edge} counted as {change.attempts} attempts"
    if change.old_state == "PROCESSING" and change.state in FINAL and change.ended_by != change.old_claim:
        yield f"{edge} was written by {change.ended_by}, the claim was {change.old_claim}'s"
    if change.old_state == "PROCESSING" and change.state == "QUEUED" and change.counted != (not change.is_parked):
        yield f"{edge} was counted {change.counted} times{', but only parked' if change.is_parked else ''}"


def _second_ends(changes: Iterable[Row[Any]]) -> Iterator[str]:
    ends = Counter(change.job_id for change in changes if change.what == "job" and change.state in FINAL)
    yield from (f"{job_id} ended {n} times" for job_id, n in ends.items() if n > 1)


def _judged_row(job: Job, results: set[UUID], n_parked: int) -> Iterator[str]:
    # A diarization that waits for its words is begun once more to be joined with them.
    spent = 1 + job.failures + job.crashes + job.releases + n_parked
    # The crashes of a live session are forgotten when a run of it gets on.
    if job.attempt > spent and job.mode != Mode.STREAMING:
        yield f"{job.id}: {job.attempt} attempts, but only {spent} can be told apart"
    if (job.id in results) != (job.state == "COMPLETED"):
        yield f"{job.id} is {job.state} and has {'a' if job.id in results else 'no'} result"


def _blamed_twice(errors: Iterable[JobError]) -> Iterator[str]:
    blames = Counter((error.job_id, error.attempt) for error in errors)
    yield from (f"{job_id}: run {attempt} went wrong {n} times" for (job_id, attempt), n in blames.items() if n > 1)


def _judged_events(house: House, job: Job) -> Iterator[str]:
    """What was told, as far as Redis still has it."""
    events = house.events.read(str(job.id), 0)
    ends = [event for event in events if event.type in FINAL_EVENTS]
    if len(ends) > 1:
        yield f"{job.id}: {len(ends)} final events"
    if ends and (ends[0].fields["state"] != job.state or ends[0].seq // SEQ_PER_ATTEMPT != job.attempt):
        yield f"{job.id} is {job.state} in run {job.attempt}, but told {ends[0].fields} in {ends[0].seq}"
    if ends and events[-1] != ends[-1]:
        yield f"{job.id}: told {events[-1].type} after its end"


def _judged_storage(house: House, storage: FolderStorage, n_unanswered: int) -> Iterator[str]:
    storage.sweep_incoming(0)
    if (n := remove_orphans(house.database, storage, 0)) > n_unanswered:
        yield f"{n} recordings belong to no job, and only {n_unanswered} uploads were not answered"
    with house.database.work() as work:
        known = {key for key in work.session.scalars(select(Job.audio_key)) if key}
    kept = set(storage.kept_keys(0))
    yield from (f"the recording {key} of a job is gone" for key in known - kept)
    yield from (f"the recording {key} is no job's" for key in kept - known)


def at_rest(house: House) -> Callable[[], bool]:
    """A condition to wait for: no job waits or runs."""

    def is_at_rest() -> bool:
        with house.database.work() as work:
            return work.session.scalar(select(Job.id).where(Job.state.not_in(FINAL)).limit(1)) is None

    return is_at_rest
