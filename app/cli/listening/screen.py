"""Words as they come: finals as lines; at a terminal what may be being said, too, on the last line."""

import json
import shutil
import sys
from collections.abc import Callable
from typing import Any

CLEAR_LINE = "\r\x1b[2K"


def hearer(*, as_json: bool) -> Callable[[dict[str, Any]], None]:
    """How messages are shown here."""
    if as_json:
        return _show_json
    return _show_live if sys.stdout.isatty() else _show_line


def _show_json(message: dict[str, Any]) -> None:
    print(json.dumps(message, ensure_ascii=False), flush=True)


def _show_line(message: dict[str, Any]) -> None:
    if message["type"] == "final" and message["segment"]["text"].strip():
        print(message["segment"]["text"].strip(), flush=True)


def _show_live(message: dict[str, Any]) -> None:
    if message["type"] == "partial":
        width = shutil.get_terminal_size().columns - 1
        print(f"{CLEAR_LINE}{message['text'][-width:]}", end="", flush=True)
        return
    print(CLEAR_LINE, end="")
    _show_line(message)
