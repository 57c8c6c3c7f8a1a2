"""What an operator decides for each project: its share of the workers, and how long its things are kept."""

from collections.abc import Mapping
from math import isfinite

from sqlalchemy import select

from app.domain.errors import Forbidden, InvalidFields, NotFound
from app.domain.principal import Principal
from app.domain.project import ProjectView
from app.models import Project
from app.services.database import Database

CHANGEABLE = frozenset({"weight", "retention_s", "audio_retention_s"})


class Projects:
    """All projects, for administrators."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_projects(self, principal: Principal) -> tuple[ProjectView, ...]:
        """All of them, by id.

        Raises:
            Forbidden: the principal is no administrator.
            Unavailable: PostgreSQL cannot be reached.
        """
        _require_admin(principal)
        with self._database.work() as work:
            return tuple(_view(row) for row in work.session.scalars(select(Project).order_by(Project.id)))

    def change(self, principal: Principal, project_id: str, values: Mapping[str, float | None]) -> ProjectView:
        """Set some of weight, retention_s and audio_retention_s; jobs that wait keep the place they have.

        Raises:
            Forbidden: the principal is no administrator.
            InvalidFields: a value is not positive, or the weight is not finite.
            NotFound: there is no such project.
            Unavailable: PostgreSQL cannot be reached.
        """
        _require_admin(principal)
        _require_valid(values)
        with self._database.work() as work:
            project = work.session.get(Project, project_id, with_for_update=True)
            if project is None:
                raise NotFound(what="project")
            for name, value in values.items():
                setattr(project, name, value)
            return _view(project)


def _require_admin(principal: Principal) -> None:
    if not principal.is_admin:
        raise Forbidden


def _require_valid(values: Mapping[str, float | None]) -> None:
    problems = {name: ["cannot be set"] for name in values.keys() - CHANGEABLE}
    problems |= {name: ["must be above 0"] for name, value in values.items() if value is not None and not value > 0}
    weight = values.get("weight", 1.0)
    if weight is None or not isfinite(weight):
        problems["weight"] = ["must be a number"]
    if problems:
        raise InvalidFields(problems)


def _view(row: Project) -> ProjectView:
    return ProjectView(row.id, row.name, row.weight, row.retention_s, row.audio_retention_s, row.created_at)
