"""Vosk live. Each utterance has a recognizer of its own, so that nothing is carried from one to the next."""

import json
from typing import Any

from app.audio.sound import RATE_HZ, Pcm, Span
from app.domain.transcript import Word
from app.engines.endpointed import EndpointedRecognizer
from app.engines.failures import while_working
from app.engines.hearing import Said
from app.engines.pcm16 import to_pcm16
from app.engines.streaming import StreamingRecognizer, StreamOptions
from app.engines.vosk import words_of

_ANYTHING_ELSE = "[unk]"


class VoskModel:
    """A `StreamingModel`; any number of streams share it."""

    def __init__(self, loaded: Any, language: str) -> None:
        self._loaded = loaded
        self.language: str | None = language

    def open(self, options: StreamOptions) -> StreamingRecognizer:
        """See `StreamingModel`."""
        return EndpointedRecognizer(VoskHearing(self._loaded, options), options)


class VoskHearing:
    """A `Hearing`. Where Vosk itself hears an end before we do, what it told is kept as a piece."""

    def __init__(self, loaded: Any, options: StreamOptions) -> None:
        self._model = loaded
        self._options = options
        self.close()

    def begin(self) -> None:
        """See `Hearing`."""
        self.close()
        with while_working():
            self._recognizer: Any = live_recognizer(self._model, self._options)

    def hear(self, pcm: Pcm) -> None:
        """See `Hearing`."""
        self._n_samples += len(pcm)
        with while_working():
            if self._recognizer.AcceptWaveform(to_pcm16(pcm)):
                self._pieces.append(self._recognizer.Result())

    def hypothesis(self) -> str:
        """See `Hearing`."""
        with while_working():
            partial = json.loads(self._recognizer.PartialResult()).get("partial", "")
        texts = [*(_best(piece).get("text", "") for piece in self._pieces), partial]
        return " ".join(text for text in texts if text and text != _ANYTHING_ELSE)

    def conclude(self) -> Said:
        """See `Hearing`."""
        with while_working():
            pieces = [*self._pieces, self._recognizer.FinalResult()]
        whole = Span(0, self._n_samples)
        words: list[Word] = [word for piece in pieces for word in words_of(json.dumps(_best(piece)), whole)]
        self.close()
        return Said.of_words(words, _alternatives(pieces))

    def close(self) -> None:
        """See `Hearing`."""
        self._recognizer = None
        self._pieces: list[str] = []
        self._n_samples = 0


def live_recognizer(loaded: Any, options: StreamOptions) -> Any:
    """A new recognizer that tells words, and as many readings as are wanted; held to phrases if there are any."""
    import vosk

    held_to = [json.dumps([*options.phrases, _ANYTHING_ELSE])] if options.phrases else []
    made = vosk.KaldiRecognizer(loaded, RATE_HZ, *held_to)
    made.SetWords(True)
    made.SetMaxAlternatives(options.max_alternatives)
    return made


def _best(piece: str) -> dict[str, Any]:
    """The first reading of a result, in the form Vosk gives it without alternatives."""
    result: dict[str, Any] = json.loads(piece)
    return next(iter(result["alternatives"]), {}) if "alternatives" in result else result


def _alternatives(pieces: list[str]) -> tuple[tuple[str, float], ...]:
    """The readings of the only piece that has words; of several, only that of the best of each is sure to fit."""
    found = [json.loads(piece).get("alternatives", ()) for piece in pieces]
    spoken = [readings for readings in found if any(reading["text"] for reading in readings)]
    if len(spoken) != 1:
        best = [readings[0] for readings in spoken]
        return ((" ".join(one["text"] for one in best), sum(one["confidence"] for one in best)),) if best else ()
    return tuple((reading["text"], float(reading["confidence"])) for reading in spoken[0])
