"""A short run of the chaos; the long one is `make chaos`."""

import pytest

from tests.faults.chaos import run_chaos


@pytest.mark.timeout(240)
def test_every_promise_is_kept_while_everything_breaks():
    report = run_chaos(seed=3, n_jobs=25, for_s=15.0)
    assert report.broken == [], report.logs
    assert report.n_accepted > 0
    assert sum(report.faults.values()) >= 5
