"""Converted Whisper models on the Hugging Face hub, fetched by its own library and checked by us.

The hub's address, its token and the like are the library's own environment variables (`HF_ENDPOINT`, `HF_TOKEN`).
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from http import HTTPStatus
from pathlib import Path
from typing import Any

from app.engines.weights.digests import Digest
from app.engines.weights.download import Progress, unreachable
from app.engines.weights.errors import UnknownWeights, WeightsError, while_writing
from app.engines.weights.source import Ready
from app.engines.whisper_models import ALIASES

REPOSITORIES = {
    "tiny.en": "Systran/faster-whisper-tiny.en",
    "tiny": "Systran/faster-whisper-tiny",
    "base.en": "Systran/faster-whisper-base.en",
    "base": "Systran/faster-whisper-base",
    "small.en": "Systran/faster-whisper-small.en",
    "small": "Systran/faster-whisper-small",
    "medium.en": "Systran/faster-whisper-medium.en",
    "medium": "Systran/faster-whisper-medium",
    "large-v1": "Systran/faster-whisper-large-v1",
    "large-v2": "Systran/faster-whisper-large-v2",
    "large-v3": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
}
WANTED = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")


class HubSnapshots:
    """The source of the engine `faster-whisper`."""

    engine = "faster-whisper"

    def resolve(self, asked: str) -> str:
        """The model's own name; `turbo` and `large` mean the newest.

        Raises:
            UnknownWeights: nobody is known to have converted it.
        """
        name = ALIASES.get(asked, asked)
        if name not in REPOSITORIES:
            known = ", ".join(REPOSITORIES)
            raise UnknownWeights(f"There is no converted model {asked!r} known here; there are: {known}")
        return name

    def fetch(self, model: str, folder: Path, progress: Progress) -> Ready:  # noqa: ARG002 - the library draws its own bars
        """Download the repository's newest revision into `folder`; the library goes on where it broke off."""
        repository, snapshot = REPOSITORIES[model], folder / "snapshot"
        with while_writing(f"{self.engine} {model}"), _while_fetching(f"{self.engine} {model}"):
            revision, digests = _published(repository)
            _download(repository, revision, snapshot)
        for name, digest in digests.items():
            _check(snapshot / name, digest)
        # The library's notes for itself.
        shutil.rmtree(snapshot / ".cache", ignore_errors=True)
        return Ready(snapshot, f"{self.engine}/{model}", f"{_endpoint()}/{repository}/tree/{revision}")


def _published(repository: str) -> tuple[str, dict[str, Digest]]:
    """The newest revision and what its files that we want must hash to."""
    from huggingface_hub import HfApi

    info = HfApi().model_info(repository, files_metadata=True)
    wanted = [file for file in info.siblings or () if any(fnmatch(file.rfilename, name) for name in WANTED)]
    return str(info.sha), {file.rfilename: _digest(file) for file in wanted}


def _digest(file: Any) -> Digest:
    """Large files are known by their SHA-256, the others as git knows them."""
    return Digest("sha256", file.lfs.sha256) if file.lfs else Digest("git", file.blob_id)


def _download(repository: str, revision: str, folder: Path) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    snapshot_download(repository, revision=revision, local_dir=folder, allow_patterns=list(WANTED))


def _check(path: Path, digest: Digest) -> None:
    try:
        digest.check(path, path.name)
    except WeightsError:
        # Else the library would think it has this file.
        shutil.rmtree(path.parent)
        raise


@contextmanager
def _while_fetching(what: str) -> Iterator[None]:
    """Give the library's many errors as ours; a full disk is the caller's."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError

    try:
        yield
    except HfHubHTTPError as error:
        if error.response.status_code == HTTPStatus.NOT_FOUND:
            raise UnknownWeights(f"{what} is not on the hub any more") from error
        raise unreachable(what, _endpoint(), error) from error
    # RuntimeError: what the library's own transfer protocol raises.
    except (HTTPError, LocalEntryNotFoundError, ConnectionError, RuntimeError) as error:
        raise unreachable(what, _endpoint(), error) from error


def _endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)
