"""The batch mode."""

from http import HTTPStatus

from app.controllers import batch, intake
from app.domain.errors import BadRequest, KeyInUse, KeyMismatch, NotAudio, NotFound, StorageFull, TooLarge, Unavailable
from app.routes.route import Answer, Header, Route
from app.schemas.answers import AcceptedAnswer, ResultAnswer
from app.schemas.create_job import CreateBatchJobForm
from app.schemas.jobs import ResultQuery

BASE = "/api/batchTranscription"
TAG = "batch"

ROUTES = (
    Route(
        "POST",
        f"{BASE}/createJob",
        batch.create_job,
        "Hand in a recording",
        TAG,
        Answer("It is safe and will be transcribed", AcceptedAnswer, HTTPStatus.ACCEPTED),
        form=CreateBatchJobForm,
        file_field=intake.FILE,
        headers=(Header("Idempotency-Key", "Sent again with the same key, a request makes no second job"),),
        errors=(BadRequest, TooLarge, NotAudio, KeyInUse, KeyMismatch, Unavailable, StorageFull),
    ),
    Route(
        "GET",
        f"{BASE}/result",
        batch.get_result,
        "What was said, or how far it is",
        TAG,
        Answer("The result, or how far it is", ResultAnswer),
        query=ResultQuery,
        before=intake.require_job_uuid,
        errors=(BadRequest, NotFound, Unavailable),
    ),
)
