"""The life of a job, as a table.

QUEUED ──claim──► PROCESSING ──finish──► COMPLETED | FAILED | CANCELLED
   │  ▲               │
   │  └──retry────────┘         (also: crash, release, stall)
   ├──cancel──► CANCELLED
   └──give up──► FAILED       (a live session that nobody connects to)
FAILED | CANCELLED ──resubmit──► QUEUED   (asked for by a person)
"""

from enum import StrEnum

from app.domain.errors import RefusedTransition


class JobState(StrEnum):
    """Where a job is in its life; stored once, rendered by each family in its own words."""

    QUEUED = "QUEUED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended; only a person's retry leaves such a state."""
        return self in FINAL_STATES


FINAL_STATES = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})

EDGES: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.PROCESSING, JobState.CANCELLED, JobState.FAILED}),
    JobState.PROCESSING: FINAL_STATES | {JobState.QUEUED},
    JobState.COMPLETED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}


def transition(old: JobState, new: JobState) -> JobState:
    """Return `new` if the edge exists.

    Raises:
        RefusedTransition: no such edge.
    """
    if new not in EDGES[old]:
        raise RefusedTransition(old=old.value, new=new.value)
    return new
