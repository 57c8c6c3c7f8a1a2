"""`listen`: live sound into a running service, words as they come.

Exit codes: 0 all fine, 1 it failed, 2 wrong usage, 3 the service cannot be reached, 130 interrupted. A first Ctrl-C
ends what a microphone hears, and what it heard is still said.
"""

import argparse
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType

from app.cli.listening.client import LiveClient, Refused, Unreachable
from app.cli.listening.screen import hearer
from app.cli.listening.sources import Microphone, MicrophoneLost, NoMicrophone, recording, standard_input
from app.domain.errors import ParloirError

OK, FAILED, WRONG_USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130
DEFAULT_SERVER = "http://127.0.0.1:8000"
OPTIONS = {
    "language": "language",
    "engine": "engine",
    "model": "model",
    "hotwords": "hotwords",
    "endpoint_ms": "endpointMs",
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `listen` takes."""
    parser = subparsers.add_parser("listen", help="live words of a microphone or a file, through the service")
    parser.add_argument("file", nargs="?", metavar="FILE", help="instead of the microphone; -: raw s16le 16 kHz mono")
    parser.add_argument("--server", type=_url, default=DEFAULT_SERVER, metavar="URL", help=f"default: {DEFAULT_SERVER}")
    parser.add_argument("--fast", action="store_true", help="send FILE as fast as it goes, not as if it were said now")
    parser.add_argument("--json", action="store_true", help="one JSON object a line: partials and finals")
    parser.add_argument("--language", metavar="TAG", help="such as fr or en-US")
    parser.add_argument("--engine", help="default: the best for live sound whose weights are there")
    parser.add_argument("--model", help="default: the engine's best that is there")
    parser.add_argument("--hotwords", metavar="WORDS", help="words to favour, comma between")
    parser.add_argument("--endpoint-ms", metavar="MS", help="silence that ends an utterance")
    parser.add_argument("--keep-audio", action="store_true", help="have the service keep the sound")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Listen until the sound ends; the exit code."""
    try:
        LiveClient(args.server, _options(args), hearer(as_json=args.json)).run(_sound(args))
    except (Refused, MicrophoneLost, ParloirError) as error:
        return _told(error, FAILED)
    except NoMicrophone as error:
        return _told(error, WRONG_USAGE)
    except Unreachable as error:
        return _told(f"The service cannot be reached: {error}", UNREACHABLE)
    except KeyboardInterrupt:
        return _told("Interrupted.", INTERRUPTED)
    except BrokenPipeError:
        # Nobody reads the words any more; Python must not stumble over that again when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return OK


def _sound(args: argparse.Namespace) -> Iterable[bytes]:
    if args.file == "-":
        return standard_input()
    if args.file is None:
        return _microphone()
    path = Path(args.file)
    if not path.is_file():
        raise Refused(f"{path}: no such file")
    return recording(path, is_paced=not args.fast)


def _microphone() -> Iterable[bytes]:
    microphone = Microphone()

    def end(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        microphone.stop()

    signal.signal(signal.SIGINT, end)
    return microphone.chunks()


def _options(args: argparse.Namespace) -> dict[str, str]:
    given = {wire: getattr(args, name) for name, wire in OPTIONS.items() if getattr(args, name)}
    return {**given, **({"keepAudio": "true"} if args.keep_audio else {})}


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError("must begin with http:// or https://")
    return text


def _told(what: object, code: int) -> int:
    print(what, file=sys.stderr, flush=True)
    return code
