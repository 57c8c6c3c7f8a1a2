"""What administrators do: jobs that failed for good, of all projects."""

from app.controllers import dead
from app.controllers.admission import require_admin
from app.domain.errors import BadRequest, Forbidden, NotFound, Unauthenticated, Unavailable
from app.routes.route import Answer, Header, Route
from app.schemas.dead import DeadAnswer, DeadOrderBody, DeadQuery, HandledAnswer, JobErrorsAnswer, PurgeBody

TAG = "admin"
KEY = (Header("X-API-Key", "The key of the administrators"),)
REFUSED = (Unauthenticated, Forbidden, Unavailable)

ROUTES = (
    Route(
        "GET",
        "/api/admin/dead",
        dead.list_dead,
        "List the jobs that failed for good, newest first",
        TAG,
        Answer("A page of jobs", DeadAnswer),
        query=DeadQuery,
        before=require_admin,
        headers=KEY,
        errors=REFUSED,
    ),
    Route(
        "GET",
        "/api/admin/jobs/<job_id>/errors",
        dead.get_errors,
        "How the last ten runs that went wrong did",
        TAG,
        Answer("The job and its errors, newest first", JobErrorsAnswer),
        before=require_admin,
        headers=KEY,
        errors=(*REFUSED, NotFound),
    ),
    Route(
        "POST",
        "/api/admin/dead/replay",
        dead.replay_dead,
        "Put failed jobs back into the queue",
        TAG,
        Answer("Which are, and which are not", HandledAnswer),
        body=DeadOrderBody,
        before=require_admin,
        headers=KEY,
        errors=(BadRequest, *REFUSED),
    ),
    Route(
        "POST",
        "/api/admin/dead/purge",
        dead.purge_dead,
        "Remove failed jobs for good: rows, recordings, all that hangs on them",
        TAG,
        Answer("Which are, and which are not", HandledAnswer),
        body=PurgeBody,
        before=require_admin,
        headers=KEY,
        errors=(BadRequest, *REFUSED),
    ),
)
