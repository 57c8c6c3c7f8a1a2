"""Projects come to be with their first job or session."""

from sqlalchemy.dialects.postgresql import insert

from app.domain.principal import Principal
from app.models import Project
from app.services.database import Work


def make_project(work: Work, principal: Principal) -> None:
    """Make the row of the project of whoever asks, if there is none yet."""
    row = {"id": principal.project_id, "name": principal.project_id}
    work.session.execute(insert(Project).values(row).on_conflict_do_nothing())
