"""Making a diarization: the client's job, and beside it the hidden jobs that bring its words."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.domain.job import JobOptions
from app.domain.principal import Principal
from app.engines.diarizers import AUTO, DiarizerRegistry
from app.models import Job
from app.services.database import Work
from app.services.diarization.asking import checked_diarization, refuse_hints
from app.services.diarization.half_rows import half_rows, insert_halves
from app.services.diarization.sources import Source, copy_turns, copy_words, find_source
from app.services.jobs.bell import Bell
from app.services.jobs.parking import NEVER
from app.services.jobs.views import options_to_dict


@dataclass(frozen=True, slots=True)
class Plan:
    """What the row of a diarization is to hold beside what rows of all modes do, and what it goes on from."""

    columns: dict[str, Any]
    source: Source | None = None

    @property
    def is_due(self) -> bool:
        """Whether the job has something to do before its words are there."""
        return "run_at" not in self.columns


class Composer:
    """Plans and writes diarizations. `check_words` settles how the words are to be found (see `Submissions.check`)."""

    def __init__(
        self,
        diarizers: DiarizerRegistry,
        check_words: Callable[[JobOptions], JobOptions],
        bell: Bell,
        default: str = AUTO,
    ) -> None:
        self._diarizers = diarizers
        self._check_words = check_words
        self._bell = bell
        self._default = default

    def check(self, options: JobOptions) -> JobOptions:
        """The options with the engines and models that will do both halves.

        Raises:
            InvalidFields: what is asked does not go together, or no engine here can do it.
        """
        settled = checked_diarization(self._diarizers, options, self._default)
        return self._check_words(settled) if options.transcribe else settled

    def plan_from(self, work: Work, principal: Principal, job_id: str, options: JobOptions) -> Plan:
        """A plan that uses what a completed job has found: its words, or else its turns, are not looked for again.

        Raises:
            NotFound, Conflict, RecordingRemoved: there is no such job to go on from.
            InvalidFields: what is asked cannot be done with what it has, or by no engine here.
        """
        source = find_source(work, principal, job_id, options)
        if source.has_words:
            settled = checked_diarization(self._diarizers, options, self._default)
            return Plan({**source.recording, "options": options_to_dict(settled)}, source)
        refuse_hints(options)
        settled = self._check_words(replace(options, transcribe=True))
        parked = {"run_at": NEVER, "progress": 1.0}
        return Plan({**source.recording, **parked, "options": options_to_dict(settled)}, source)

    def write_halves(self, work: Work, job: Job, plan: Plan) -> None:
        """Write the halves of a job that was just inserted; those that are due are offered after the commit."""
        if plan.source is not None and plan.source.has_words:
            for row in half_rows(job):
                copy_words(work, plan.source, row)
            return
        if plan.source is not None:
            copy_turns(work, plan.source, job.id)
        self._bell.ring(work, insert_halves(work, job))
