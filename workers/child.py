"""The child process of a worker: holds the models, does one job at a time, knows no database.

Runs as `python -m workers.child MODE FD PARENT_PID`; speaks `workers.messages` over the inherited pipe FD.
"""

import pickle
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

import structlog

from app.audio.confinement import end_with_parent
from app.audio.decode import DecodeLimits
from app.domain.errors import Cancelled, EngineError, OutOfMemory, ParloirError
from app.domain.job import JobOptions, Mode
from app.domain.peaks import Peaks
from app.domain.transcript import Segment
from app.engines.selection import AUTO
from app.observability.logging import configure_logging
from app.services.diarization.assembly import build_diarization_pipeline
from app.services.media.fetch import Fetcher, FetchLimits
from app.services.media.folder import FolderStorage
from app.services.media.storage import Storage
from app.services.transcription.assembly import PipelineSettings, build_pipeline
from app.services.transcription.checkpoint import Checkpoint, PartResult
from app.services.transcription.limits import PipelineLimits
from app.services.transcription.observer import Observer
from config.worker import WorkerConfig
from workers.messages import (
    Cancel,
    Done,
    Drawn,
    Duration,
    Failed,
    Fetched,
    Fetching,
    Found,
    FromChild,
    Heard,
    PartDone,
    Progress,
    Ready,
    Recall,
    Recalled,
    Run,
    Runs,
    ToChild,
)
from workers.outside import build_outbound

log = structlog.get_logger(__name__)

MIB = 1024 * 1024


class Pipeline(Protocol):
    """From a recording to what a mode is to find in it."""

    def run(self, audio: Path, options: JobOptions, observer: Observer, resume: Checkpoint | None = None) -> Found:
        """Find it; what `resume` holds is not done again."""

    def warm(self, options: JobOptions) -> None:
        """Load what a run with these options needs."""


BUILDERS: dict[Mode, Callable[[PipelineSettings], Pipeline]] = {
    Mode.BATCH: build_pipeline,
    Mode.DIARIZATION: build_diarization_pipeline,
}


class Reporter:
    """Tells the supervisor how a run goes, and the run whether it is still wanted."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self.job_id: str | None = None
        """The job that runs."""
        self.unwanted: str | None = None
        """The job that was last asked to stop; it may have ended since."""
        self.is_left = False
        """Whether the supervisor is gone."""

    def say(self, message: FromChild) -> None:
        """Say something to the supervisor; threads may do so at the same time."""
        with self._lock:
            self._pipe.send_bytes(pickle.dumps(message))

    def fetching(self, n_bytes: int, total_bytes: int | None) -> None:
        """How much of the recording is here."""
        self.say(Fetching(n_bytes, total_bytes))

    def duration(self, duration_s: float) -> None:
        """The length of the recording, as far as known."""
        self.say(Duration(duration_s))

    def progress(self, fraction: float) -> None:
        """The fraction done, 0…1."""
        self.say(Progress(fraction))

    def segment(self, segment: Segment) -> None:
        """A segment that was heard."""
        self.say(Heard(segment))

    def part_done(self, part: PartResult) -> None:
        """A part that is finished."""
        self.say(PartDone(part))

    def drawn(self, peaks: Peaks) -> None:
        """The outline of the recording."""
        self.say(Drawn(peaks))

    def cancelled(self) -> bool:
        """Whether the run is to stop."""
        return self.is_left or (self.job_id is not None and self.unwanted == self.job_id)


class Child:
    """Reads what the supervisor wants, in a thread of its own, and does it."""

    def __init__(self, pipe: Connection, pipeline: Pipeline, fetcher: Fetcher, storage: Storage) -> None:
        self._pipe = pipe
        self._pipeline = pipeline
        self._fetcher = fetcher
        self._storage = storage
        self._runs: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._reporter = Reporter(pipe)

    def serve(self, usual: JobOptions) -> None:
        """Do runs until the supervisor closes the pipe; what `usual` jobs need is loaded before the first one comes."""
        threading.Thread(target=self._listen, name="supervisor", daemon=True).start()
        self._reporter.say(Ready())
        self._warm_up(usual)
        while (run := self._runs.get()) is not None:
            self._reporter.job_id = run.job_id
            with structlog.contextvars.bound_contextvars(job_id=run.job_id):
                self._reporter.say(self._outcome(run))

    def _warm_up(self, usual: JobOptions) -> None:
        try:
            self._pipeline.warm(usual)
        except ParloirError as error:
            log.warning("not_warmed_up", reason=error.message)  # a job that needs it will say what is wrong

    def _listen(self) -> None:
        try:
            while True:
                self._hear(self._pipe.recv())
        except (EOFError, OSError):
            self._reporter.is_left = True
            self._runs.put(None)

    def _hear(self, message: ToChild) -> None:
        match message:
            case Runs(runs):
                for run in runs:
                    self._runs.put(run)
            case Recall():
                self._reporter.say(Recalled(self._give_up()))
            case Cancel(job_id):
                self._reporter.unwanted = job_id

    def _give_up(self) -> tuple[str, ...]:
        """The jobs of the runs that waited; from now on they do not."""
        waiting: list[str] = []
        try:
            while (run := self._runs.get_nowait()) is not None:
                waiting.append(run.job_id)
        except queue.Empty:
            return tuple(waiting)
        return tuple(waiting)

    def _outcome(self, run: Run) -> FromChild:
        started = time.monotonic()
        try:
            return Done(self._found(run), time.monotonic() - started)
        except Cancelled as error:
            return Failed(error)
        except ParloirError as error:
            return Failed(error, traceback.format_exc())
        except MemoryError:
            return Failed(OutOfMemory(), traceback.format_exc())
        except Exception as error:  # noqa: BLE001 - whatever an engine throws must become an answer
            return Failed(EngineError(reason=type(error).__name__), traceback.format_exc())

    def _found(self, run: Run) -> Found:
        with self._recording(run) as path:
            return self._pipeline.run(path, run.options, self._reporter, run.checkpoint)

    def _recording(self, run: Run) -> AbstractContextManager[Path]:
        if run.audio is not None:
            return nullcontext(Path(run.audio))
        assert run.audio_url is not None, "a job has a recording or the URL of one: the table's own check"
        stored = self._fetcher.fetch(run.audio_url, self._reporter)
        self._reporter.say(Fetched(stored))
        return self._storage.local_path(stored.key)


def pipeline_settings(config: WorkerConfig) -> PipelineSettings:
    """What the worker's settings say of the pipeline."""
    decode = DecodeLimits(
        max_s=config.max_duration_s, memory_bytes=config.decode_memory_mb * MIB, cpu_s=config.decode_cpu_s
    )
    return PipelineSettings(
        weights_dir=config.weights_dir,
        hf_token=config.hf_token,
        device=config.device,
        n_processes=config.concurrency,
        n_threads=config.engine_threads,
        limits=PipelineLimits(part_s=config.part_s, decode=decode),
    )


def usual_options(config: WorkerConfig) -> JobOptions:
    """What a job asks for that names nothing."""
    engine = None if config.default_engine == AUTO else config.default_engine
    return JobOptions(engine=engine, language=config.default_language, diarization_engine=config.default_diarizer)


def main(mode: Mode, fd: int, parent_pid: int) -> None:
    """Run as a child of a worker of this mode."""
    end_with_parent(parent_pid)
    config = WorkerConfig.from_env()
    configure_logging(config.log_format, config.log_level)
    storage = FolderStorage(config.storage_dir)
    fetcher = Fetcher(build_outbound(config), storage, FetchLimits(config.max_upload_bytes, config.download_s))
    Child(Connection(fd), BUILDERS[mode](pipeline_settings(config)), fetcher, storage).serve(usual_options(config))


if __name__ == "__main__":
    main(Mode(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
