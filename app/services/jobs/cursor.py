"""Where a page of jobs ends: opaque to clients, a moment and an id to us."""

import base64
import binascii
import json
from datetime import datetime
from uuid import UUID

from app.domain.errors import InvalidFields


def cursor_of(moment: datetime, job_id: UUID) -> str:
    """The cursor after a row with this moment and id."""
    text = json.dumps([moment.isoformat(), str(job_id)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position_of(cursor: str) -> tuple[datetime, UUID]:
    """The moment and the id that `cursor_of` was given.

    Raises:
        InvalidFields: it gave no such cursor.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, job_id = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        return datetime.fromisoformat(moment), UUID(job_id)
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise InvalidFields({"cursor": ["is not a cursor that this service gave"]}) from error
