"""After every test that breaks something, the checker looks at what was written meanwhile."""

import pytest
from sqlalchemy import Engine

from tests.factories import make_house
from tests.faults import audit
from tests.faults.checker import broken_rules


@pytest.fixture(autouse=True)
def checked(request: pytest.FixtureRequest):
    """Judge what this test has done to the shared tables; tests with servers of their own judge for themselves."""
    if "house" not in request.fixturenames:
        yield
        return
    engine: Engine = request.getfixturevalue("engine")
    postgres_url, redis_url = request.getfixturevalue("postgres_url"), request.getfixturevalue("redis_url")
    request.getfixturevalue("clean")
    audit.install(engine)
    house = make_house(postgres_url, redis_url)
    yield
    try:
        assert broken_rules(house) == []
    finally:
        house.engine.dispose()
        audit.remove(engine)
