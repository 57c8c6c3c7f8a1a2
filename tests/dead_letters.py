"""Jobs that failed for good, for tests about them."""

from datetime import timedelta

from sqlalchemy import func

from app.domain.errors import MediaEmpty, ParloirError
from app.services.media.storage import Storage
from tests.factories import House

SECRET = "hunter2hunter2"
TRACEBACK = f"""Traceback (most recent call last):
  File "/app/engines/cloud.py", line 9, in ask
    client(api_key='{SECRET}', url='https://me:{SECRET}@engine.test/?sig={SECRET}')
RuntimeError: 401 for Authorization: Bearer {SECRET}
"""


def failed(
    house: House, error: ParloirError | None = None, *, hours_ago: float = 0.0, detail: str | None = None, **columns
) -> str:
    """A job whose first run failed so that no retry can help."""
    job_id = house.add_job(**columns)
    assert house.endings.fail(house.claim(job_id), error or MediaEmpty(reason="no bytes"), detail)
    if hours_ago:
        house.change(job_id, finished_at=func.now() - timedelta(hours=hours_ago))
    return job_id


def store(storage: Storage) -> str:
    """Put a recording on storage; its key."""
    upload = storage.receive(1000)
    upload.write(b"RIFF")
    return upload.keep().key
