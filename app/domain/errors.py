"""Everything that can go wrong, as one tree.

    ParloirError
    ├── BadRequest            malformed: a part is missing or cannot be read
    │   ├── InvalidFields     well-formed, but values are wrong; names each field
    │   └── HalfSample        a live session's sound ends within a sample
    ├── Unauthenticated       who asks is not known
    ├── Forbidden             who asks is known, and may not
    │   └── TokenRefused      to go on with a live session takes its token
    ├── NotFound              no such thing, or it belongs to someone else
    ├── Conflict              the thing is not in a state that allows this
    │   ├── RefusedTransition
    │   ├── RecordingRemoved  nothing is left to do it again with
    │   ├── KeyInUse
    │   └── TakenOver         another connection has the live session now
    ├── KeyMismatch           an idempotency key seen before with another body
    ├── TooLarge
    │   └── FrameTooLarge     a message on a socket
    ├── NotAudio
    ├── TooManyRequests
    │   └── TooManySessions   a project has all the live sessions it may have
    ├── Unavailable           a backing service is down; retrying helps
    │   ├── StorageFull
    │   ├── NoCapacity        no worker has room for another live session
    │   └── StreamLost        what was sent and not yet heard is lost; it is to be sent again
    ├── MediaError            found out by a worker: the recording cannot be used
    │   ├── MediaUnreadable
    │   ├── MediaEmpty
    │   ├── MediaWithoutAudio
    │   ├── MediaTooLong
    │   └── MediaNotStereo    a speaker a channel was asked for, and there are not two
    ├── UrlRefused            an address that this service does not go to
    ├── DownloadFailed        a recording could not be fetched just now
    ├── DownloadDenied        a recording cannot be fetched, now or later
    ├── EngineError           the engine could not do it
    │   ├── EngineUnavailable what was asked for is not on this machine
    │   └── OutOfMemory
    ├── ChildDied             the process that did the work was lost
    ├── NeverConnected        no sound ever came for a live session
    ├── IdleTimeout           nothing came on a live session's socket
    ├── SlowReader            what a live session's client is told is not read
    ├── Poisoned              the job takes its worker down whenever it runs
    └── Cancelled             somebody asked for it

Each has a stable `code`, a docstring whose first line is its English message (`{name}` is filled from
the keyword arguments), and says whether trying the same thing again can help. None knows HTTP.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ParloirError(Exception):
    """Something went wrong inside the service."""

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(self, **params: Any) -> None:
        self.params: dict[str, Any] = params
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes: pickled as their class and parameters."""
        return _rebuilt, (type(self), self.params)

    @property
    def message(self) -> str:
        """The English message, with its parameters filled in."""
        template = (type(self).__doc__ or self.code).split("\n", 1)[0]
        return template.format_map(_Lenient(self.params))


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def _rebuilt(kind: type[ParloirError], params: dict[str, Any]) -> ParloirError:
    return kind(**params)


class BadRequest(ParloirError):
    """The request cannot be read: {reason}."""

    code = "bad_request"


class InvalidFields(BadRequest):
    """Some values are not valid."""

    code = "invalid_fields"

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.errors: dict[str, list[str]] = {field: list(messages) for field, messages in errors.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with the fields' messages."""
        return InvalidFields, (self.errors,)


class HalfSample(BadRequest):
    """The sound ends in the middle of a sample; its last {n_bytes} bytes are left out."""

    code = "half_sample"


class Unauthenticated(ParloirError):
    """This needs a valid key in the header X-API-Key."""

    code = "unauthenticated"


class Forbidden(ParloirError):
    """This is for administrators only."""

    code = "forbidden"


class TokenRefused(Forbidden):
    """To go on with this session takes the resume_token that its first connection was given."""

    code = "token_refused"


class NotFound(ParloirError):
    """No {what} with this id."""

    code = "not_found"


class Conflict(ParloirError):
    """The job is {state}, which does not allow this."""

    code = "conflict"


class RefusedTransition(Conflict):
    """A job that is {old} cannot become {new}."""

    code = "refused_transition"


class RecordingRemoved(Conflict):
    """The recording of this job is no longer kept, so it cannot be done again; hand it in anew."""

    code = "recording_removed"


class KeyInUse(Conflict):
    """The first request with this idempotency key is still being taken in."""

    code = "idempotency_key_in_use"
    retryable = True


class TakenOver(Conflict):
    """Another connection has taken over this session."""

    code = "taken_over"


class KeyMismatch(ParloirError):
    """This idempotency key was used before with another request."""

    code = "idempotency_key_mismatch"


class TooLarge(ParloirError):
    """The upload is larger than the {limit} bytes allowed."""

    code = "too_large"


class FrameTooLarge(TooLarge):
    """A message is larger than the {limit} bytes allowed; send the sound in smaller pieces."""

    code = "frame_too_large"


class NotAudio(ParloirError):
    """This file is not a recording we can read; send {accepted}."""

    code = "not_audio"


class TooManyRequests(ParloirError):
    """Too many requests; try again in {retry_after_s} s."""

    code = "too_many_requests"
    retryable = True


class TooManySessions(TooManyRequests):
    """This project may have {limit} live sessions at once, and has them."""

    code = "too_many_sessions"


class Unavailable(ParloirError):
    """The {service} cannot be reached just now."""

    code = "unavailable"
    retryable = True


class StorageFull(Unavailable):
    """There is no room left to store recordings."""

    code = "storage_full"


class NoCapacity(Unavailable):
    """No worker has room for another live session just now; try again in {retry_after_s} s."""

    code = "no_capacity"


class StreamLost(Unavailable):
    """Sound that was not yet heard is lost; connect again and send what comes after the last committed sample."""

    code = "stream_lost"


class MediaError(ParloirError):
    """The recording cannot be used."""

    code = "media_error"


class MediaUnreadable(MediaError):
    """The recording cannot be decoded: {reason}."""

    code = "media_unreadable"


class MediaEmpty(MediaError):
    """The recording holds no sound: {reason}."""

    code = "media_empty"


class MediaWithoutAudio(MediaError):
    """The file has no audio track."""

    code = "media_without_audio"


class MediaTooLong(MediaError):
    """The recording is longer than the {limit_s} s allowed."""

    code = "media_too_long"


class MediaNotStereo(MediaError):
    """The recording has not two channels, which `channels=separate` needs: one for each speaker."""

    code = "media_not_stereo"


class UrlRefused(ParloirError):
    """The URL is refused: {reason}."""

    code = "url_refused"


class DownloadFailed(ParloirError):
    """The recording could not be downloaded: {reason}."""

    code = "download_failed"
    retryable = True


class DownloadDenied(ParloirError):
    """The recording cannot be downloaded: {reason}."""

    code = "download_denied"


class EngineError(ParloirError):
    """The engine failed: {reason}."""

    code = "engine_error"
    retryable = True


class EngineUnavailable(EngineError):
    """The engine {engine} cannot serve this: {reason}."""

    code = "engine_unavailable"
    retryable = False


class OutOfMemory(EngineError):
    """The engine ran out of memory."""

    code = "out_of_memory"


class ChildDied(ParloirError):
    """The process that did the work ended: {reason}."""

    code = "child_died"
    retryable = True


class NeverConnected(ParloirError):
    """Nobody connected to this session within {limit_s} s."""

    code = "never_connected"


class IdleTimeout(ParloirError):
    """Nothing was sent for {idle_s} s; send sound or keepalives, or connect again to go on."""

    code = "idle_timeout"


class SlowReader(ParloirError):
    """What is told here was not read for {stuck_s} s."""

    code = "slow_reader"


class Poisoned(ParloirError):
    """The job took its worker down {crashes} times and is not tried again."""

    code = "poisoned"


class Cancelled(ParloirError):
    """The job was cancelled."""

    code = "cancelled"
