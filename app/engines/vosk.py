"""Vosk: many languages, one small model for each, faster than real time on any machine.

A model is a folder `vosk/<name>` in the weights folder; its name tells its language. Vosk can be held to a list of
phrases but not made to favour some words, so it declares no hotwords.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from app.audio.sound import RATE_HZ, Pcm, Span, SpanPolicy
from app.domain.transcript import Segment, Word
from app.engines.base import Capabilities, EngineOptions, Hardware, ModelInfo
from app.engines.failures import while_loading, while_working
from app.engines.pcm16 import to_pcm16
from app.engines.phrasing import segments_of
from app.engines.vosk_models import listed

if TYPE_CHECKING:
    from app.engines.vosk_live import VoskModel

CHUNK = RATE_HZ // 5
"""Samples given at once: 0.2 s, so that an end of speech is noticed soon."""
MIN_SAMPLES = RATE_HZ // 10
SILENT = -1
"""The log level at which Kaldi writes nothing to stderr but what it dies of."""
_UNKNOWN = ("[unk]", "<unk>")


class VoskEngine:
    """Any of Vosk's models, recorded or live."""

    name: ClassVar[str] = "vosk"
    # It finds pauses by itself and adapts to the voice as it goes: spans may be long.
    capabilities: ClassVar[Capabilities] = Capabilities(
        streams=True, spans=SpanPolicy(max_s=300.0, join_gap_s=2.0, pad_s=0.3, min_silence_s=0.5)
    )

    def __init__(self, weights_dir: Path) -> None:
        self._folder = weights_dir / self.name

    def models(self) -> Sequence[ModelInfo]:
        """The models Vosk publishes, and those that are in the folder."""
        return listed(self._folder)

    def load(self, model: ModelInfo, hardware: Hardware) -> "VoskTranscriber":  # noqa: ARG002 - one thread is all it uses
        """Read a model: a second for a small one, some more for a large one.

        Raises:
            EngineUnavailable: it is not here, or not a model.
        """
        with while_loading(self.name, model.name):
            return VoskTranscriber(load_model(model.path), model.languages[0])

    def load_streaming(self, model: ModelInfo, hardware: Hardware) -> "VoskModel":  # noqa: ARG002 - as `load`
        """Read a model that all streams of the process share.

        Raises:
            EngineUnavailable: it is not here, or not a model.
        """
        from app.engines.vosk_live import VoskModel

        with while_loading(self.name, model.name):
            return VoskModel(load_model(model.path), model.languages[0])


class VoskTranscriber:
    """A model at work; each span gets a recognizer of its own."""

    def __init__(self, loaded: Any, language: str) -> None:
        self._model = loaded
        self.language: str | None = language

    def detect_language(self, pcm: Pcm) -> str | None:  # noqa: ARG002 - a model knows one language
        """None: it cannot tell."""
        return None

    def transcribe(self, pcm: Pcm, spans: Sequence[Span], options: EngineOptions) -> Iterator[Segment]:
        """Yield segments as soon as the speaker pauses (see `Transcriber`).

        Raises:
            EngineError: the recognizer failed.
        """
        for span in spans:
            if span.n_samples >= MIN_SAMPLES:
                for words in self._utterances(pcm, span):
                    yield from segments_of(words, keep_words=options.word_timestamps)

    def _utterances(self, pcm: Pcm, span: Span) -> Iterator[list[Word]]:
        with while_working():
            loaded = recognizer(self._model)
            for start in range(span.start, span.end, CHUNK):
                if loaded.AcceptWaveform(to_pcm16(pcm[start : min(start + CHUNK, span.end)])):
                    yield words_of(loaded.Result(), span)
            yield words_of(loaded.FinalResult(), span)


def load_model(folder: Path | None) -> Any:
    """A model that any number of recognizers can share.

    Raises:
        FileNotFoundError: there is no folder.
    """
    import vosk

    if folder is None or not folder.is_dir():
        raise FileNotFoundError("the model is not here")
    vosk.SetLogLevel(SILENT)
    return vosk.Model(str(folder))


def recognizer(loaded: Any) -> Any:
    """A new recognizer that tells words with their times and confidences."""
    import vosk

    made = vosk.KaldiRecognizer(loaded, RATE_HZ)
    made.SetWords(True)
    return made


def words_of(result: str, span: Span) -> list[Word]:
    """The words of one of Vosk's JSON results, in the time of the whole sound."""
    start_s, end_s = span.start / RATE_HZ, span.end / RATE_HZ
    return [
        Word(
            word=heard["word"],
            start_s=min(end_s, start_s + heard["start"]),
            end_s=min(end_s, start_s + heard["end"]),
            # With alternatives, only each reading as a whole has a score.
            confidence=min(1.0, max(0.0, heard["conf"])) if "conf" in heard else None,
        )
        for heard in json.loads(result).get("result", ())
        if heard["word"] not in _UNKNOWN
    ]
