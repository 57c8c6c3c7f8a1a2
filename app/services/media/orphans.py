"""Recordings that belong to no job: what a crash between storage and table has left behind."""

from collections.abc import Sequence
from itertools import islice

from sqlalchemy import select

from app.models import Job
from app.services.database import Database
from app.services.media.folder import FolderStorage

PAGE = 500


def remove_orphans(database: Database, storage: FolderStorage, older_than_s: float) -> int:
    """Remove the recordings that no row knows of; returns how many.

    Younger ones are left alone: a recording is stored before its row is written.

    Raises:
        Unavailable: PostgreSQL cannot be reached.
    """
    keys = storage.kept_keys(older_than_s)
    return sum(_remove_unknown(database, storage, page) for page in iter(lambda: list(islice(keys, PAGE)), []))


def _remove_unknown(database: Database, storage: FolderStorage, keys: Sequence[str]) -> int:
    orphans = set(keys) - _known(database, keys)
    for key in orphans:
        storage.delete(key)
    return len(orphans)


def _known(database: Database, keys: Sequence[str]) -> set[str]:
    with database.work() as work:
        return {key for key in work.session.scalars(select(Job.audio_key).where(Job.audio_key.in_(keys))) if key}
