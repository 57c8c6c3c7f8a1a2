"""What a client asks for when it hands in a job, and what can be said against it."""

from dataclasses import asdict, dataclass, field
from typing import Any

from app.audio.sniff import estimated_duration_s, sniff
from app.domain.errors import InvalidFields, UrlRefused
from app.domain.job import JobOptions, Mode, Priority
from app.outbound.urls import checked_url
from app.services.media.storage import StoredAudio

NOT_FETCHED: dict[str, Any] = {
    "content_type": "",
    "size_bytes": 0,
    "sha256": "",
    "audio_key": None,
    "estimated_s": 60.0,
}
"""A recording that a worker is to fetch; until then it counts as one of a minute among those that wait."""


@dataclass(frozen=True, slots=True)
class SubmitJob:
    """What a client asks for, with its recording already safe on storage, or the URL that a worker fetches it from.

    An empty `filename` is made from the URL. `callback_url` is told when the job ends. A diarization may instead go on
    from a completed job, `from_job`, with its recording and what was found in it.
    """

    mode: Mode
    audio: StoredAudio | None = None
    filename: str = ""
    options: JobOptions = field(default_factory=JobOptions)
    priority: Priority = Priority.NORMAL
    metadata: dict[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    audio_url: str | None = None
    callback_url: str | None = None
    from_job: str | None = None


def recording_of(request: SubmitJob) -> dict[str, Any]:
    """What its row tells of the recording.

    Raises:
        InvalidFields: there is none, or two.
        NotAudio: it is of no kind that we read.
    """
    audio = request.audio
    if (audio is None) == (request.audio_url is None):
        raise InvalidFields({"audio_url": ["either a recording or the URL of one is needed, not both"]})
    if audio is None:
        return NOT_FETCHED
    container = sniff(audio.head)
    return {
        "content_type": container.content_type,
        "size_bytes": audio.size_bytes,
        "sha256": audio.sha256,
        "audio_key": audio.key,
        "estimated_s": estimated_duration_s(container, audio.size_bytes, audio.head),
    }


def check_urls(request: SubmitJob) -> None:
    """Refuse URLs that nobody could go to.

    Raises:
        InvalidFields: which ones, and why.
    """
    errors: dict[str, list[str]] = {}
    for field_name in ("audio_url", "callback_url"):
        url = getattr(request, field_name)
        try:
            if url is not None:
                checked_url(url)
        except UrlRefused as refusal:
            errors[field_name] = [str(refusal.params["reason"])]
    if errors:
        raise InvalidFields(errors)


def essence(request: SubmitJob) -> dict[str, Any]:
    """What makes two requests the same to an idempotency key."""
    gone_on_from = {"from_job": request.from_job} if request.from_job else {}
    return {
        **gone_on_from,
        "mode": request.mode,
        "sha256": request.audio.sha256 if request.audio else None,
        "audio_url": request.audio_url,
        "callback_url": request.callback_url,
        "options": asdict(request.options),
        "priority": request.priority,
        "metadata": request.metadata,
    }
