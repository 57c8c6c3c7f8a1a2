"""Vosk's models: zip archives beside a list with their MD5."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.engines import vosk_models
from app.engines.weights.digests import Digest
from app.engines.weights.download import Progress, Remote, download, get_json
from app.engines.weights.errors import UnknownWeights, WeightsError
from app.engines.weights.source import Ready
from app.engines.weights.unpack import unpack


class VoskArchives:
    """The source of the engine `vosk`."""

    engine = "vosk"

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")

    def resolve(self, asked: str) -> str:
        """The model's name; of a language (`fr`), its lightest known model.

        Raises:
            UnknownWeights: it is neither.
        """
        if vosk_models.language_of(asked):
            return asked
        of_language = [name for name in vosk_models.KNOWN if vosk_models.language_of(name) == asked.lower()]
        if not of_language:
            raise UnknownWeights(
                f"There is no Vosk model {asked!r}; see {self._base_url}, or name a language, such as fr"
            )
        return next((name for name in of_language if "-small-" in name), of_language[-1])

    def fetch(self, model: str, folder: Path, progress: Progress) -> Ready:
        """Download the archive into `folder` and unpack it there."""
        url = f"{self._base_url}/{model}.zip"
        archive = folder / f"{model}.zip"
        download(Remote(url, f"vosk {model}", Digest("md5", self._md5(model))), archive, progress)
        unpacked = unpack(archive, folder / "unpacked")
        archive.unlink()
        if not vosk_models.is_model_folder(unpacked):
            raise WeightsError(f"{archive.name} holds no speech model of Vosk")
        return Ready(unpacked, f"{self.engine}/{model}", url)

    def _md5(self, model: str) -> str:
        published = self._published()
        if model not in published:
            raise UnknownWeights(f"Vosk publishes no model {model}; it publishes: {', '.join(sorted(published))}")
        return published[model]

    def _published(self) -> Mapping[str, str]:
        """MD5 by model name."""
        url = f"{self._base_url}/model-list.json"
        listed: Any = get_json(url, "The list of Vosk's models")
        try:
            return {entry["name"]: entry["md5"] for entry in listed if vosk_models.language_of(entry["name"])}
        except (TypeError, KeyError) as error:
            raise WeightsError(f"{url} is not the list of Vosk's models it used to be") from error
