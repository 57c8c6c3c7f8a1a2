"""Transcribes on this machine, in a process of its own; needs no server and no database."""

import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from types import TracebackType
from typing import Self

from app.cli.transcription.asked import Asked, FileFailed, WrongRequest, told
from app.cli.transcription.bar import Bar
from app.cli.transcription.local_messages import Done, Failed, FromProcess, Progress, Transcribe
from app.domain.errors import InvalidFields, ParloirError
from app.domain.transcript import Transcript
from app.exports.formats import render
from config.local import LocalConfig

MODULE = "app.cli.transcription.local_process"


class LocalService:
    """A process that keeps its model warm from file to file; a new one is started if it was lost."""

    def __init__(self, asked: Asked) -> None:
        LocalConfig.from_env()  # what is wrong with the settings is told before anything is started
        self._asked = asked
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def transcribe(self, path: Path, bar: Bar) -> str:
        """See `Transcribes`; warnings about the recording go to standard error."""
        transcript = self._transcript(path, bar)
        for warning in transcript.warnings:
            print(f"{path}: warning: {warning}", file=sys.stderr)
        return render(transcript, self._asked.format_name, title=path.name)

    def _transcript(self, path: Path, bar: Bar) -> Transcript:
        pipe = self._started()
        try:
            pipe.send(Transcribe(str(path.absolute()), self._asked.options))
            return _answer(pipe, bar)
        except (EOFError, OSError) as error:
            raise FileFailed(self._how_it_ended()) from error

    def _started(self) -> Connection:
        if self._pipe is None:
            self._pipe, theirs = Pipe()
            command = [sys.executable, "-m", MODULE, str(theirs.fileno()), str(os.getpid())]
            # Its own session: Ctrl-C is for the command alone, which then ends the process.
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], start_new_session=True)
            theirs.close()
        return self._pipe

    def _how_it_ended(self) -> str:
        code = self._process.wait() if self._process else 0
        self._end()
        ended = f"by {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        return f"the engine's process was ended {ended}"

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._pipe = self._process = None


def _answer(pipe: Connection, bar: Bar) -> Transcript:
    while True:
        message: FromProcess = pipe.recv()
        match message:
            case Progress(fraction):
                bar.at(fraction)
            case Done(transcript):
                return transcript
            case Failed(error):
                raise _problem(error)


def _problem(error: ParloirError) -> Exception:
    return WrongRequest(told(error)) if isinstance(error, InvalidFields) else FileFailed(told(error))
