"""Every answer carries `X-Request-ID`; the logs of the request carry it too."""

import re
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9._-]{1,128}")


def install(app: Flask) -> None:
    """Take the client's id if it is sane, else make one."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get(HEADER, "")
        g.request_id = given if SANE.fullmatch(given) else uuid4().hex
        # A kept-alive connection is served by one greenlet: what the request before has bound is still there.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.before_request
    def name_the_job() -> None:
        job_id = (request.view_args or {}).get("job_id") or request.args.get("job_uuid")
        if job_id:
            structlog.contextvars.bind_contextvars(job_id=job_id[:64])

    @app.after_request
    def tell(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        return response
