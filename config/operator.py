"""Settings of the operator's commands that change something: where the service's data is."""

from dataclasses import dataclass
from pathlib import Path

from config.operating import OperatingConfig
from config.reading import InVarDir, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorConfig(OperatingConfig):
    """Where the service and its recordings are. Paths are absolute."""

    storage_dir: Path = setting("STORAGE_DIR", "path", InVarDir("audio"), "folder of the recordings")
