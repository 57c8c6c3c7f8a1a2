"""Whisper on CTranslate2: the same nets as `whisper`, several times faster, in 8-bit integers on the CPU."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar

from app.audio.sound import RATE_HZ, Pcm
from app.domain.errors import EngineUnavailable
from app.engines.base import Capabilities, Hardware, ModelInfo
from app.engines.failures import while_loading
from app.engines.hardware import limit_threads
from app.engines.whisper_lines import lines
from app.engines.whisper_models import listed
from app.engines.whisper_segments import LOW_LOG_PROBABILITY, NO_SPEECH_PROBABILITY, Decoded, DecodedWord
from app.engines.whisper_transcriber import BEAM_SIZE, BEST_OF, Asked, WhisperTranscriber

WINDOW_S = 30.0
CUDA_BATCH_SIZE = 8
MAX_COMPRESSION_RATIO = 2.4
"""A text that packs better than this repeats itself (Radford et al. 2022, section 4.5)."""
_NEEDED = ("model.bin", "config.json", "tokenizer.json")


class FasterWhisperEngine:
    """Loads converted models from `weights_dir/faster-whisper/<name>/`."""

    name: ClassVar[str] = "faster-whisper"
    capabilities: ClassVar[Capabilities] = Capabilities(
        detects_language=True, translates=True, prompt=True, hotwords=True, devices=("cpu", "cuda")
    )

    def __init__(self, weights_dir: Path) -> None:
        self._folder = weights_dir / "faster-whisper"

    def models(self) -> Sequence[ModelInfo]:
        """Every known model, most accurate first, and whatever other converted models are here."""
        return listed(self._find, (path.parent.name for path in self._folder.glob("*/model.bin")))

    def load(self, model: ModelInfo, hardware: Hardware) -> WhisperTranscriber:
        """Load a converted model; never fetches one.

        Raises:
            EngineUnavailable: it is not here, or cannot be read.
            OutOfMemory: it does not fit.
        """
        if model.path is None or not _is_complete(model.path):
            raise EngineUnavailable(engine=self.name, reason=f"the weights of {model.name} are not on this machine")
        limit_threads(hardware)
        with while_loading(self.name, model.name):
            loaded = _loaded(model.path, hardware)
            batch_size = CUDA_BATCH_SIZE if hardware.device == "cuda" else 1
            return WhisperTranscriber(self.name, model.name, CTranslateNet(loaded, batch_size))

    def _find(self, name: str) -> Path | None:
        path = self._folder / name
        return path if _is_complete(path) else None


class CTranslateNet:
    """A `WhisperNet` run by CTranslate2.

    An accelerator is kept busy by decoding several clips at once; cores are busy with one, and would only need more
    memory. A batch costs some care, because the library's batched pipeline neither tries again where decoding failed
    nor returns to what it left undecoded: it is asked for text without times, so that nothing is left behind, and
    clips that came out badly are decoded again on their own.
    """

    def __init__(self, model: Any, batch_size: int = 1) -> None:
        self._model = model
        self.batch_size = batch_size
        # The library names every language Whisper ever knew, whether or not these weights have a token for it.
        known = (code for code in model.supported_languages if _has_token(model, code))
        self.languages = frozenset(known if model.model.is_multilingual else ("en",))

    def detect(self, clip: Pcm) -> str:
        """The most probable language of the first 30 s."""
        language, _, _ = self._model.detect_language(audio=clip)
        return str(language)

    def n_tokens(self, text: str) -> int:
        """How much of the context a text takes."""
        return len(self._model.hf_tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, clips: Sequence[Pcm], asked: Asked) -> Iterator[tuple[int, Decoded]]:
        """Together if there are several and each fits a window, else one by one, telling segments as they come."""
        if len(clips) > 1 and max(map(len, clips)) <= WINDOW_S * RATE_HZ:
            yield from self._decode_together(clips, asked)
            return
        for index, clip in enumerate(clips):
            for decoded in self._decode_alone(clip, asked):
                yield index, decoded

    def _decode_alone(self, clip: Pcm, asked: Asked) -> Iterator[Decoded]:
        """One clip; temperatures and thresholds of the library's fallback are left at their defaults."""
        segments, _ = self._model.transcribe(
            clip, condition_on_previous_text=False, word_timestamps=asked.word_timestamps, **_common(asked)
        )
        return map(_decoded, segments)

    def _decode_together(self, clips: Sequence[Pcm], asked: Asked) -> Iterator[tuple[int, Decoded]]:
        import numpy as np
        from faster_whisper import BatchedInferencePipeline

        starts = np.cumsum([0, *map(len, clips)]) / RATE_HZ
        # Half a sample more, because the library rounds down.
        places = [
            {"start": start + 0.5 / RATE_HZ, "end": end + 0.5 / RATE_HZ}
            for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
        ]
        segments, _ = BatchedInferencePipeline(self._model).transcribe(
            np.concatenate(clips),
            clip_timestamps=places,
            batch_size=len(clips),
            without_timestamps=True,
            word_timestamps=True,
            **_common(asked),
        )
        for index, (_, pieces) in enumerate(groupby(segments, attrgetter("seek"))):
            for decoded in self._checked(list(pieces), clips[index], float(starts[index]), asked):
                yield index, decoded

    def _checked(self, pieces: Sequence[Any], clip: Pcm, start_s: float, asked: Asked) -> Iterator[Decoded]:
        """A clip's part of a batch in lines, with times from the clip's start; decoded anew if it went wrong."""
        if any(_went_wrong(piece) for piece in pieces):
            yield from self._decode_alone(clip, asked)
            return
        for piece in pieces:
            for line in lines(_shifted(_decoded(piece), -start_s)):
                yield line if asked.word_timestamps else replace(line, words=())


def _has_token(model: Any, code: str) -> bool:
    return model.hf_tokenizer.token_to_id(f"<|{code}|>") is not None


def _common(asked: Asked) -> dict[str, Any]:
    return {
        "language": asked.language,
        "task": asked.task,
        "initial_prompt": asked.texts.prompt or None,
        "hotwords": asked.texts.hotwords or None,
        "beam_size": BEAM_SIZE,
        "best_of": BEST_OF,
    }


def _loaded(path: Path, hardware: Hardware) -> Any:
    from faster_whisper import WhisperModel

    model = WhisperModel(
        str(path.absolute()),
        device=hardware.device,
        compute_type=hardware.compute_type,
        cpu_threads=hardware.n_threads,
        local_files_only=True,
    )
    n_mels = model.feature_extractor.mel_filters.shape[0]
    if n_mels != model.model.n_mels:
        # Only the third large model has 128; without its preprocessor_config.json it would be fed 80.
        raise ValueError(f"{model.model.n_mels} mel bands needed, {n_mels} configured")
    return model


def _is_complete(path: Path) -> bool:
    """Whether nothing is missing that the library would otherwise look for on the network."""
    has_needed = all((path / name).is_file() and (path / name).stat().st_size for name in _NEEDED)
    return has_needed and any(path.glob("vocabulary.*"))


def _went_wrong(piece: Any) -> bool:
    """Whether a second look is due: the text repeats itself, is improbable, or stands where nobody may speak."""
    return bool(
        piece.compression_ratio > MAX_COMPRESSION_RATIO
        or piece.avg_logprob < LOW_LOG_PROBABILITY
        or piece.no_speech_prob > NO_SPEECH_PROBABILITY
    )


def _decoded(segment: Any) -> Decoded:
    return Decoded(
        text=segment.text,
        start_s=float(segment.start),
        end_s=float(segment.end),
        avg_logprob=float(segment.avg_logprob),
        no_speech_prob=float(segment.no_speech_prob),
        window_s=segment.seek / 100,
        words=tuple(
            DecodedWord(word.word, float(word.start), float(word.end), float(word.probability))
            for word in segment.words or ()
        ),
    )


def _shifted(decoded: Decoded, by_s: float) -> Decoded:
    """The same, later by some time, and as from the first window."""
    words = tuple(replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s) for word in decoded.words)
    return replace(decoded, start_s=decoded.start_s + by_s, end_s=decoded.end_s + by_s, window_s=0.0, words=words)
