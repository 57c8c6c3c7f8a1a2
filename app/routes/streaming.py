"""The streaming mode."""

from http import HTTPStatus

from app.controllers import intake, stream_native, streaming
from app.domain.errors import BadRequest, NoCapacity, NotFound, TooManySessions, Unavailable
from app.routes.route import Answer, Route, Socket
from app.schemas.answers import ResultAnswer, StreamAcceptedAnswer
from app.schemas.jobs import ResultQuery
from app.schemas.streaming import OpenStreamForm, StreamQuery

BASE = "/api/streamingTranscription"
TAG = "streaming"

ROUTES = (
    Route(
        "POST",
        f"{BASE}/createJob",
        streaming.create_stream,
        "Make a live session",
        TAG,
        Answer("It waits for its socket", StreamAcceptedAnswer, HTTPStatus.ACCEPTED),
        either=OpenStreamForm,
        errors=(TooManySessions, NoCapacity, Unavailable),
    ),
    Route(
        "GET",
        f"{BASE}/result",
        streaming.get_stream_result,
        "What was said, or what has been said so far",
        TAG,
        Answer("The result, or what there is of it", ResultAnswer),
        query=ResultQuery,
        before=intake.require_job_uuid,
        errors=(BadRequest, NotFound, Unavailable),
    ),
)

SOCKETS = (
    Socket(
        f"{BASE}/stream",
        stream_native.admit_native,
        stream_native.stream,
        "Speak, and be told the words (WebSocket); without job_uuid it opens a session with the options of createJob",
        TAG,
        (StreamQuery,),
    ),
)
