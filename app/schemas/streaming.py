"""What clients of the streaming mode send: how a session is to be, and what is said on its socket beside sound."""

from dataclasses import dataclass, field
from typing import Any

from marshmallow import post_load
from marshmallow.fields import Boolean, Integer
from marshmallow.validate import OneOf, Range

from app.domain.job import JobOptions
from app.domain.live import ENCODINGS, StreamSpec
from app.schemas.create_job import OF_OPTIONS
from app.schemas.fields import JsonObject, Text, WordList
from app.schemas.jobs import Strict

OF_SPEC = frozenset(StreamSpec.__dataclass_fields__)
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000


@dataclass(frozen=True, slots=True)
class StreamForm:
    """What a client asks for, as plain values."""

    options: JobOptions = field(default_factory=JobOptions)
    spec: StreamSpec = field(default_factory=StreamSpec)
    metadata: dict[str, Any] = field(default_factory=dict)


class OpenStreamForm(Strict):
    """The fields of POST /api/streamingTranscription/createJob; also the query of a socket that opens its own job."""

    language = Text(max_length=64, metadata={"description": "BCP 47 tag; absent: the configured default"})
    engine = Text(metadata={"description": "A registered engine; absent: the configured default"})
    model = Text(metadata={"description": "A model of the engine; absent: its best one on this machine"})
    hotwords = WordList(metadata={"type": "string", "description": "Words to favour: a list, or text with commas"})
    rate_hz = Integer(
        data_key="sampleRate",
        strict=False,
        validate=Range(MIN_RATE_HZ, MAX_RATE_HZ),
        metadata={"description": "Samples a second; of no meaning for `opus`", "default": 16_000},
    )
    encoding = Text(
        validate=OneOf(ENCODINGS),
        metadata={"description": "`opus`: in webm or ogg, as browsers record it", "default": "pcm_s16le"},
    )
    interim_results = Boolean(
        data_key="interimResults", metadata={"description": "Tell what may be being said", "default": True}
    )
    endpoint_ms = Integer(
        data_key="endpointMs",
        validate=Range(100, 10_000),
        metadata={"description": "Silence that ends an utterance", "default": 700},
    )
    keep_audio = Boolean(data_key="keepAudio", metadata={"description": "Keep the sound", "default": False})
    refine = Boolean(
        metadata={
            "description": "Transcribe it anew, and tell speakers apart, in the background at the end",
            "default": False,
        }
    )
    metadata = JsonObject(metadata={"type": "object", "description": "At most 4 KiB, given back untouched"})

    @post_load
    def _to_form(self, data: dict[str, Any], **_: Any) -> StreamForm:
        options = {name: value for name, value in data.items() if name in OF_OPTIONS}
        spec = {name: value for name, value in data.items() if name in OF_SPEC}
        return StreamForm(JobOptions(**options), StreamSpec(**spec), data.get("metadata", {}))


class ResumeQuery(Strict):
    """The query of a socket that goes on with a session."""

    job_uuid = Text(required=True, metadata={"description": "The session"})
    resume_token = Text(
        load_default=None, metadata={"description": "What `ready` told the first connection; later ones need it"}
    )
    after = Integer(
        load_default=0, validate=Range(min=0), metadata={"description": "The last `final` that the client has"}
    )


class StreamQuery(OpenStreamForm):
    """Both kinds of query of a socket, for the docs."""

    job_uuid = Text(metadata={"description": "A session to go on with; without it the socket opens one"})
    resume_token = ResumeQuery._declared_fields["resume_token"]
    after = ResumeQuery._declared_fields["after"]


class SocketMessage(Strict):
    """A text message of a client."""

    type = Text(required=True, validate=OneOf(("keepalive", "finalize", "stop")))
