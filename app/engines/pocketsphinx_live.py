"""PocketSphinx live: partial hypotheses while somebody speaks, words with times and confidences at the end.

A decoder weighs 88 MB and is only needed while somebody speaks, so the streams of a process share a few. The cepstral
mean is set before each utterance, and the level evened out, because a stream cannot look ahead for them (30.0 %
of words wrong instead of 38.9 % on read speech).
"""

from typing import Any

import numpy as np

from app.audio.sound import RATE_HZ, Pcm
from app.engines.endpointed import PAD, EndpointedRecognizer
from app.engines.failures import while_loading, while_working
from app.engines.hearing import Said
from app.engines.pcm16 import FULL_SCALE, to_pcm16
from app.engines.pocketsphinx import decoded_words, decoder, without_marks
from app.engines.streaming import StreamingRecognizer, StreamOptions

CEPSTRAL_MEAN = "52.86,9.73,-6.06,13.04,-9.31,2.25,-6.76,-9.57,0.18,-5.37,3.21,-3.25,2.71"
"""Of read English at the level below, over several voices."""
LEVEL = 0.1
"""−20 dBFS."""
MAX_GAIN = 30.0
LISTEN_FIRST = PAD + RATE_HZ // 2
"""Samples of an utterance that its level is judged by."""
FRAME = RATE_HZ // 50
LOUDER_THAN = 75
"""The percentage of frames that are softer than speech at its usual level."""


class PocketsphinxModel:
    """A `StreamingModel` with a pool of decoders."""

    language: str | None = "en"

    def __init__(self) -> None:
        self._idle = [decoder()]

    def open(self, options: StreamOptions) -> StreamingRecognizer:
        """See `StreamingModel`."""
        return EndpointedRecognizer(PocketsphinxHearing(self), options)

    def lend(self) -> Any:
        """A decoder that nobody else uses; give it back."""
        if self._idle:
            return self._idle.pop()
        with while_loading("pocketsphinx", "en-us"):
            return decoder()

    def take_back(self, lent: Any) -> None:
        """A decoder whose utterance is over."""
        self._idle.append(lent)


class PocketsphinxHearing:
    """A `Hearing`; it has a decoder as long as an utterance lasts."""

    def __init__(self, model: PocketsphinxModel) -> None:
        self._model = model
        self._decoder: Any = None

    def begin(self) -> None:
        """See `Hearing`."""
        self._unheard: list[Pcm] = []
        self._gain: float | None = None
        self._noise = np.random.default_rng(0)
        self._decoder = self._model.lend()
        with while_working():
            self._decoder.reinit_feat()
            self._decoder.set_cmn(CEPSTRAL_MEAN)
            self._decoder.start_utt()

    def hear(self, pcm: Pcm) -> None:
        """See `Hearing`. The first second is held until its level is known."""
        if self._gain is not None:
            self._decode(pcm)
            return
        self._unheard.append(pcm)
        if sum(map(len, self._unheard)) >= LISTEN_FIRST:
            self._decode_held()

    def hypothesis(self) -> str:
        """See `Hearing`."""
        with while_working():
            found = self._decoder.hyp()
            return without_marks(found.hypstr) if found else ""

    def conclude(self) -> Said:
        """See `Hearing`."""
        if self._gain is None:
            self._decode_held()
        with while_working():
            self._decoder.end_utt()
            said = Said.of_words(list(decoded_words(self._decoder)))
        self._give_back()
        return said

    def close(self) -> None:
        """See `Hearing`."""
        if self._decoder is not None:
            with while_working():
                self._decoder.end_utt()
            self._give_back()

    def _decode_held(self) -> None:
        held = np.concatenate(self._unheard)
        self._gain = gain_for(held)
        self._unheard = []
        self._decode(held)

    def _decode(self, pcm: Pcm) -> None:
        # Of digital silence the decoder takes the logarithm; the noise in the last bit is always the same.
        noise = self._noise.integers(-1, 2, len(pcm)) / FULL_SCALE
        with while_working():
            loud = (pcm * (self._gain or 1.0) + noise).astype(np.float32)
            self._decoder.process_raw(to_pcm16(loud), no_search=False, full_utt=False)

    def _give_back(self) -> None:
        self._model.take_back(self._decoder)
        self._decoder = None


def gain_for(pcm: Pcm) -> float:
    """The factor that brings speech (float32, shape (n,)) to the level the decoder likes."""
    n_frames = len(pcm) // FRAME
    if not n_frames:
        return 1.0
    levels = np.sqrt(np.square(pcm[: n_frames * FRAME].reshape(n_frames, FRAME)).mean(axis=1))
    level = float(np.percentile(levels, LOUDER_THAN))
    return min(MAX_GAIN, LEVEL / max(level, LEVEL / MAX_GAIN))
