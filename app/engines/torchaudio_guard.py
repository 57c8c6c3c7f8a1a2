"""Lets torchaudio be imported where its compiled part cannot be loaded.

Its wheels are linked against CUDA; beside a PyTorch for the CPU alone the import dies with an OSError, although what
is wanted of it here (spectrograms, resampling) is written in Python. Then it is imported without that part, as it
is when built without it.
"""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

EXTENSION = "torchaudio._extension"


def import_torchaudio() -> Any:
    """The package, with its compiled part if that can be loaded.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import torchaudio
    except OSError:
        _forget("torchaudio")
        sys.modules[EXTENSION] = _no_extension()
        import torchaudio
    return torchaudio


def _forget(package: str) -> None:
    """Remove what a failed import left behind."""
    for name in [name for name in sys.modules if name.split(".", 1)[0] == package]:
        del sys.modules[name]


def _no_extension() -> ModuleType:
    """What the package says of its compiled part when there is none."""
    stand_in = ModuleType(EXTENSION)
    vars(stand_in).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False, _IS_ALIGN_AVAILABLE=False, _load_lib=_loads_nothing, fail_if_no_align=_fails
    )
    return stand_in


def _loads_nothing(_name: str) -> bool:
    return False


def _fails(function: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*_args: Any, **_options: Any) -> Any:
        raise RuntimeError(f"{function.__name__} needs the compiled part of torchaudio")

    return refuse
