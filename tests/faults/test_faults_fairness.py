"""Many jobs of many projects at once: each project gets its share, and a long queue is no slower than a short one."""

import random
import time
from dataclasses import dataclass
from statistics import mean, median, quantiles
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from app.domain.job import JobOptions, Mode, Priority
from app.domain.states import JobState
from app.models import Job, Project
from app.queues.hints import Hint
from app.services.jobs.reconciler import Reconciler, drift
from app.services.jobs.views import options_to_dict
from tests.factories import House

LENGTHS_S = (10.0, 20.0, 30.0)


@dataclass
class Served:
    """What was claimed: whose, how much sound, and how long the claim took, in the order of the claims."""

    projects: list[str]
    lengths_s: list[float]
    took_ms: list[float]


def queue_jobs(house: House, n_jobs: int, weights: dict[str, float], seed: int) -> None:
    """All of one project, then all of the next: without fairness the last would wait for all the others."""
    chance = random.Random(seed)
    rows = [_row(project, chance.choice(LENGTHS_S)) for project in weights for _ in range(n_jobs // len(weights))]
    with house.database.work() as work:
        work.session.execute(insert(Project), [{"id": one, "name": one, "weight": w} for one, w in weights.items()])
        work.session.execute(insert(Job), rows)
    assert drift(house.database, house.queue, Mode.BATCH) == n_jobs
    assert Reconciler(house.database, house.queue, Mode.BATCH).step() == n_jobs


def _row(project: str, length_s: float) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "project_id": project,
        "mode": Mode.BATCH.value,
        "state": JobState.QUEUED.value,
        "priority": Priority.NORMAL.rank,
        "options": options_to_dict(JobOptions()),
        "meta": {},
        "filename": "a.wav",
        "content_type": "audio/wav",
        "size_bytes": 1,
        "sha256": "0" * 64,
        "audio_key": uuid4().hex,
        "estimated_s": length_s,
    }


def serve(house: House, n: int) -> Served:
    """Take so many jobs as a worker does: the best hint, then the claim."""
    lengths_s = estimates_s(house)
    served = Served([], [], [])
    for _ in range(n):
        begun_s = time.perf_counter()
        job_id = house.queue.take(1)
        assert job_id is not None
        job = house.claim(job_id)
        served.took_ms.append((time.perf_counter() - begun_s) * 1000)
        served.projects.append(job.project_id)
        served.lengths_s.append(lengths_s[job_id])
    return served


def estimates_s(house: House) -> dict[str, float]:
    with house.database.work() as work:
        return {str(job_id): s for job_id, s in work.session.execute(select(Job.id, Job.estimated_s))}


def unfair_shares(served: Served, weights: dict[str, float]) -> dict[str, float]:
    """By project, the sound that it was served over its weight, as part of what is fair; only those 10 % off."""
    sound_s = dict.fromkeys(weights, 0.0)
    for project, length_s in zip(served.projects, served.lengths_s, strict=True):
        sound_s[project] += length_s
    shares = {project: sound_s[project] / weight for project, weight in weights.items()}
    fair = mean(shares.values())
    return {project: share / fair for project, share in shares.items() if abs(share / fair - 1) > 0.1}


def by_weight(n_projects: int) -> dict[str, float]:
    return {f"p{n}": (1.0, 2.0, 4.0)[n % 3] for n in range(n_projects)}


def equal(n_projects: int) -> dict[str, float]:
    return {f"p{n}": 1.0 for n in range(n_projects)}


def assert_fair(served: Served, weights: dict[str, float], n_each: int) -> None:
    """They are counted while every project still has jobs that wait: then each is served as much as it is due."""
    assert max(map(served.projects.count, weights)) < n_each, "one has none left: count earlier"
    assert unfair_shares(served, weights) == {}


@pytest.mark.parametrize("weights", [equal(6), by_weight(6)], ids=["equal", "by weight"])
def test_each_project_is_served_by_its_weight_while_all_wait(house: House, weights):
    queue_jobs(house, 600, weights, seed=7)
    assert_fair(serve(house, 300), weights, n_each=100)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_ten_thousand_jobs_of_twenty_projects_are_served_by_weight(house: House):
    queue_jobs(house, 10_000, by_weight(20), seed=7)
    assert_fair(serve(house, 5_000), by_weight(20), n_each=500)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_ten_thousand_jobs_are_served_fairly_and_the_last_claim_takes_as_long_as_the_first(house: House):
    queue_jobs(house, 10_000, equal(20), seed=7)
    first_part, rest = serve(house, 6_000), serve(house, 4_000)
    assert_fair(first_part, equal(20), n_each=500)
    first, last = first_part.took_ms[:1000], rest.took_ms[-1000:]
    # The machine may be busy; what grew with the queue would differ by far more than this.
    assert spread(median(first), median(last)) < 3
    assert spread(p99(first) + 20, p99(last) + 20) < 5


def spread(one: float, other: float) -> float:
    return max(one, other) / min(one, other)


def p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


def test_a_single_job_of_another_project_does_not_wait_for_a_thousand(house: House):
    queue_jobs(house, 1_000, {"many": 1.0}, seed=7)
    serve(house, 10)
    house.queue.offer(Hint("late", "one", Priority.NORMAL.rank, 30.0))
    assert house.queue.position("late") <= 2
