"""Looking at the deliveries of a job, and asking for one again."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select

from app.domain.delivery import DeliveryState, DeliveryTry, DeliveryView
from app.domain.errors import NotFound
from app.domain.principal import Principal
from app.models import Delivery, DeliveryAttempt, Job
from app.outbound.urls import without_secrets
from app.services.database import Database, Work
from app.services.jobs.catalogue import find


class Deliveries:
    """The deliveries of a principal's jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_deliveries(self, principal: Principal, job_id: str) -> tuple[DeliveryView, ...]:
        """All deliveries of a job with all their tries, oldest first.

        Raises:
            NotFound: the job is unknown, or of another project.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            job = find(work, principal, job_id)
            query = select(Delivery).where(Delivery.job_id == job.id).order_by(Delivery.created_at, Delivery.id)
            return _views(work, work.session.scalars(query).all())

    def resend(self, principal: Principal, job_id: str, delivery_id: str) -> DeliveryView:
        """Have a delivery tried again at once, under the same id and with its tries counted anew.

        One that is being tried at this moment is left to that.

        Raises:
            NotFound: the job or the delivery is unknown, or of another project.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            row = _find(work, find(work, principal, job_id), delivery_id)
            if row.state != DeliveryState.PENDING:
                row.state, row.attempts, row.delivered_at = DeliveryState.PENDING, 0, None
            if row.claim is None:
                row.next_at = func.now()
            work.session.flush()
            work.session.refresh(row)
            (view,) = _views(work, [row])
            return view


def _find(work: Work, job: Job, delivery_id: str) -> Delivery:
    try:
        key = UUID(delivery_id)
    except ValueError as error:
        raise NotFound(what="delivery") from error
    row = work.session.scalar(select(Delivery).where(Delivery.id == key, Delivery.job_id == job.id).with_for_update())
    if row is None:
        raise NotFound(what="delivery")
    return row


def _views(work: Work, rows: Iterable[Delivery]) -> tuple[DeliveryView, ...]:
    rows = list(rows)
    tries: dict[UUID, list[DeliveryTry]] = defaultdict(list)
    wanted = DeliveryAttempt.delivery_id.in_([row.id for row in rows])
    for one in work.session.scalars(select(DeliveryAttempt).where(wanted).order_by(DeliveryAttempt.id)):
        tries[one.delivery_id].append(DeliveryTry(one.at, one.status, one.error, one.ms))
    return tuple(_view(row, tuple(tries[row.id])) for row in rows)


def _view(row: Delivery, tries: tuple[DeliveryTry, ...]) -> DeliveryView:
    state = DeliveryState(row.state)
    return DeliveryView(
        id=str(row.id),
        job_id=str(row.job_id),
        type=row.type,
        url=without_secrets(row.url),
        state=state,
        attempts=row.attempts,
        created_at=row.created_at,
        next_at=row.next_at if state is DeliveryState.PENDING else None,
        delivered_at=row.delivered_at,
        last_status=row.last_status,
        last_error=row.last_error,
        tries=tries,
    )
