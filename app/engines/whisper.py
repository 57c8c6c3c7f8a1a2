"""OpenAI's own Whisper, on PyTorch: transcribes and translates files in 99 languages."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import structlog

from app.audio.sound import Pcm
from app.domain.errors import EngineUnavailable
from app.engines.base import Capabilities, Hardware, ModelInfo
from app.engines.failures import while_loading
from app.engines.hardware import limit_threads
from app.engines.whisper_models import ALIASES, listed
from app.engines.whisper_segments import Decoded, DecodedWord
from app.engines.whisper_transcriber import BEAM_SIZE, BEST_OF, Asked, WhisperTranscriber

log = structlog.get_logger(__name__)


class WhisperEngine:
    """Loads checkpoints from `weights_dir/whisper/<name>.pt`."""

    name: ClassVar[str] = "whisper"
    capabilities: ClassVar[Capabilities] = Capabilities(
        detects_language=True, translates=True, prompt=True, hotwords=True, devices=("cpu", "cuda")
    )

    def __init__(self, weights_dir: Path) -> None:
        self._folder = weights_dir / "whisper"

    def models(self) -> Sequence[ModelInfo]:
        """Every known model, most accurate first, and whatever other checkpoints are here."""
        return listed(self._find, (path.stem for path in self._folder.glob("*.pt")))

    def load(self, model: ModelInfo, hardware: Hardware) -> WhisperTranscriber:
        """Load a checkpoint; never fetches one.

        Raises:
            EngineUnavailable: it is not here, or cannot be read.
            OutOfMemory: it does not fit.
        """
        if model.path is None or not model.path.is_file():
            raise EngineUnavailable(engine=self.name, reason=f"the weights of {model.name} are not on this machine")
        with while_loading(self.name, model.name):
            return WhisperTranscriber(self.name, model.name, _loaded(model.name, model.path, hardware))

    def _find(self, name: str) -> Path | None:
        path = self._folder / f"{name}.pt"
        return path if path.is_file() and path.stat().st_size else None


class TorchNet:
    """A `WhisperNet` run by PyTorch: half precision on CUDA, single on the CPU."""

    batch_size = 1

    def __init__(self, model: Any) -> None:
        from whisper.tokenizer import get_tokenizer

        self._model = model
        self._tokenizer = get_tokenizer(model.is_multilingual, num_languages=model.num_languages)
        codes = self._tokenizer.all_language_codes if model.is_multilingual else ("en",)
        self.languages = frozenset(codes)
        self._is_half = model.device.type == "cuda"

    def detect(self, clip: Pcm) -> str:
        """The most probable language of the first 30 s."""
        from whisper import log_mel_spectrogram, pad_or_trim

        mel = log_mel_spectrogram(pad_or_trim(clip), self._model.dims.n_mels).to(self._model.device)
        _, probabilities = self._model.detect_language(mel)
        return str(max(probabilities, key=probabilities.get))

    def n_tokens(self, text: str) -> int:
        """How much of the context a text takes."""
        return len(self._tokenizer.encode(text))

    def decode(self, clips: Sequence[Pcm], asked: Asked) -> Iterator[tuple[int, Decoded]]:
        """Clip by clip; the library tells nothing of a clip before it has all of it."""
        for index, clip in enumerate(clips):
            for segment in self._transcribed(clip, asked):
                yield index, _decoded(segment)

    def _transcribed(self, clip: Pcm, asked: Asked) -> Sequence[Mapping[str, Any]]:
        """The library's segments; temperatures and thresholds of its fallback are left at their defaults.

        The prompt is carried through all windows of a clip, as hotwords must hold to its end.
        """
        result = self._model.transcribe(
            clip,
            language=asked.language,
            task=asked.task,
            initial_prompt=asked.texts.folded or None,
            carry_initial_prompt=bool(asked.texts.folded),
            condition_on_previous_text=False,
            word_timestamps=asked.word_timestamps,
            beam_size=BEAM_SIZE,
            best_of=BEST_OF,
            fp16=self._is_half,
        )
        segments: Sequence[Mapping[str, Any]] = result["segments"]
        return segments


def _loaded(name: str, path: Path, hardware: Hardware) -> TorchNet:
    import torch
    import whisper

    limit_threads(hardware)
    device = "cuda" if hardware.device == "cuda" and torch.cuda.is_available() else "cpu"
    if device != hardware.device:
        log.warning("torch_without_cuda", model=name, device=device)
    model = whisper.load_model(str(path.absolute()), device=device)
    _set_alignment_heads(model, ALIASES.get(name, name))
    return TorchNet(model.eval())


def _set_alignment_heads(model: Any, name: str) -> None:
    """Choose the attention heads that word times are read from.

    The library knows the best ones of each official model, but uses them only when it loads by name, which may
    fetch from the network; loading by path leaves it with half of all heads, and worse times.
    """
    from whisper import _ALIGNMENT_HEADS

    heads = _ALIGNMENT_HEADS.get(name)
    if heads is None:
        return
    try:
        model.set_alignment_heads(heads)
    except (ValueError, RuntimeError):
        log.warning("alignment_heads_do_not_fit", model=name)  # word times will be coarse


def _decoded(segment: Mapping[str, Any]) -> Decoded:
    return Decoded(
        text=segment["text"],
        start_s=float(segment["start"]),
        end_s=float(segment["end"]),
        avg_logprob=float(segment["avg_logprob"]),
        no_speech_prob=float(segment["no_speech_prob"]),
        window_s=segment["seek"] / 100,
        words=tuple(
            DecodedWord(word["word"], float(word["start"]), float(word["end"]), float(word["probability"]))
            for word in segment.get("words", ())
        ),
    )
