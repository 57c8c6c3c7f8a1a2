"""The diarization mode."""

from http import HTTPStatus

from app.controllers import diarization, intake
from app.domain.errors import (
    BadRequest,
    Conflict,
    KeyInUse,
    KeyMismatch,
    NotAudio,
    NotFound,
    RecordingRemoved,
    StorageFull,
    TooLarge,
    Unavailable,
)
from app.routes.route import Answer, Header, Route
from app.schemas.answers import AcceptedAnswer, ResultAnswer
from app.schemas.create_job import CreateDiarizationJobForm
from app.schemas.jobs import ResultQuery

BASE = "/api/diarization"
TAG = "diarization"
MALFORMED = (BadRequest, TooLarge, NotAudio)
NOT_TO_GO_ON_FROM = (NotFound, Conflict, RecordingRemoved)

ROUTES = (
    Route(
        "POST",
        f"{BASE}/createJob",
        diarization.create_diarization_job,
        "Hand in a recording, or name a job, to be told who speaks when",
        TAG,
        Answer(
            "It is safe and will be diarized",
            AcceptedAnswer,
            HTTPStatus.ACCEPTED,
        ),
        form=CreateDiarizationJobForm,
        file_field=intake.FILE,
        headers=(Header("Idempotency-Key", "Sent again with the same key, a request makes no second job"),),
        errors=(
            BadRequest,
            TooLarge,
            NotAudio,
            NotFound,
            Conflict,
            RecordingRemoved,
            KeyInUse,
            KeyMismatch,
            Unavailable,
            StorageFull,
        ),
    ),
    Route(
        "GET",
        f"{BASE}/result",
        diarization.get_diarization_result,
        "Who said what, or how far it is",
        TAG,
        Answer("The result, or how far it is", ResultAnswer),
        query=ResultQuery,
        before=intake.require_job_uuid,
        errors=(BadRequest, NotFound, Unavailable),
    ),
)
