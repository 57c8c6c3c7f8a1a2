"""`python -m app projects`: what it prints, changes and exits with."""

import json
import math
from collections.abc import Callable
from functools import partial

import pytest

from app.models import Project
from tests.factories import House, make_house


@pytest.fixture
def house(clean, postgres_url, redis_url):
    house = make_house(postgres_url, redis_url)
    house.add_job(project_id="one")
    house.add_job(project_id="two")
    yield house
    house.engine.dispose()


@pytest.fixture
def projects(house, command) -> Callable[..., int]:
    return partial(command, "projects")


def row(house: House, project_id: str) -> Project:
    with house.database.work() as work:
        return work.session.get_one(Project, project_id)


def test_what_is_given_is_set_and_the_rest_stays(house: House, projects):
    assert projects("set", "one", "--retention", "2h", "--weight", "3") == 0
    assert projects("set", "one", "--audio-retention", "10m") == 0
    changed, other = row(house, "one"), row(house, "two")
    assert (changed.retention_s, changed.audio_retention_s, changed.weight) == (7200, 600, 3)
    assert (other.retention_s, other.audio_retention_s, other.weight) == (None, None, 1)


def test_things_are_kept_for_ever_or_as_the_settings_say(house: House, projects):
    assert projects("set", "one", "--retention", "forever") == 0
    assert row(house, "one").retention_s == math.inf
    assert projects("set", "one", "--retention", "default") == 0
    assert row(house, "one").retention_s is None


def test_all_projects_are_listed(house: House, projects, capsys):
    projects("set", "one", "--retention", "forever", "--audio-retention", "1d")
    capsys.readouterr()
    assert projects("list") == 0
    head, one, two = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["PROJECT", "NAME"]
    assert one.split() == ["one", "one", "1", "forever", "86400", "s"]
    assert two.split() == ["two", "two", "1", "default", "default"]
    projects("list", "--json")
    assert [project["retention_s"] for project in json.loads(capsys.readouterr().out)] == ["forever", None]


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "nobody", "--weight", "2"),
        ("set", "one"),
        ("set", "one", "--weight", "0"),
        ("set", "one", "--weight", "nan"),
        ("set", "one", "--weight", "inf"),
        ("set", "one", "--retention", "0s"),
        ("set", "one", "--retention", "soon"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(house: House, projects, capsys, arguments):
    assert projects(*arguments) == 2
    assert capsys.readouterr().err
    assert (row(house, "one").retention_s, row(house, "one").weight) == (None, 1)


def test_that_nothing_runs_is_told(projects, capsys, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert projects("list") == 1
    assert "cannot be reached" in capsys.readouterr().err
