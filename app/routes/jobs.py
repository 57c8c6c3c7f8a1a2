"""The life of a job, whatever its mode."""

from app.controllers import deliveries, events, jobs, recordings, sockets, transcripts
from app.domain.errors import Conflict, NotFound, Unavailable
from app.exports.formats import FORMATS
from app.routes.route import Answer, Header, Route, Socket
from app.schemas.answers import DeletedAnswer, EditsAnswer, JobAnswer, JobsAnswer, PeaksAnswer
from app.schemas.deliveries import DeliveriesAnswer, DeliveryAnswer
from app.schemas.jobs import EventsQuery, JobPatchBody, JobsQuery, TranscriptQuery

TAG = "jobs"
JOB = "/api/jobs/<job_id>"
KNOWN = (NotFound, Unavailable)
A_JOB = Answer("The job", JobAnswer)
A_FILE = Answer("The file", content_types=tuple(sorted({one.content_type for one in FORMATS.values()})))
RANGE = Header("Range", "One range of bytes; answered with 206")

ROUTES = (
    Route(
        "GET",
        "/api/jobs",
        jobs.list_jobs,
        "List and search, newest first",
        TAG,
        Answer("A page of jobs", JobsAnswer),
        query=JobsQuery,
        errors=(Unavailable,),
    ),
    Route("GET", JOB, jobs.get_job, "Look at one", TAG, A_JOB, errors=KNOWN),
    Route(
        "PATCH",
        JOB,
        jobs.update_job,
        "Rename speakers, correct the text, replace the metadata",
        TAG,
        A_JOB,
        body=JobPatchBody,
        errors=KNOWN,
    ),
    Route(
        "DELETE",
        JOB,
        jobs.delete_job,
        "Remove it: row, recording, transcript",
        TAG,
        Answer("It is gone", DeletedAnswer),
        errors=KNOWN,
    ),
    Route("POST", f"{JOB}/cancel", jobs.cancel_job, "Stop it", TAG, A_JOB, errors=(Conflict, *KNOWN)),
    Route("POST", f"{JOB}/retry", jobs.retry_job, "Do it again", TAG, A_JOB, errors=(Conflict, *KNOWN)),
    Route(
        "GET",
        f"{JOB}/transcript",
        transcripts.get_transcript,
        "Take the transcript away",
        TAG,
        A_FILE,
        query=TranscriptQuery,
        errors=(Conflict, *KNOWN),
    ),
    Route(
        "GET",
        f"{JOB}/audio",
        recordings.get_audio,
        "Hear the recording",
        TAG,
        Answer("The recording, or a range of it", content_types=("audio/*",)),
        headers=(RANGE,),
        errors=KNOWN,
    ),
    Route(
        "GET",
        f"{JOB}/edits",
        transcripts.get_edits,
        "What people have corrected",
        TAG,
        Answer("What the machine heard there", EditsAnswer),
        errors=KNOWN,
    ),
    Route(
        "GET",
        f"{JOB}/peaks",
        recordings.get_peaks,
        "The outline of the recording, for drawing it",
        TAG,
        Answer("Its buckets", PeaksAnswer),
        errors=KNOWN,
    ),
    Route(
        "GET",
        f"{JOB}/events",
        events.stream_events,
        "Be told what happens (server-sent events)",
        TAG,
        Answer("Events until it ends", content_types=("text/event-stream",)),
        query=EventsQuery,
        headers=(Header("Last-Event-ID", "Go on after this event"),),
        errors=KNOWN,
    ),
    Route(
        "GET",
        f"{JOB}/deliveries",
        deliveries.list_deliveries,
        "What was told to its callback URL, with each try",
        TAG,
        Answer("All deliveries, oldest first", DeliveriesAnswer),
        errors=KNOWN,
    ),
    Route(
        "POST",
        f"{JOB}/deliveries/<delivery_id>/resend",
        deliveries.resend_delivery,
        "Deliver it again, at once",
        TAG,
        Answer("The delivery, due again", DeliveryAnswer),
        errors=KNOWN,
    ),
)

SOCKETS = (Socket(f"{JOB}/ws", sockets.admit, sockets.watch_job, "Be told what happens (WebSocket)", TAG),)
