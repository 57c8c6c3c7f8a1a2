"""Live sessions for tests, through the services and Redis, as a gateway would have them."""

from pathlib import Path

from app.domain.job import Mode
from app.engines.registry import Registry
from app.queues.hints import HintQueue
from app.services.jobs.submission import Defaults
from app.services.streaming.admission import Admission
from app.services.streaming.sessions import Sessions
from tests.factories import House
from tests.plugins.parloir_scripted import ScriptedEngine


def make_sessions(house: House, project_max: int | None = None) -> Sessions:
    """The API's side; the scripted engine is the only one it knows."""
    return Sessions(
        house.database,
        Registry([ScriptedEngine(Path())]),
        HintQueue(house.client, Mode.STREAMING),
        house.narrator,
        Admission(house.client, project_max),
        Defaults("scripted"),
    )
