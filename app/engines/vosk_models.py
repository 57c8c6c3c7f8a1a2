"""The names of Vosk's models, which tell their language, and what a folder must hold to be one."""

import re
from collections.abc import Sequence
from pathlib import Path

from app.engines.base import ModelInfo

KNOWN = (
    "vosk-model-en-us-0.22",
    "vosk-model-en-us-0.22-lgraph",
    "vosk-model-small-en-us-0.15",
    "vosk-model-en-in-0.5",
    "vosk-model-small-en-in-0.4",
    "vosk-model-fr-0.22",
    "vosk-model-small-fr-0.22",
    "vosk-model-de-0.21",
    "vosk-model-small-de-0.15",
    "vosk-model-es-0.42",
    "vosk-model-small-es-0.42",
    "vosk-model-it-0.22",
    "vosk-model-small-it-0.22",
    "vosk-model-pt-fb-v0.1.1-20220516_2113",
    "vosk-model-small-pt-0.3",
    "vosk-model-ru-0.42",
    "vosk-model-small-ru-0.22",
    "vosk-model-cn-0.22",
    "vosk-model-small-cn-0.22",
    "vosk-model-ja-0.22",
    "vosk-model-small-ja-0.22",
    "vosk-model-hi-0.22",
    "vosk-model-small-hi-0.22",
    "vosk-model-fa-0.42",
    "vosk-model-small-fa-0.42",
    "vosk-model-ar-mgb2-0.4",
    "vosk-model-uk-v3",
    "vosk-model-small-uk-v3-small",
    "vosk-model-kz-0.42",
    "vosk-model-small-kz-0.42",
    "vosk-model-gu-0.42",
    "vosk-model-small-gu-0.42",
    "vosk-model-tg-0.22",
    "vosk-model-small-tg-0.22",
    "vosk-model-ky-0.42",
    "vosk-model-small-ky-0.42",
    "vosk-model-el-gr-0.7",
    "vosk-model-tl-ph-generic-0.6",
    "vosk-model-br-0.8",
    "vosk-model-small-ca-0.4",
    "vosk-model-small-cs-0.4-rhasspy",
    "vosk-model-small-eo-0.42",
    "vosk-model-small-ka-0.42",
    "vosk-model-small-ko-0.22",
    "vosk-model-small-nl-0.22",
    "vosk-model-small-pl-0.22",
    "vosk-model-small-sv-rhasspy-0.15",
    "vosk-model-small-te-0.42",
    "vosk-model-small-tr-0.3",
    "vosk-model-small-uz-0.22",
    "vosk-model-small-vn-0.4",
)
"""The current models of https://alphacephei.com/vosk/models, for each language the more accurate first. A `small`
one is about 50 MB and answers fastest; its elder sister is a gigabyte or two."""

_NAME = re.compile(r"vosk-model-(?:small-|big-)?(?P<code>[a-z]{2,3})-\w[\w.-]*")
_OTHER_CODES = {"cn": "zh", "kz": "kk", "vn": "vi", "ua": "uk"}
"""Countries that the names give where a language should be."""
_NOT_A_LANGUAGE = "spk"
"""Models of who speaks, not of what is said."""


def language_of(name: str) -> str | None:
    """The primary subtag that a model's name tells; None: it is no name of a speech model of Vosk."""
    match = _NAME.fullmatch(name)
    if match is None or match["code"] == _NOT_A_LANGUAGE:
        return None
    return _OTHER_CODES.get(match["code"], match["code"])


def is_model_folder(folder: Path) -> bool:
    """Whether an acoustic model lies where Vosk looks for it (newer models have it in `am`)."""
    return any((folder / name).is_file() for name in ("am/final.mdl", "final.mdl"))


def listed(folder: Path) -> Sequence[ModelInfo]:
    """Every known model and every other one in `folder`, accurate before small, then as listed above."""
    here = {path.name: path for path in sorted(folder.glob("vosk-model-*")) if is_model_folder(path)}
    models = [_info(name, here.get(name)) for name in dict.fromkeys([*KNOWN, *here])]
    return sorted(filter(None, models), key=lambda model: "-small-" in model.name)


def _info(name: str, path: Path | None) -> ModelInfo | None:
    language = language_of(name)
    return ModelInfo(name, (language,), path) if language else None
