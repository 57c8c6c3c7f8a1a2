"""Tables, one a file."""

from app.models.base import Base
from app.models.delivery import Delivery
from app.models.delivery_attempt import DeliveryAttempt
from app.models.idempotency_key import IdempotencyKey
from app.models.job import Job
from app.models.job_error import JobError
from app.models.job_part import JobPart
from app.models.job_peaks import JobPeaks
from app.models.job_segment import JobSegment
from app.models.job_transcript import JobTranscript
from app.models.job_turns import JobTurns
from app.models.project import Project
from app.models.stream_session import StreamSession
from app.models.stream_sound import StreamSound

__all__ = [
    "Base",
    "Delivery",
    "DeliveryAttempt",
    "IdempotencyKey",
    "Job",
    "JobError",
    "JobPart",
    "JobPeaks",
    "JobSegment",
    "JobTranscript",
    "JobTurns",
    "Project",
    "StreamSession",
    "StreamSound",
]
