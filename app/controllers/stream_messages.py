"""What a native client of a live session is told: the messages and close codes of its socket."""

import json
from typing import Any

from app.controllers.live_frames import MAX_MESSAGE_BYTES
from app.domain import errors
from app.domain.job import JobFailure
from app.domain.live import LiveSession
from app.i18n import catalogue
from app.i18n.locales import Locale
from app.services.streaming.told import Ack, Finished, FlowAsked, Partial, SaidFinal, Told, Trouble

NORMAL, REFUSED, TOO_BIG, SERVER = 1000, 1008, 1009, 1011
REFUSALS = (
    errors.BadRequest,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.NotFound,
    errors.Conflict,
    errors.TooManyRequests,
    errors.NoCapacity,
    errors.MediaError,
    errors.EngineUnavailable,
    errors.IdleTimeout,
    errors.SlowReader,
    errors.Cancelled,
)
REFUSED_CODES = frozenset(kind.code for kind in REFUSALS) | {errors.MediaUnreadable.code, errors.MediaWithoutAudio.code}

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

Problem = errors.ParloirError | JobFailure


def ready(session: LiveSession, received: int, resume_token: str | None) -> str:
    """The first message."""
    return _json(
        type="ready",
        job_uuid=session.job.id,
        resume_token=resume_token,
        received=received,
        committed=session.committed,
    )


def error(problem: Problem, locale: Locale) -> str:
    """Something is wrong."""
    told: dict[str, Any] = {"type": "error", "code": problem.code, "message": message_of(problem, locale)}
    if isinstance(problem, errors.InvalidFields):
        told["errors"] = catalogue.field_messages(problem.errors, locale)
    if "retry_after_s" in problem.params:
        told["retry_after_s"] = problem.params["retry_after_s"]
    return _json(**told)


def message_of(problem: Problem, locale: Locale) -> str:
    """What is wrong, for people."""
    if isinstance(problem, JobFailure):
        return catalogue.failure_message(problem, locale)
    return catalogue.error_message(problem, locale)


def close_code(problem: Problem) -> int:
    """The code of the close that follows a fatal error."""
    if isinstance(problem, errors.TooLarge):
        return TOO_BIG
    is_refusal = problem.code in REFUSED_CODES if isinstance(problem, JobFailure) else isinstance(problem, REFUSALS)
    return REFUSED if is_refusal else SERVER


class Native:
    """Speaks to native clients."""

    def __init__(self, locale: Locale) -> None:
        self._locale = locale

    def error(self, problem: Problem) -> str:
        """See `Dialect`."""
        return error(problem, self._locale)

    def explain(self, code: int, reason: str) -> str:
        """The message before a connection fails because of what came over it."""
        return self.error(unframed(code, reason))

    def tell(self, told: Told) -> str | None:
        """See `Dialect`."""
        return message(told, self._locale)


def unframed(code: int, reason: str) -> errors.ParloirError:
    """What is wrong with frames for which a connection fails with this close code."""
    if code == TOO_BIG:
        return errors.FrameTooLarge(limit=MAX_MESSAGE_BYTES)
    return errors.BadRequest(reason=reason or "these are no WebSocket frames")


def message(told: Told, locale: Locale) -> str | None:
    """The message for something that is told, if native clients are told it."""
    match told:
        case Partial():
            return _partial(told)
        case SaidFinal():
            return _json(type="final", seq=told.seq, segment=told.segment, speech_final=told.speech_final)
        case Ack():
            return _json(type="ack", received=told.received, committed=told.committed)
        case FlowAsked():
            return _json(type="flow", action="pause" if told.is_paused else "resume")
        case Finished():
            return _json(
                type="completed", job_uuid=told.job_id, transcription=told.text, duration=round(told.duration_s, 3)
            )
        case Trouble():
            return error(told.error, locale)
    return None


def _partial(told: Partial) -> str:
    """What is said most, put together by hand in a quarter of the time."""
    words = _ENCODER.encode(told.text)
    return f'{{"type":"partial","seq":{told.seq},"start":{told.start_s!r},"end":{told.end_s!r},"text":{words}}}'


def _json(**fields: Any) -> str:
    return _ENCODER.encode(fields)
