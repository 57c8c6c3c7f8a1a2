"""Short runs of the chaos; the long one is `make chaos`."""

import pytest

from tests.faults.chaos import run_chaos


@pytest.mark.timeout(240)
def test_every_promise_is_kept_while_everything_breaks():
    report = run_chaos(seed=3, n_jobs=25, for_s=15.0)
    assert report.broken == [], report.logs
    assert report.n_accepted > 0
    assert sum(report.faults.values()) >= 5


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_promise_is_kept_to_diarizations_as_well():
    report = run_chaos(seed=4, n_jobs=40, for_s=45.0, n_workers=2, n_diarizers=1)
    assert report.broken == [], report.logs
    assert report.n_diarized >= 3, "their part of the jobs is drawn by the seed, but for those that were not answered"
    assert sum(report.faults.values()) >= 12, "each kind once"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_promise_is_kept_to_those_who_speak_live_as_well():
    report = run_chaos(seed=5, n_jobs=4, for_s=75.0, n_workers=1, n_streamers=2, n_speakers=5, apart_s=(0.8, 4.0))
    assert report.broken == [], report.logs
    assert report.n_spoken >= 5
    assert report.n_connections > report.n_spoken, "somebody had to come back"
    assert sum(report.faults.values()) >= 16, "each kind once"
