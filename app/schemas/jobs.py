"""What clients send about jobs that exist."""

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, validates_schema
from marshmallow.fields import Dict, Enum, Integer
from marshmallow.validate import OneOf, Range

from app.domain.job import Mode
from app.domain.states import JobState
from app.exports.formats import FORMATS
from app.schemas.fields import JsonObject, Text

MAX_PAGE = 200
MAX_SPEAKERS = 200
MAX_EDITS = 500
MAX_SEGMENT_LENGTH = 10_000
EDITED, MACHINE = "edited", "machine"


class Strict(Schema):
    """A schema that refuses what it does not know."""

    class Meta:
        """A misspelt name must not be ignored."""

        unknown = RAISE


class ResultQuery(Strict):
    """Which job's result."""

    job_uuid = Text(required=True, metadata={"description": "The `job_uuid` that createJob gave"})


class JobsQuery(Strict):
    """Which jobs to list."""

    mode = Enum(Mode, by_value=True)
    state = Enum(JobState, by_value=True)
    q = Text(attribute="query", metadata={"description": "Words to look for in the transcripts"})
    cursor = Text(max_length=512, metadata={"description": "`next_cursor` of the page before"})
    limit = Integer(load_default=50, validate=Range(1, MAX_PAGE))


class TranscriptQuery(Strict):
    """In which format."""

    version = Text(
        load_default=EDITED,
        validate=OneOf((EDITED, MACHINE)),
        metadata={"description": "`machine`: without what people have corrected"},
    )
    format = Text(load_default="txt", validate=OneOf(tuple(FORMATS)))


class EventsQuery(Strict):
    """From where on; for clients that cannot send `Last-Event-ID`."""

    after = Integer(load_default=None, validate=Range(min=0), metadata={"description": "Only events after this `seq`"})


class JobPatchBody(Strict):
    """What to change of a job."""

    speakers = Dict(
        keys=Text(),
        values=Text(allow_none=True),
        validate=lambda names: _require_few(names),
        metadata={"description": "Names by speaker label; null takes a name away"},
    )
    metadata = JsonObject(metadata={"type": "object", "description": "Replaces the metadata"})
    segments = Dict(
        keys=Integer(strict=False),
        values=Text(max_length=MAX_SEGMENT_LENGTH, allow_none=True),
        validate=lambda texts: _require_few_edits(texts),
        metadata={"description": "Corrected texts by segment id; null gives the segment back to the machine"},
    )

    @validates_schema
    def _require_some(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError("Must hold `speakers`, `metadata` or `segments`.")


def _require_few_edits(texts: dict[int, Any]) -> None:
    if len(texts) > MAX_EDITS:
        raise ValidationError(f"More than {MAX_EDITS} segments.")


def _require_few(names: dict[str, Any]) -> None:
    if len(names) > MAX_SPEAKERS:
        raise ValidationError(f"More than {MAX_SPEAKERS} speakers.")
