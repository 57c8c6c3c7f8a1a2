"""Settings of the command that fetches weights; it needs no server to be there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from config.reading import InVarDir, begins_with, read, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsConfig:
    """Where weights are kept and fetched from. Paths are absolute."""

    var_dir: Path = setting("VAR_DIR", "path", Path("var"), "folder of everything that is kept")
    weights_dir: Path = setting("WEIGHTS_DIR", "path", InVarDir("weights"), "folder of the engines' weights")
    whisper_url: str = setting(
        "WEIGHTS_WHISPER_URL",
        "str",
        "https://openaipublic.azureedge.net/main/whisper/models",
        "where Whisper's checkpoints are fetched from",
        begins_with("https://", "http://"),
    )
    vosk_url: str = setting(
        "WEIGHTS_VOSK_URL",
        "str",
        "https://alphacephei.com/vosk/models",
        "where Vosk's models are fetched from",
        begins_with("https://", "http://"),
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read it from `environ` (default: this process's environment).

        Raises:
            ConfigError: values are wrong; all of them are told.
        """
        return read(cls, environ)
