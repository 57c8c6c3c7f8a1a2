"""Writing down what has to be told, in the transaction that makes it true."""

from uuid import uuid4

from app.domain.delivery import DeliveryState
from app.models import Delivery, Job
from app.outbound.urls import host_of
from app.services.database import Work
from app.services.delivery.event import job_event


def owe(work: Work, job: Job) -> None:
    """Owe the end of a job to whoever asked to be told; it is delivered if, and only if, `work` is committed."""
    if job.callback_url is None:
        return
    event = job_event(job)
    work.session.add(
        Delivery(
            id=uuid4(),
            job_id=job.id,
            project_id=job.project_id,
            url=job.callback_url,
            host=host_of(job.callback_url),
            type=event["type"],
            payload=event,
            state=DeliveryState.PENDING,
        )
    )
