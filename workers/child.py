"""The child process of a worker: holds the models, does one job at a time, knows no database.

Runs as `python -m workers.child MODE FD PARENT_PID`; speaks `workers.messages` over the inherited pipe FD.
"""

import queue
import sys
import threading
import traceback
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

from app.audio.confinement import end_with_parent
from app.audio.decode import DecodeLimits
from app.domain.errors import Cancelled, EngineError, OutOfMemory, ParloirError
from app.domain.job import JobOptions
from app.domain.peaks import Peaks
from app.domain.transcript import Segment, Transcript
from app.engines.selection import AUTO
from app.observability.logging import configure_logging
from app.services.media.fetch import Fetcher, FetchLimits
from app.services.media.folder import FolderStorage
from app.services.media.storage import Storage
from app.services.transcription.assembly import PipelineSettings, build_pipeline
from app.services.transcription.checkpoint import PartResult
from app.services.transcription.limits import PipelineLimits
from app.services.transcription.pipeline import TranscriptionPipeline
from config.worker import WorkerConfig
from workers.messages import (
    Cancel,
    Done,
    Drawn,
    Duration,
    Failed,
    Fetched,
    Fetching,
    FromChild,
    Heard,
    PartDone,
    Progress,
    Ready,
    Run,
    ToChild,
)
from workers.outside import build_outbound

log = structlog.get_logger(__name__)

MIB = 1024 * 1024


class Reporter:
    """Tells the supervisor how a run goes, and the run whether it is still wanted."""

    def __init__(self, pipe: Connection, cancelled: threading.Event) -> None:
        self._pipe = pipe
        self._cancelled = cancelled

    def say(self, message: FromChild) -> None:
        """Say something to the supervisor."""
        self._pipe.send(message)

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
        return self._cancelled.is_set()


class Child:
    """Reads what the supervisor wants, in a thread of its own, and does it."""

    def __init__(self, pipe: Connection, pipeline: TranscriptionPipeline, fetcher: Fetcher, storage: Storage) -> None:
        self._pipe = pipe
        self._pipeline = pipeline
        self._fetcher = fetcher
        self._storage = storage
        self._runs: queue.Queue[Run | None] = queue.Queue()
        self._cancelled = threading.Event()
        self._reporter = Reporter(pipe, self._cancelled)

    def serve(self, usual: JobOptions) -> None:
        """Do runs until the supervisor closes the pipe; what `usual` jobs need is loaded before the first one comes."""
        threading.Thread(target=self._listen, name="supervisor", daemon=True).start()
        self._reporter.say(Ready())
        self._warm_up(usual)
        while (run := self._runs.get()) is not None:
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
            self._cancelled.set()
            self._runs.put(None)

    def _hear(self, message: ToChild) -> None:
        if isinstance(message, Cancel):
            self._cancelled.set()
        else:
            self._cancelled.clear()
            self._runs.put(message)

    def _outcome(self, run: Run) -> FromChild:
        try:
            return Done(self._transcribe(run))
        except Cancelled as error:
            return Failed(error)
        except ParloirError as error:
            return Failed(error, traceback.format_exc())
        except MemoryError:
            return Failed(OutOfMemory(), traceback.format_exc())
        except Exception as error:  # noqa: BLE001 - whatever an engine throws must become an answer
            return Failed(EngineError(reason=type(error).__name__), traceback.format_exc())

    def _transcribe(self, run: Run) -> Transcript:
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
        device=config.device,
        n_processes=config.concurrency,
        n_threads=config.engine_threads,
        limits=PipelineLimits(part_s=config.part_s, decode=decode),
    )


def usual_options(config: WorkerConfig) -> JobOptions:
    """What a job asks for that names nothing."""
    engine = None if config.default_engine == AUTO else config.default_engine
    return JobOptions(engine=engine, language=config.default_language)


def main(fd: int, parent_pid: int) -> None:
    """Run as a child."""
    end_with_parent(parent_pid)
    config = WorkerConfig.from_env()
    configure_logging(config.log_format, config.log_level)
    storage = FolderStorage(config.storage_dir)
    fetcher = Fetcher(build_outbound(config), storage, FetchLimits(config.max_upload_bytes, config.download_s))
    Child(Connection(fd), build_pipeline(pipeline_settings(config)), fetcher, storage).serve(usual_options(config))


if __name__ == "__main__":
    main(int(sys.argv[2]), int(sys.argv[3]))
