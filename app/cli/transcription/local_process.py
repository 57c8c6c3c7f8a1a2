"""The process that transcribes for the command line, so that Ctrl-C ends even an engine that does not listen.

Runs as `python -m app.cli.transcription.local_process FD PARENT_PID`; speaks `local_messages` over the pipe FD.
"""

import logging
import sys
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

from app.audio.confinement import end_with_parent
from app.audio.decode import DecodeLimits
from app.cli.transcription.local_messages import Done, Failed, FromProcess, Progress, Transcribe
from app.domain.errors import EngineError, OutOfMemory, ParloirError
from app.domain.job import JobOptions
from app.domain.peaks import Peaks
from app.domain.transcript import Segment, Transcript
from app.engines.selection import AUTO
from app.services.transcription.assembly import PipelineSettings, build_pipeline
from app.services.transcription.checkpoint import PartResult
from app.services.transcription.limits import PipelineLimits
from app.services.transcription.pipeline import TranscriptionPipeline
from config.local import LocalConfig

MIB = 1024 * 1024


class Reporter:
    """Passes a run's progress on; the rest is told at the end."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def duration(self, duration_s: float) -> None:
        """Not shown."""

    def progress(self, fraction: float) -> None:
        """Shown as a bar."""
        self._pipe.send(Progress(fraction))

    def segment(self, segment: Segment) -> None:
        """Not shown."""

    def part_done(self, part: PartResult) -> None:
        """Not kept."""

    def drawn(self, peaks: Peaks) -> None:
        """Not shown."""

    def cancelled(self) -> bool:
        """Never: this process is ended from outside."""
        return False


def settings_of(config: LocalConfig) -> PipelineSettings:
    """The pipeline's settings, out of the environment's."""
    decode = DecodeLimits(
        max_s=config.max_duration_s,
        memory_bytes=config.decode_memory_mb * MIB,
        cpu_s=config.decode_cpu_s,
    )
    return PipelineSettings(
        weights_dir=config.weights_dir,
        device=config.device,
        n_threads=config.engine_threads,
        limits=PipelineLimits(part_s=config.part_s, decode=decode),
    )


class Server:
    """Answers one request after the other; the pipeline is made for the first, so that its failure is an answer too."""

    def __init__(self, pipe: Connection, config: LocalConfig) -> None:
        self._pipe = pipe
        self._config = config
        self._pipeline: TranscriptionPipeline | None = None

    def serve(self) -> None:
        """Transcribe what is asked for until the pipe is closed."""
        while True:
            try:
                asked: Transcribe = self._pipe.recv()
            except EOFError:
                return
            self._pipe.send(self._outcome(asked))

    def _outcome(self, asked: Transcribe) -> FromProcess:
        try:
            return Done(self._transcribed(asked))
        except ParloirError as error:
            return Failed(error)
        except MemoryError:
            return Failed(OutOfMemory())
        except Exception as error:  # noqa: BLE001 - whatever an engine throws must become one line
            return Failed(EngineError(reason=f"{type(error).__name__}: {error}"))

    def _transcribed(self, asked: Transcribe) -> Transcript:
        self._pipeline = self._pipeline or build_pipeline(settings_of(self._config))
        options = _with_defaults(asked.options, self._config)
        return self._pipeline.run(Path(asked.path), options, Reporter(self._pipe))


def _with_defaults(options: JobOptions, config: LocalConfig) -> JobOptions:
    engine = options.engine or (None if config.default_engine == AUTO else config.default_engine)
    return replace(options, engine=engine, language=options.language or config.default_language)


def main(fd: int, parent_pid: int) -> None:
    """Run as the command's process; only warnings may go to standard error, beside the bar."""
    end_with_parent(parent_pid)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    Server(Connection(fd), LocalConfig.from_env()).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
