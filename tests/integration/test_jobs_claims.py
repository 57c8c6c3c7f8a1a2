"""Claims, beats and endings against the real tables."""

from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app.domain.errors import EngineError, MediaUnreadable
from app.domain.job import SEQ_ENDED, SEQ_PER_ATTEMPT, Mode, Priority
from app.domain.states import JobState
from app.domain.transcript import Segment
from app.models import JobError, JobTranscript
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.completing import Result
from app.services.jobs.endings import KEPT_ERRORS, RetryPolicy
from app.services.transcription.checkpoint import PartResult
from tests.factories import House, make_house, make_transcript


@pytest.fixture
def house(clean, postgres_url, redis_url):
    house = make_house(postgres_url, redis_url, RetryPolicy(max_attempts=2, max_crashes=3, base_s=60))
    yield house
    house.engine.dispose()


def test_a_claimed_job_cannot_be_claimed_again(house: House):
    job_id = house.add_job()
    assert house.claims.claim(job_id, uuid4()) is not None
    assert house.claims.claim(job_id, uuid4()) is None


def test_asking_again_with_the_same_token_gives_the_same_claim(house: House):
    job_id, token = house.add_job(), uuid4()
    first = house.claims.claim(job_id, token)
    again = house.claims.claim(job_id, token)
    assert first == again
    assert house.row(job_id).attempt == 1


def test_a_stale_hint_claims_nothing(house: House):
    assert house.claims.claim(str(uuid4()), uuid4()) is None


def test_a_cancelled_job_is_never_claimed(house: House):
    job_id = house.add_job()
    house.endings.cancel(house.claim(job_id))
    assert house.claims.claim(job_id, uuid4()) is None
    assert house.claims.claim_oldest(Mode.BATCH, uuid4()) is None


def test_without_redis_the_most_urgent_job_is_claimed_first(house: House):
    house.add_job(priority=Priority.LOW.rank)
    urgent = house.add_job(priority=Priority.HIGH.rank)
    job = house.claims.claim_oldest(Mode.BATCH, uuid4())
    assert job is not None
    assert job.id == urgent


def test_a_beat_reports_progress_that_never_goes_back_and_brings_a_cancel_request(house: House):
    job = house.claim(house.add_job())
    assert house.claims.beat(job, 0.5, 12.0).cancel_requested is False
    house.change(job.id, cancel_requested=True)
    assert house.claims.beat(job, 0.2, None).cancel_requested is True
    row = house.row(job.id)
    assert (row.progress, row.duration_s, row.beat) == (0.5, 12.0, 2)


def test_a_run_that_lost_its_claim_writes_nothing(house: House):
    job = house.claim(house.add_job())
    house.endings.crash(job, EngineError(reason="lost"))
    house.claim(job.id)
    part = PartResult(0, 0, 16000)
    assert house.claims.beat(job, 0.9, None) is None
    assert house.claims.store_part(job, part) is False
    assert house.endings.complete(job, make_transcript()) is False
    assert house.endings.fail(job, MediaUnreadable(reason="x")) is False
    assert house.endings.release(job) is False
    assert house.endings.cancel(job) is False
    row = house.row(job.id)
    assert (row.state, row.attempt, row.progress, row.failures) == ("PROCESSING", 2, 0.0, 0)


def test_completion_can_be_asked_for_again_when_its_answer_was_lost(house: House):
    job = house.claim(house.add_job())
    assert house.endings.complete(job, make_transcript()) is True
    assert house.endings.complete(job, make_transcript("something else")) is True
    assert house.row(job.id).state == JobState.COMPLETED


def test_completion_tells_one_final_event(house: House):
    job = house.claim(house.add_job())
    house.endings.complete(job, make_transcript())
    final = [event for event in house.events.read(job.id, 0) if event.type == "completed"]
    assert [event.seq for event in final] == [SEQ_PER_ATTEMPT + SEQ_ENDED]


def test_a_failure_that_a_retry_can_help_waits_before_it_runs_again(house: House):
    job = house.claim(house.add_job())
    assert house.endings.fail(job, EngineError(reason="hiccup"))
    row = house.row(job.id)
    assert (row.state, row.failures) == ("QUEUED", 1)
    assert house.claims.claim(job.id, uuid4()) is None, "it is not due yet"


def test_failures_end_when_the_attempts_are_used_up(house: House):
    job = house.claim(house.add_job(failures=1))
    house.endings.fail(job, EngineError(reason="again"))
    row = house.row(job.id)
    assert (row.state, row.error_code, row.failures) == ("FAILED", "engine_error", 2)


def test_bad_media_fails_at_once(house: House):
    job = house.claim(house.add_job())
    house.endings.fail(job, MediaUnreadable(reason="noise"))
    row = house.row(job.id)
    assert (row.state, row.error_message) == ("FAILED", "The recording cannot be decoded: noise.")


def test_a_job_that_takes_its_worker_down_three_times_is_poison(house: House):
    job_id = house.add_job()
    for _ in range(3):
        house.endings.crash(house.claim(job_id), EngineError(reason="killed by SIGSEGV"))
    row = house.row(job_id)
    assert (row.state, row.error_code, row.attempt, row.crashes) == ("FAILED", "poisoned", 3, 3)


def test_a_release_spends_no_attempt_of_any_kind(house: House):
    job = house.claim(house.add_job())
    house.endings.release(job)
    row = house.row(job.id)
    assert (row.state, row.failures, row.crashes, row.releases) == ("QUEUED", 0, 0, 1)
    assert house.claim(job.id).attempt == 2


def test_finished_parts_are_there_for_the_next_run(house: House):
    job = house.claim(house.add_job())
    part = PartResult(0, 0, 48000, (Segment(0, 0.5, 2.0, "one two", 0.9),), "en")
    assert house.claims.store_part(job, part)
    house.endings.release(job)
    checkpoint = house.claims.checkpoint(house.claim(job.id))
    assert checkpoint.parts == (part,)
    assert checkpoint.end_sample == 48000


def test_a_part_that_does_not_follow_on_the_one_before_is_not_gone_on_from(house: House):
    first = house.claim(house.add_job())
    house.endings.release(first)
    job = house.claim(first.id)
    for part in (PartResult(0, 0, 100), PartResult(2, 200, 300)):
        house.claims.store_part(job, part)
    assert house.claims.checkpoint(job).end_sample == 100
    house.claims.store_part(job, PartResult(1, 100, 180))
    house.claims.store_part(job, PartResult(2, 180, 320))
    assert house.claims.checkpoint(job).end_sample == 320


def test_only_the_last_errors_are_kept(house: House):
    job_id = house.add_job()
    for _ in range(KEPT_ERRORS + 3):
        house.endings.crash(house.claim(job_id), EngineError(reason="x"))
        house.change(job_id, crashes=0)
    with house.database.work() as work:
        n, first = work.session.execute(select(func.count(), func.min(JobError.attempt))).one()
    assert (n, first) == (KEPT_ERRORS, 4)


def claim_all(house: House, n: int) -> list[ClaimedJob]:
    return house.claims.claim_all([house.add_job() for _ in range(n)], uuid4())


def test_many_are_claimed_in_one_go_in_the_order_asked_for_and_only_those_short_enough(house: House):
    ids = [house.add_job(estimated_s=length_s) for length_s in (1.0, 600.0, 2.0)]
    token = uuid4()
    assert [job.id for job in house.claims.claim_all(ids, token, at_most_s=2.0)] == [ids[0], ids[2]]
    assert house.row(ids[1]).state == "QUEUED"
    assert [job.id for job in house.claims.claim_all(ids, token, at_most_s=2.0)] == [ids[0], ids[2]]


def test_those_that_wait_behind_are_beaten_together(house: House):
    jobs = claim_all(house, 3)
    house.claims.beat_behind(jobs[1:])
    assert [house.row(job.id).beat for job in jobs] == [0, 1, 1]


def test_many_are_completed_in_one_go_and_those_lost_to_others_are_told(house: House):
    jobs = claim_all(house, 3)
    house.endings.crash(jobs[1], EngineError(reason="lost"))
    results = [Result(job, make_transcript(f"of {i}")) for i, job in enumerate(jobs)]
    assert house.endings.complete_all(results) == [results[1]]
    assert [house.row(job.id).state for job in jobs] == ["COMPLETED", "QUEUED", "COMPLETED"]
    assert house.endings.complete_all(results) == [results[1]], "as when the first answer was lost"
    with house.database.work() as work:
        texts = dict(work.session.execute(select(JobTranscript.job_id, JobTranscript.text)).all())
    assert {str(job_id): text for job_id, text in texts.items()} == {jobs[0].id: "of 0", jobs[2].id: "of 2"}


def test_what_was_claimed_ahead_is_given_back_together_without_blame(house: House):
    jobs = claim_all(house, 3)
    house.endings.crash(jobs[0], EngineError(reason="lost"))
    assert house.endings.release_all(jobs) == 1
    rows = [house.row(job.id) for job in jobs]
    assert [(row.state, row.releases, row.crashes) for row in rows] == [
        ("QUEUED", 0, 1),
        ("QUEUED", 1, 0),
        ("QUEUED", 1, 0),
    ]
