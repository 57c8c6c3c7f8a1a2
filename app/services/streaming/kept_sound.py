"""The sound of a live session, from the pieces that were stored with its finals to one seekable recording."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import func, select

from app.audio.peaks import PeakMeter
from app.audio.sound import RATE_HZ, Pcm
from app.domain.peaks import Peaks
from app.models import StreamSound
from app.services.database import Database
from app.services.media.storage import Storage, StoredAudio

SAMPLE_BYTES = 2
FULL_SCALE = 32_768
PIECES_AT_ONCE = 50
MOST_BYTES = 2**32 - 1
"""What a WAV file can tell of its size; beyond that (37 hours) readers take the rest as it comes."""


@dataclass(frozen=True, slots=True)
class KeptSound:
    """A recording on storage, and its outline."""

    stored: StoredAudio
    peaks: Peaks


def wav_header(n_bytes: int) -> bytes:
    """The head of a WAV file of so many bytes of sound: 16 kHz, mono, signed 16-bit."""
    size = min(n_bytes, MOST_BYTES - 36)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * SAMPLE_BYTES, SAMPLE_BYTES, 16)
    return struct.pack("<4sI4s", b"RIFF", size + 36, b"WAVE") + form + struct.pack("<4sI", b"data", size)


def join(database: Database, storage: Storage, job_id: str) -> KeptSound | None:
    """Put the pieces of a session together on storage, a few at a time, and draw them; None if there is no sound.

    Raises:
        StorageFull: no room is left.
        Unavailable: PostgreSQL or the storage cannot be reached.
    """
    n_bytes = _n_bytes(database, job_id)
    if not n_bytes:
        return None
    upload, meter = storage.receive(n_bytes + 44), PeakMeter()
    try:
        upload.write(wav_header(n_bytes))
        for piece in _pieces(database, job_id):
            upload.write(piece)
            meter.feed(_samples(piece))
        return KeptSound(upload.keep(), meter.peaks())
    finally:
        upload.drop()


def _samples(piece: bytes) -> Pcm:
    samples: Pcm = np.frombuffer(piece, "<i2").astype(np.float32)
    samples /= FULL_SCALE
    return samples


def _n_bytes(database: Database, job_id: str) -> int:
    total = select(func.sum(func.octet_length(StreamSound.pcm))).where(StreamSound.job_id == UUID(job_id))
    with database.work() as work:
        return int(work.session.scalar(total) or 0)


def _pieces(database: Database, job_id: str) -> Iterator[bytes]:
    after = -1
    while True:
        page = (
            select(StreamSound.start_sample, StreamSound.pcm)
            .where(StreamSound.job_id == UUID(job_id), StreamSound.start_sample > after)
            .order_by(StreamSound.start_sample)
            .limit(PIECES_AT_ONCE)
        )
        with database.work() as work:
            rows = work.session.execute(page).all()
        yield from (bytes(row.pcm) for row in rows)
        if len(rows) < PIECES_AT_ONCE:
            return
        after = rows[-1].start_sample
