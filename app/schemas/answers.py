"""What the native family answers: the shapes, as the docs tell them and as they are dumped."""

from marshmallow import Schema
from marshmallow.fields import AwareDateTime, Boolean, Dict, Enum, Float, Integer, List, Nested, Raw, String

from app.domain.job import Mode, Priority
from app.domain.states import JobState
from app.schemas.fields import AsStored


class WordAnswer(Schema):
    """A word; times in seconds from the start of the recording."""

    word = String(required=True)
    start = Float(required=True)
    end = Float(required=True)
    confidence = Float(required=True, allow_none=True)
    speaker = String(required=True, allow_none=True)


class SegmentAnswer(Schema):
    """A stretch of speech that reads as one line."""

    id = Integer(required=True)
    start = Float(required=True)
    end = Float(required=True)
    text = String(required=True)
    speaker = String(required=True, allow_none=True)
    confidence = Float(required=True, allow_none=True)
    words = List(AsStored(WordAnswer), required=True)


class SpeakerAnswer(Schema):
    """A voice; `speaking_time` in seconds."""

    label = String(required=True)
    name = String(required=True, allow_none=True)
    speaking_time = Float(required=True)


class TurnAnswer(Schema):
    """A stretch in which one voice speaks; those of different voices may overlap. Times in seconds."""

    start = Float(required=True)
    end = Float(required=True)
    speaker = String(required=True)


class FailureAnswer(Schema):
    """Why a job failed."""

    code = String(required=True)
    message = String(required=True)
    retryable = Boolean(required=True)
    attempts = Integer(required=True)


class AcceptedAnswer(Schema):
    """A job was taken in."""

    job_uuid = String(required=True)
    status = String(required=True, metadata={"description": "For people, in their language"})
    state = Enum(JobState, by_value=True, required=True)
    position = Integer(allow_none=True, required=True, metadata={"description": "1 is next; null: not known"})
    result_url = String(required=True)
    events_url = String(required=True)


class StreamAcceptedAnswer(AcceptedAnswer):
    """A live session was made."""

    ws_url = String(required=True, metadata={"description": "Where its socket is"})


class OptionsAnswer(Schema):
    """How the job was asked for."""

    language = String(allow_none=True)
    engine = String(allow_none=True)
    model = String(allow_none=True)
    task = String()
    prompt = String(allow_none=True)
    hotwords = List(String())
    word_timestamps = Boolean(data_key="wordTimestamps")
    trim_silence = Boolean(data_key="trimSilence")


class DiarizationOptionsAnswer(OptionsAnswer):
    """How a diarization was asked for."""

    transcribe = Boolean()
    channels = String()
    n_speakers = Integer(data_key="numSpeakers", allow_none=True)
    min_speakers = Integer(data_key="minSpeakers", allow_none=True)
    max_speakers = Integer(data_key="maxSpeakers", allow_none=True)
    diarization_engine = String(data_key="diarizationEngine", allow_none=True)
    diarization_model = String(data_key="diarizationModel", allow_none=True)


class JobAnswer(Schema):
    """A job, without its transcript."""

    job_id = String(required=True)
    job_uuid = String(required=True)
    status = Enum(JobState, by_value=True, required=True)
    mode = Enum(Mode, by_value=True, required=True)
    progress = Float(required=True, metadata={"description": "0…1"})
    position = Integer(metadata={"description": "While queued: 1 is next"})
    eta_seconds = Float(metadata={"description": "While it runs, once it can be told"})
    priority = Enum(Priority, by_value=True)
    filename = String()
    content_type = String()
    size_bytes = Integer()
    cancel_requested = Boolean()
    language = String(allow_none=True)
    duration = Float(allow_none=True, metadata={"description": "Seconds"})
    engine = String(allow_none=True)
    model = String(allow_none=True)
    created_at = AwareDateTime(required=True)
    started_at = AwareDateTime(allow_none=True)
    finished_at = AwareDateTime(allow_none=True)
    error = AsStored(FailureAnswer)
    options = AsStored(DiarizationOptionsAnswer, metadata={"description": "The last seven: of diarizations only"})
    metadata = Raw(metadata={"type": "object"})
    refined_by = List(String(), metadata={"description": "Of a live session: the jobs that do it anew"})
    source_id = String(metadata={"description": "Of a job that does a live session anew: that session"})
    result_url = String()
    events_url = String()


class ResultAnswer(Schema):
    """A job's result; `transcription`, `segments`, `speakers` and `turns` only once it is completed."""

    job_id = String(required=True)
    job_uuid = String(required=True)
    status = Enum(JobState, by_value=True, required=True)
    mode = Enum(Mode, by_value=True, required=True)
    progress = Float(required=True, metadata={"description": "0…1"})
    position = Integer(metadata={"description": "While queued: 1 is next"})
    eta_seconds = Float(metadata={"description": "While it runs, once it can be told"})
    language = String(allow_none=True)
    duration = Float(allow_none=True, metadata={"description": "Seconds"})
    engine = String(allow_none=True)
    model = String(allow_none=True)
    created_at = AwareDateTime(required=True)
    started_at = AwareDateTime(allow_none=True)
    finished_at = AwareDateTime(allow_none=True)
    transcription = String()
    segments = List(AsStored(SegmentAnswer))
    speakers = List(AsStored(SpeakerAnswer))
    turns = List(AsStored(TurnAnswer), metadata={"description": "Of jobs that were diarized; else empty"})
    warnings = List(String())
    refined_by = List(String(), metadata={"description": "Of a live session: the jobs that do it anew"})
    source_id = String(metadata={"description": "Of a job that does a live session anew: that session"})
    error = AsStored(FailureAnswer)
    metadata = Raw(metadata={"type": "object"})


class JobsAnswer(Schema):
    """A page of jobs, newest first; no `next_cursor`: it is the last."""

    jobs = List(Nested(JobAnswer), required=True)
    next_cursor = String(allow_none=True, required=True)


class EditAnswer(Schema):
    """A segment that people have corrected, as it is now, and what the machine heard there."""

    segment = AsStored(SegmentAnswer, required=True)
    machine_text = String(required=True)


class EditsAnswer(Schema):
    """The corrected segments, in order."""

    edits = List(AsStored(EditAnswer), required=True)


class PeaksAnswer(Schema):
    """The outline of a recording."""

    bucket_seconds = Float(required=True)
    buckets = Integer(required=True)
    peaks = String(
        required=True,
        metadata={"format": "byte", "description": "Base64: least and greatest sample of each bucket, −127…127"},
    )


class DeletedAnswer(Schema):
    """A job is gone."""

    job_id = String(required=True)
    deleted = Boolean(required=True)


class QueueAnswer(Schema):
    """A queue; `hints` is null while Redis cannot be asked."""

    waiting = Integer()
    running = Integer()
    oldest_seconds = Float()
    hints = Integer(allow_none=True)


class WorkersAnswer(Schema):
    """The workers of a mode: processes, places for jobs, places taken."""

    processes = Integer()
    slots = Integer()
    busy = Integer()


class HealthAnswer(Schema):
    """How the service is doing."""

    status = String(metadata={"enum": ["healthy", "unhealthy"]})
    queue_size = Integer(metadata={"description": "Jobs that wait, over all queues"})
    database = String(metadata={"enum": ["up", "down"]})
    redis = String(metadata={"enum": ["up", "down"]})
    queues = Dict(keys=String(), values=AsStored(QueueAnswer))
    workers = Dict(keys=String(), values=AsStored(WorkersAnswer))


class OperationsAnswer(Schema):
    """The service at this moment; an empty list of queues: the database cannot be asked."""

    at = String(required=True)
    database = Boolean(required=True)
    redis = Boolean(required=True)
    queues = List(Raw(metadata={"type": "object"}), required=True)
    workers = List(Raw(metadata={"type": "object"}), required=True)
    last_hour = Raw(metadata={"type": "object"})
    storage = Raw(metadata={"type": "object"})


class LiveAnswer(Schema):
    """This process answers."""

    status = String(metadata={"enum": ["live"]})


class ErrorAnswer(Schema):
    """Something was wrong."""

    status = String(required=True, metadata={"enum": ["error"]})
    message = String(required=True, metadata={"description": "For people, in their language"})
    code = String(required=True, metadata={"description": "For programs; never changes"})
    errors = Dict(keys=String(), values=List(String()), metadata={"description": "With 422: messages by field"})
