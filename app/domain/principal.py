"""Who is asking."""

from dataclasses import dataclass

DEFAULT_PROJECT = "default"


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a service call is made; every stored thing belongs to exactly one project."""

    project_id: str
    name: str = "anonymous"
    is_admin: bool = False


ANONYMOUS = Principal(project_id=DEFAULT_PROJECT)
