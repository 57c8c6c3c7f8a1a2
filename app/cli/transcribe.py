"""`transcribe`: recordings in, transcripts out; on this machine, or through a running service.

Exit codes: 0 all fine, 1 some file failed, 2 wrong usage, 3 the service cannot be reached, 130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from app.cli.transcription.asked import Asked, FileFailed, ServiceUnreachable, Transcribes, WrongRequest
from app.cli.transcription.bar import Bar
from app.cli.transcription.local import LocalService
from app.cli.transcription.output import targets, write
from app.domain.job import JobOptions
from app.exports.formats import FORMATS
from config.reading import ConfigError

OK, SOME_FAILED, WRONG_USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `transcribe` takes."""
    parser = subparsers.add_parser("transcribe", help="transcribe files here, without the service")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--format", choices=list(FORMATS), default="txt", help="default: txt")
    _add_output_arguments(parser)
    _add_engine_arguments(parser)
    parser.add_argument("--server", type=_url, metavar="URL", help="let this running service do it")
    parser.set_defaults(run=run)


def _add_output_arguments(parser: argparse.ArgumentParser) -> None:
    place = parser.add_mutually_exclusive_group()
    place.add_argument("-o", "--output", type=Path, metavar="DIR", help="write FILE.srt and so on into this folder")
    place.add_argument("--beside", action="store_true", help="write them beside the recordings")
    parser.add_argument("--progress", action="store_true", help="show a bar even if this is not a terminal")


def _add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", metavar="TAG", help="such as fr or en-US; detected where the engine can")
    parser.add_argument("--engine", help="default: the best whose weights are here")
    parser.add_argument("--model", help="default: the engine's best that is here")
    parser.add_argument("--task", choices=("transcribe", "translate"), default="transcribe", help="or into English")
    parser.add_argument("--trim-silence", action="store_true", help="leave long silences out of what is decoded")
    parser.add_argument("--no-words", action="store_true", help="no times for single words")


def run(args: argparse.Namespace) -> int:
    """Transcribe the files, each by itself; the exit code."""
    try:
        extension = FORMATS[args.format].extension
        places = targets(args.files, args.output, extension, is_beside=args.beside)
        with _service(args) as service:
            return _all(service, args.files, places, is_shown=args.progress or sys.stderr.isatty())
    except (WrongRequest, ConfigError) as error:
        _tell(error)
        return WRONG_USAGE
    except ServiceUnreachable as error:
        _tell(f"The service cannot be reached: {error}")
        return UNREACHABLE
    except KeyboardInterrupt:
        _tell("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads the results any more; Python must not stumble over that again when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED


def _service(args: argparse.Namespace) -> "AbstractContextManager[Transcribes]":
    asked = Asked(_options(args), args.format)
    if not args.server:
        return LocalService(asked)
    from app.cli.transcription.remote import RemoteService

    return RemoteService(asked, args.server)


def _options(args: argparse.Namespace) -> JobOptions:
    return JobOptions(
        language=args.language,
        engine=args.engine,
        model=args.model,
        task=args.task,
        word_timestamps=not args.no_words,
        trim_silence=args.trim_silence,
    )


def _all(service: Transcribes, files: Sequence[Path], places: Sequence[Path | None], *, is_shown: bool) -> int:
    code = OK
    for path, place in zip(files, places, strict=True):
        try:
            _one(service, path, place, is_shown=is_shown)
        except FileFailed as error:
            _tell(f"{path}: {error}")
            code = SOME_FAILED
    return code


def _one(service: Transcribes, path: Path, place: Path | None, *, is_shown: bool) -> None:
    if problem := _unusable(path):
        raise FileFailed(problem)
    with Bar(path.name, is_shown=is_shown) as bar:
        text = service.transcribe(path, bar)
    write(text, place)


def _unusable(path: Path) -> str | None:
    """Why the file cannot even be opened."""
    if path.is_dir():
        return "is a folder"
    try:
        with path.open("rb"):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError("must begin with http:// or https://")
    return text


def _tell(what: object) -> None:
    print(what, file=sys.stderr, flush=True)
