"""Dead letters, for administrators: look, do again, remove."""

from dataclasses import asdict
from typing import Any

from app.controllers.context import locale, principal, services
from app.controllers.moments import in_utc
from app.controllers.presenting import failed
from app.domain.dead import DeadJob, Handled
from app.i18n import catalogue
from app.services.jobs.dead import DeadFilter


def list_dead(query: dict[str, Any]) -> dict[str, Any]:
    """A page of dead letters, newest first."""
    cursor, limit = query.pop("cursor", None), query.pop("limit")
    page = services().dead.list_dead(principal(), DeadFilter(**query), cursor=cursor, limit=limit)
    return {"jobs": [_described(job) for job in page.jobs], "next_cursor": page.next_cursor}


def get_errors(job_id: str) -> dict[str, Any]:
    """How the last runs of a job went wrong."""
    job = services().dead.get_job(principal(), job_id)
    errors = services().dead.get_errors(principal(), job_id)
    return {"job": _described(job), "errors": [in_utc(asdict(error)) for error in errors]}


def replay_dead(body: dict[str, Any]) -> dict[str, Any]:
    """Have failed jobs done again."""
    ids, wanted = _order(body)
    dead = services().dead
    return _handled(dead.replay(principal(), ids) if ids else dead.replay_all(principal(), wanted))


def purge_dead(body: dict[str, Any]) -> dict[str, Any]:
    """Remove failed jobs for good."""
    ids, wanted = _order(body)
    dead = services().dead
    return _handled(dead.purge(principal(), ids) if ids else dead.purge_all(principal(), wanted))


def _order(body: dict[str, Any]) -> tuple[list[str], DeadFilter]:
    ids: list[str] = body.get("ids", [])
    return ids, DeadFilter(**{name: value for name, value in body.items() if name not in {"ids", "all"}})


def _described(job: DeadJob) -> dict[str, Any]:
    return {**in_utc(asdict(job)), "error": failed(job.error) if job.error else None}


def _handled(handled: Handled) -> dict[str, Any]:
    refused = [
        {"job_id": one.id, "code": one.error.code, "message": catalogue.error_message(one.error, locale())}
        for one in handled.refused
    ]
    return {"done": handled.done, "refused": refused, "has_more": handled.has_more}
