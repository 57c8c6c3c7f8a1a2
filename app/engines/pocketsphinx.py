"""PocketSphinx: English, with the model that its wheel carries, so that a bare machine can transcribe at once.

The settings are the best of those tried on read speech: one utterance for each stretch of speech, 8 Gaussians a
state instead of 4, and no second pass over the same words (26.7 % of words wrong instead of 31.7 %, in a fifth of
real time). The decoder holds the interpreter's lock while it works.
"""

import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from app.audio.sound import RATE_HZ, Pcm, Span, SpanPolicy
from app.domain.transcript import Segment, Word
from app.engines.base import Capabilities, EngineOptions, Hardware, ModelInfo
from app.engines.failures import while_loading, while_working
from app.engines.pcm16 import FULL_SCALE, to_pcm16
from app.engines.phrasing import segments_of

if TYPE_CHECKING:
    from app.engines.pocketsphinx_live import PocketsphinxModel

MODEL = "en-us"
FRAME_S = 0.01
MIN_SAMPLES = RATE_HZ // 10
"""Nobody says a word in less than 0.1 s, and the decoder refuses a stretch without a single frame."""
SETTINGS = {"samprate": RATE_HZ, "topn": 8, "fwdflat": False, "loglevel": "FATAL"}
_VARIANT = re.compile(r"\(\d+\)$")
_FILLER = ("<", "[", "+")


class PocketsphinxEngine:
    """English without any download, recorded or live."""

    name: ClassVar[str] = "pocketsphinx"
    capabilities: ClassVar[Capabilities] = Capabilities(
        streams=True, spans=SpanPolicy(max_s=30.0, join_gap_s=1.0, pad_s=0.5, min_silence_s=1.0)
    )

    def __init__(self, _weights_dir: Path) -> None:
        """`_weights_dir` is not used: the weights are in the wheel."""

    def models(self) -> Sequence[ModelInfo]:
        """The one model in the wheel."""
        return [ModelInfo(MODEL, ("en",), _model_folder())]

    def load(self, model: ModelInfo, hardware: Hardware) -> "PocketsphinxTranscriber":  # noqa: ARG002 - one thread is all it uses
        """A decoder of its own, 88 MB.

        Raises:
            EngineUnavailable: the package is not installed, or damaged.
        """
        with while_loading(self.name, model.name):
            return PocketsphinxTranscriber(decoder())

    def load_streaming(self, model: ModelInfo, hardware: Hardware) -> "PocketsphinxModel":  # noqa: ARG002 - as `load`
        """A decoder, and more of them when several people speak at once.

        Raises:
            EngineUnavailable: the package is not installed, or damaged.
        """
        from app.engines.pocketsphinx_live import PocketsphinxModel

        with while_loading(self.name, model.name):
            return PocketsphinxModel()


class PocketsphinxTranscriber:
    """A decoder at work."""

    language: str | None = "en"

    def __init__(self, loaded: Any) -> None:
        self._decoder = loaded

    def detect_language(self, pcm: Pcm) -> str | None:  # noqa: ARG002 - it knows nothing but English
        """None: it cannot tell."""
        return None

    def transcribe(self, pcm: Pcm, spans: Sequence[Span], options: EngineOptions) -> Iterator[Segment]:
        """Yield the segments of one span after the other (see `Transcriber`).

        Raises:
            EngineError: the decoder failed.
        """
        for span in spans:
            if span.n_samples >= MIN_SAMPLES:
                yield from segments_of(self._words(pcm, span), keep_words=options.word_timestamps)

    def _words(self, pcm: Pcm, span: Span) -> list[Word]:
        with while_working():
            decode_utterance(self._decoder, pcm[span.start : span.end])
            return [shifted(word, span) for word in decoded_words(self._decoder)]


def decoder() -> Any:
    """A decoder with the settings above and the wheel's English model."""
    import pocketsphinx

    return pocketsphinx.Decoder(**SETTINGS)


def decode_utterance(loaded: Any, pcm: Pcm) -> None:
    """Go through one whole utterance, so that the decoder's words and hypothesis are those of it."""
    # Forgets the noise of earlier utterances: the same sound shall give the same text in any order.
    loaded.reinit_feat()
    loaded.start_utt()
    try:
        loaded.process_raw(to_pcm16(dithered(pcm)), no_search=False, full_utt=True)
    finally:
        # Else the next utterance could not begin.
        loaded.end_utt()


def dithered(pcm: Pcm) -> Pcm:
    """`pcm` with noise in its last bit: of digital silence the decoder takes the logarithm, and hears words in it.

    The noise is always the same, so that the same sound always gives the same text.
    """
    noise = np.random.default_rng(0).integers(-1, 2, len(pcm)) / FULL_SCALE
    return (pcm + noise).astype(np.float32)


def decoded_words(loaded: Any) -> Iterator[Word]:
    """The words of the last utterance, without noises, fillers and the marks of variant pronunciations."""
    for heard in loaded.seg() or ():
        if not heard.word.startswith(_FILLER):
            yield Word(
                word=_VARIANT.sub("", heard.word),
                start_s=heard.start_frame * FRAME_S,
                end_s=(heard.end_frame + 1) * FRAME_S,
                confidence=min(1.0, max(0.0, heard.prob)),
            )


def without_marks(text: str) -> str:
    """A hypothesis as people read it: no marks of variant pronunciations."""
    return " ".join(_VARIANT.sub("", word) for word in text.split() if not word.startswith(_FILLER))


def shifted(word: Word, span: Span) -> Word:
    """A word whose times count from the start of `span`, in the time of the whole sound."""
    start_s, end_s = span.start / RATE_HZ, span.end / RATE_HZ
    return Word(word.word, start_s + word.start_s, min(end_s, start_s + word.end_s), word.confidence)


def _model_folder() -> Path | None:
    """Where the installed wheel keeps the model, found without importing the package."""
    spec = find_spec("pocketsphinx")
    folders = [Path(folder) / "model" / MODEL for folder in (spec and spec.submodule_search_locations) or ()]
    return next((folder for folder in folders if folder.is_dir()), None)
