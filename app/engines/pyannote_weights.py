"""Where pyannote's weights are, and how those that need a token get here."""

import shutil
from hashlib import sha256
from pathlib import Path

from app.domain.errors import EngineError, EngineUnavailable

MODEL = "speaker-diarization-community-1"
REPOSITORY = f"pyannote/{MODEL}"
PAGE = f"https://hf.co/{REPOSITORY}"
HOW = (
    f"accept the conditions at {PAGE}, make a token that may read at https://hf.co/settings/tokens, set HF_TOKEN to it"
)
CONFIG = "config.yaml"
REFUSED = "refused-token"
REFUSALS = (401, 403, 404)


class PyannoteWeights:
    """Pipelines in `weights_dir/pyannote/<name>/`; the known one can be fetched with `token`.

    A token that was refused is noted there (by its digest), so that the API, which loads nothing, knows of it too.
    """

    def __init__(self, weights_dir: Path, token: str | None) -> None:
        self.folder = weights_dir / "pyannote"
        self._token = token

    def here(self) -> dict[str, Path]:
        """The pipelines on this machine, by name."""
        return {path.parent.name: path.parent for path in sorted(self.folder.glob(f"[!.]*/{CONFIG}"))}

    @property
    def can_fetch(self) -> bool:
        """Whether there is a token that was not refused."""
        return bool(self._token) and self._noted() != self._digest()

    def advice(self) -> str:
        """What is missing, and how to get it."""
        state = "The token in HF_TOKEN was refused" if self._token else "HF_TOKEN is not set"
        return f"{state}: {HOW}; or put a copy of the pipeline into WEIGHTS_DIR/pyannote/{MODEL}."

    def fetch(self) -> Path:
        """Fetch the known pipeline; returns its folder.

        Raises:
            EngineUnavailable: there is no token, or it is refused.
            EngineError: the weights could not be fetched just now.
        """
        if not self.can_fetch:
            raise EngineUnavailable(engine="pyannote", reason=self.advice().rstrip("."))
        partial = self.folder / f".{MODEL}.partial"
        self._download(partial)
        shutil.rmtree(partial / ".cache", ignore_errors=True)
        return partial.rename(self.folder / MODEL)

    def _download(self, folder: Path) -> None:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError

        try:
            snapshot_download(REPOSITORY, local_dir=folder, token=self._token)
        except HfHubHTTPError as error:
            if error.response is not None and error.response.status_code in REFUSALS:
                self._note_refusal()
                raise EngineUnavailable(engine="pyannote", reason=self.advice().rstrip(".")) from error
            raise EngineError(reason="the weights of pyannote could not be fetched just now") from error
        except OSError as error:
            raise EngineError(reason="the weights of pyannote could not be fetched just now") from error

    def _note_refusal(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / REFUSED).write_text(self._digest(), encoding="ascii")

    def _noted(self) -> str:
        note = self.folder / REFUSED
        return note.read_text(encoding="ascii") if note.is_file() else ""

    def _digest(self) -> str:
        return sha256((self._token or "").encode()).hexdigest()
