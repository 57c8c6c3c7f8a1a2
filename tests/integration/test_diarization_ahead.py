"""Halves among the short jobs of the batch queue: not claimed ahead, but ended together with others."""

import threading
from uuid import UUID, uuid4

from app.domain.job import Mode
from app.queues.hints import HintQueue
from app.services.jobs.bell import Bell
from app.services.jobs.completing import Result
from app.services.jobs.endings import Endings, RetryPolicy
from app.services.jobs.parking import NEVER
from tests.factories import House, make_transcript

N_PARENTS = 40


def endings_of(house: House) -> Endings:
    bell = Bell({mode: HintQueue(house.client, mode) for mode in Mode})
    return Endings(house.database, house.narrator, "test", RetryPolicy(), bell)


def parked(house: House) -> str:
    return house.add_job(mode="diarization", run_at=NEVER, progress=1.0)


def half_of(house: House, parent_id: str) -> str:
    return house.add_job(parent_id=UUID(parent_id))


def results(house: House, *job_ids: str) -> list[Result]:
    return [Result(house.claim(job_id), make_transcript()) for job_id in job_ids]


def test_a_half_is_not_claimed_ahead(house):
    half_id, plain_id = half_of(house, parked(house)), house.add_job()
    token = uuid4()
    assert [job.id for job in house.claims.claim_all([half_id, plain_id], token, at_most_s=60.0)] == [plain_id]
    assert house.claims.claim(half_id, uuid4()) is not None, "it is still there for whoever takes it by itself"


def test_halves_that_end_in_one_commit_with_others_wake_their_jobs(house):
    parents = [parked(house), parked(house)]
    unfinished = half_of(house, parents[1])
    ids = [house.add_job(), *(half_of(house, parent_id) for parent_id in parents)]
    assert endings_of(house).complete_all(results(house, *ids)) == []
    assert {house.row(job_id).state for job_id in ids} == {"COMPLETED"}
    assert HintQueue(house.client, Mode.DIARIZATION).take(0.1) == parents[0]
    assert house.row(parents[0]).run_at < NEVER
    assert (house.row(parents[1]).run_at, house.row(unfinished).state) == (NEVER, "QUEUED")


def test_commits_that_end_halves_of_the_same_jobs_do_not_wait_for_each_other_for_ever(house):
    parents = [parked(house) for _ in range(N_PARENTS)]
    groups = [results(house, *(half_of(house, one) for one in order)) for order in (parents, parents[::-1])]
    begin, refused = threading.Barrier(len(groups)), []

    def end(group: list[Result]) -> None:
        begin.wait()
        refused.extend(endings_of(house).complete_all(group))

    threads = [threading.Thread(target=end, args=(group,)) for group in groups]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    assert all(house.row(parent_id).run_at < NEVER for parent_id in parents)
