"""The form that makes a job, beside its file."""

from dataclasses import dataclass, field
from typing import Any

from marshmallow import RAISE, Schema, post_load
from marshmallow.fields import Boolean, Enum, Integer
from marshmallow.validate import OneOf, Range

from app.domain.job import MIXED, SEPARATE, JobOptions, Priority
from app.domain.speaker_hints import MAX_SPEAKERS
from app.schemas.fields import JsonObject, NotHere, Text, Url, WordList

MAX_PROMPT_LENGTH = 4000
OF_OPTIONS = frozenset(JobOptions.__dataclass_fields__)


def _hint(description: str, attribute: str, data_key: str) -> Integer:
    return Integer(
        attribute=attribute, data_key=data_key, validate=Range(1, MAX_SPEAKERS), metadata={"description": description}
    )


@dataclass(frozen=True, slots=True)
class JobForm:
    """What a form asks for, as plain values."""

    options: JobOptions = field(default_factory=JobOptions)
    priority: Priority = Priority.NORMAL
    metadata: dict[str, Any] = field(default_factory=dict)
    audio_url: str | None = None
    callback_url: str | None = None
    from_job: str | None = None


class RecordingForm(Schema):
    """The fields of all forms that hand a recording in."""

    class Meta:
        """What is not known is refused: a misspelt option must not be ignored."""

        unknown = RAISE

    language = Text(max_length=64, metadata={"description": "BCP 47 tag; absent: detected where the engine can"})
    engine = Text(metadata={"description": "A registered engine; absent: the configured default"})
    model = Text(metadata={"description": "A model of the engine; absent: its best one on this machine"})
    task = Text(
        validate=OneOf(("transcribe", "translate")),
        metadata={"description": "`translate` is into English, by engines that can"},
    )
    prompt = Text(max_length=MAX_PROMPT_LENGTH, metadata={"description": "Context, for engines that take it"})
    hotwords = WordList(
        metadata={
            "type": "string",
            "description": "Words to favour: a JSON list, a list with commas, or the field repeated",
        }
    )
    word_timestamps = Boolean(
        data_key="wordTimestamps", metadata={"description": "Tell the time of each word", "default": True}
    )
    trim_silence = Boolean(
        data_key="trimSilence", metadata={"description": "Leave long silences out of what is decoded", "default": False}
    )
    priority = Enum(Priority, by_value=True, metadata={"default": "normal"})
    callback_url = Url(
        data_key="callbackUrl", metadata={"description": "Is sent the signed event of every final state"}
    )
    audio_url = Url(data_key="audioUrl", metadata={"description": "Fetched by the worker, instead of `audioFile`"})
    metadata = JsonObject(
        metadata={"type": "string", "description": "A JSON object of at most 4 KiB, given back untouched"}
    )

    @post_load
    def _to_form(self, data: dict[str, Any], **_: Any) -> JobForm:
        options = {name: value for name, value in data.items() if name in OF_OPTIONS}
        rest = {name: value for name, value in data.items() if name not in OF_OPTIONS}
        return JobForm(options=JobOptions(**options), **rest)


class CreateBatchJobForm(RecordingForm):
    """The fields of POST /api/batchTranscription/createJob."""

    num_speakers = NotHere("diarization", data_key="numSpeakers", metadata={"type": "integer", "deprecated": True})
    min_speakers = NotHere("diarization", data_key="minSpeakers", metadata={"type": "integer", "deprecated": True})
    max_speakers = NotHere("diarization", data_key="maxSpeakers", metadata={"type": "integer", "deprecated": True})


class CreateDiarizationJobForm(RecordingForm):
    """The fields of POST /api/diarization/createJob."""

    job_uuid = Text(
        attribute="from_job",
        metadata={
            "description": "A completed job to go on from, instead of `audioFile`: its words, or else its speakers, "
            "are used again"
        },
    )
    num_speakers = _hint("How many speakers there are", "n_speakers", "numSpeakers")
    min_speakers = _hint("How many there are at least", "min_speakers", "minSpeakers")
    max_speakers = _hint("How many there are at most", "max_speakers", "maxSpeakers")
    transcribe = Boolean(metadata={"description": "false: only who speaks when, without words", "default": True})
    channels = Text(
        validate=OneOf((MIXED, SEPARATE)),
        metadata={
            "default": MIXED,
            "description": "`separate`: the recording is stereo, with a speaker a channel; the left one is SPEAKER_00",
        },
    )
    diarization_engine = Text(
        data_key="diarizationEngine", metadata={"description": "Absent: the best one on this machine"}
    )
    diarization_model = Text(data_key="diarizationModel", metadata={"description": "Absent: the engine's best one"})
