"""The end of a run that found all that its job was for."""

from app.domain.transcript import Transcript
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.endings import Endings


class Whole:
    """Completes jobs with the transcript of one run."""

    def __init__(self, endings: Endings) -> None:
        self._endings = endings

    def is_known(self, job: ClaimedJob) -> bool:  # noqa: ARG002 - what was found is kept with the end, never before
        """Whether an earlier run has found it already."""
        return False

    def keep(self, job: ClaimedJob, found: Transcript) -> bool:
        """PROCESSING → COMPLETED; False if the job was no longer this run's.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        return self._endings.complete(job, found)
