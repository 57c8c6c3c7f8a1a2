"""Dead letters: what administrators send about them, and what they are answered."""

from typing import Any

from marshmallow import Schema, ValidationError, validates_schema
from marshmallow.fields import AwareDateTime, Boolean, Enum, Float, Integer, List, Nested, String
from marshmallow.validate import Length, Range

from app.domain.job import Mode
from app.domain.states import JobState
from app.schemas.answers import FailureAnswer
from app.schemas.fields import AsStored, Text
from app.schemas.jobs import MAX_PAGE, Strict

MAX_IDS = 500
AGE = {"description": "Seconds since it failed"}
MAX_AGE_S = 100 * 365 * 86_400
"""More than this, and no calendar reaches so far back."""


class Filters(Strict):
    """Which dead letters; all that is given must hold."""

    code = Text(metadata={"description": "Failed with this error code"})
    project = Text(attribute="project_id")
    older_than = Float(attribute="older_than_s", validate=Range(0, MAX_AGE_S), metadata=AGE)


class DeadQuery(Filters):
    """Which dead letters to list."""

    newer_than = Float(attribute="younger_than_s", validate=Range(0, MAX_AGE_S), metadata=AGE)
    cursor = Text(max_length=512, metadata={"description": "`next_cursor` of the page before"})
    limit = Integer(load_default=50, validate=Range(1, MAX_PAGE))


class DeadOrderBody(Filters):
    """For which jobs an order is: those in `ids`, or with `all` those that the filters let through."""

    ids = List(Text(), validate=Length(1, MAX_IDS))
    all = Boolean(load_default=False, truthy={True}, falsy={False})

    @validates_schema(skip_on_field_errors=True)
    def _require_one(self, data: dict[str, Any], **_: Any) -> None:
        if ("ids" in data) == data["all"]:
            raise ValidationError("Must hold either `ids` or `all`.")
        if "ids" in data and set(data) - {"ids", "all"}:
            raise ValidationError("Filters go with `all`, not with `ids`.")


class PurgeBody(DeadOrderBody):
    """The same; what is removed with `all` must be of an age."""

    @validates_schema(skip_on_field_errors=True)
    def _require_age(self, data: dict[str, Any], **_: Any) -> None:
        if data["all"] and "older_than_s" not in data:
            raise ValidationError("Missing data for required field.", "older_than")


class DeadJobAnswer(Schema):
    """A job as an operator sees it, whatever its project."""

    job_id = String(required=True, attribute="id")
    project = String(required=True, attribute="project_id")
    mode = Enum(Mode, by_value=True, required=True)
    status = Enum(JobState, by_value=True, required=True, attribute="state")
    filename = String(required=True)
    size_bytes = Integer(required=True)
    has_recording = Boolean(required=True, metadata={"description": "false: it is no longer kept"})
    duration = Float(required=True, allow_none=True, attribute="duration_s", metadata={"description": "Seconds"})
    engine = String(required=True, allow_none=True)
    model = String(required=True, allow_none=True)
    worker = String(required=True, allow_none=True, metadata={"description": "The one that had it last"})
    attempt = Integer(required=True, metadata={"description": "Runs so far"})
    failures = Integer(required=True)
    crashes = Integer(required=True)
    releases = Integer(required=True)
    created_at = AwareDateTime(required=True)
    started_at = AwareDateTime(required=True, allow_none=True)
    finished_at = AwareDateTime(required=True, allow_none=True)
    error = AsStored(FailureAnswer, required=True, allow_none=True)


class DeadAnswer(Schema):
    """A page of dead letters, newest first; no `next_cursor`: it is the last."""

    jobs = List(Nested(DeadJobAnswer), required=True)
    next_cursor = String(allow_none=True, required=True)


class RunErrorAnswer(Schema):
    """A run that did not end well."""

    at = AwareDateTime(required=True)
    attempt = Integer(required=True)
    kind = String(required=True, metadata={"enum": ["failure", "crash"]})
    code = String(required=True)
    message = String(required=True, metadata={"description": "For operators, in English"})
    detail = String(required=True, allow_none=True, metadata={"description": "The traceback, without secrets"})
    worker = String(required=True, allow_none=True)


class JobErrorsAnswer(Schema):
    """A job with how its last runs went wrong, newest first."""

    job = Nested(DeadJobAnswer, required=True)
    errors = List(Nested(RunErrorAnswer), required=True)


class RefusalAnswer(Schema):
    """A job that was left as it is, and why."""

    job_id = String(required=True)
    code = String(required=True)
    message = String(required=True)


class HandledAnswer(Schema):
    """What came of an order; `has_more`: there are others that it is for, so give it again."""

    done = List(String(), required=True)
    refused = List(Nested(RefusalAnswer), required=True)
    has_more = Boolean(required=True)
