"""Turns what ML packages raise into this service's own errors, whose messages show no path."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import EngineError, EngineUnavailable, OutOfMemory, ParloirError

_PATH = re.compile(r"(?<!\w)(?:[A-Za-z]:\\|~?/|\.{1,2}/)[^\s'\",:;)]*")
_NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "alloc_failed", "bad_alloc")
_MAX_REASON = 200


@contextmanager
def while_working() -> Iterator[None]:
    """Give errors of the work inside as `EngineError`, or `OutOfMemory` where that is what happened."""
    try:
        yield
    except ParloirError:
        raise
    except Exception as error:
        raise (OutOfMemory() if is_out_of_memory(error) else EngineError(reason=reason_of(error))) from error


@contextmanager
def while_loading(engine: str, model: str) -> Iterator[None]:
    """Give errors of the loading inside as `EngineUnavailable`, or `OutOfMemory` where that is what happened."""
    try:
        yield
    except ParloirError:
        raise
    except ImportError as error:
        reason = f"the package {error.name or 'it needs'} is not installed"
        raise EngineUnavailable(engine=engine, reason=reason) from error
    except Exception as error:
        if is_out_of_memory(error):
            raise OutOfMemory from error
        reason = f"the weights of {model} are damaged or of another kind ({type(error).__name__})"
        raise EngineUnavailable(engine=engine, reason=reason) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the machine or the accelerator had no memory left, in the words of any of the packages."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _NO_MEMORY)


def reason_of(error: BaseException) -> str:
    """The first line of an error's message, without paths; its type, if it says nothing."""
    lines = str(error).strip().splitlines()
    return _PATH.sub("…", lines[0])[:_MAX_REASON] if lines else type(error).__name__
