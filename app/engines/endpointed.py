"""A stream cut into utterances where silero-vad hears speech and silence, each given to an engine's `Hearing`.

Everything happens at whole hops counted from the cursor, and at a cursor everything is forgotten. So what is told
does not depend on how the sound came, and a recogniser that begins at a cursor tells what this one would have.
"""

from collections import deque
from collections.abc import Callable, Sequence

from app.audio.sound import RATE_HZ, Pcm, VoiceActivity
from app.engines.hearing import Hearing, Said
from app.engines.silero import SileroVad
from app.engines.streaming import Heard, Hypothesis, Silence, StreamOptions, Utterance
from app.engines.tape import Tape

ON = 0.5
OFF = 0.35
"""Both are silero-vad's own values for streams."""
PAD = RATE_HZ // 2
"""What is heard before the first frame that is surely speech: a soft beginning is less sure."""
SILENCE_STEP = 2 * RATE_HZ
"""How much silence may be held."""
HYPOTHESIS_STEP = RATE_HZ // 5
LONG = 18 * RATE_HZ
"""An utterance this long ends at the first short pause …"""
SHORT_PAUSE = RATE_HZ // 4
TOO_LONG = 25 * RATE_HZ
"""… and one this long between two words, wherever the speaker is."""
FRAMES_AT_ONCE = 8
"""Most frames that are judged in one call, which costs much for itself; those after an end are judged anew."""
BEHIND = RATE_HZ
"""With more than this still unheard, hypotheses would only cost time: newer ones are due already."""


class EndpointedRecognizer:
    """A `StreamingRecognizer` over any `Hearing`."""

    def __init__(
        self, hearing: Hearing, options: StreamOptions, activity: Callable[[], VoiceActivity] = SileroVad
    ) -> None:
        self._hearing = hearing
        self._activity = activity()
        self._endpoint = options.endpoint_ms * RATE_HZ // 1000
        self._wants_hypotheses = options.interim_results
        self._tape = Tape()
        self._cursor = 0
        self._is_behind = False
        self._renew()

    def _renew(self) -> None:
        """Places count from the cursor: `_at` is what was listened to, `_onset` where the utterance began."""
        self._at = 0
        self._onset: int | None = None
        self._n_quiet = 0
        self._supposed = ""
        self._supposed_at = 0
        self._judged: deque[float] = deque()
        self._activity.reset()

    def accept(self, pcm: Pcm, *, is_behind: bool = False) -> Sequence[Heard]:
        """See `StreamingRecognizer`."""
        self._is_behind = is_behind
        self._tape.append(pcm)
        heard: list[Heard] = []
        while len(self._tape) - self._at >= self._activity.hop:
            heard += self._step()
        return heard

    def finish(self) -> Sequence[Heard]:
        """See `StreamingRecognizer`."""
        rest, self._at = self._tape.read(self._at, len(self._tape)), len(self._tape)
        if self._onset is None:
            return [self._silence(self._at)]
        if len(rest):  # a decoder need not take nothing for sound
            self._hearing.hear(rest)
        return [self._ended(self._hearing.conclude(), speech_final=True)]

    def close(self) -> None:
        """See `StreamingRecognizer`."""
        self._hearing.close()

    def _step(self) -> Sequence[Heard]:
        if not self._judged:
            self._judge()
        probability = self._judged.popleft()
        frame = self._tape.read(self._at, self._at + self._activity.hop)
        self._at += len(frame)
        if self._onset is not None:
            return self._speaking(frame, probability)
        if probability >= ON:
            self._begin()
        elif self._at >= SILENCE_STEP:
            return [self._silence(self._at - PAD)]
        return []

    def _judge(self) -> None:
        """Whether somebody speaks in the frames that are there. What is told of each is the same in any company."""
        n_frames = min(FRAMES_AT_ONCE, (len(self._tape) - self._at) // self._activity.hop)
        sound = self._tape.read(self._at, self._at + n_frames * self._activity.hop)
        self._judged.extend(self._activity.probabilities(sound).tolist())

    def _begin(self) -> None:
        self._onset = max(0, self._at - self._activity.hop - PAD)
        self._supposed_at = self._at
        self._hearing.begin()
        self._hearing.hear(self._tape.read(self._onset, self._at))

    def _speaking(self, frame: Pcm, probability: float) -> Sequence[Heard]:
        self._hearing.hear(frame)
        self._n_quiet = 0 if probability >= OFF else self._n_quiet + len(frame)
        if self._n_quiet >= self._pause():
            is_over = self._n_quiet >= self._endpoint
            return [self._ended(self._hearing.conclude(), speech_final=is_over)]
        if self._n_samples() >= TOO_LONG:
            return [self._cut(self._hearing.conclude())]
        return self._hypothesis()

    def _n_samples(self) -> int:
        """The length of the utterance so far."""
        return self._at - (self._onset or 0)

    def _pause(self) -> int:
        """The silence that ends the utterance."""
        return self._endpoint if self._n_samples() < LONG else min(self._endpoint, SHORT_PAUSE)

    def _hypothesis(self) -> Sequence[Heard]:
        is_due = self._at - self._supposed_at >= HYPOTHESIS_STEP
        if not self._wants_hypotheses or not is_due or self._is_behind or len(self._tape) - self._at > BEHIND:
            return []
        self._supposed_at = self._at
        text = self._hearing.hypothesis()
        if not text or text == self._supposed:
            return []
        self._supposed = text
        return [Hypothesis(text, self._cursor + (self._onset or 0), self._cursor + self._at)]

    def _cut(self, said: Said) -> Heard:
        """All but the last word of an utterance that is too long; what comes after is heard again."""
        if len(said.words) < 2:
            return self._ended(said, speech_final=False)
        *kept, last = said.words
        pause_s = (kept[-1].end_s + last.start_s) / 2
        self._at = max(1, min(self._at, (self._onset or 0) + round(pause_s * RATE_HZ)))
        return self._ended(Said.of_words(kept), speech_final=False)

    def _ended(self, said: Said, *, speech_final: bool) -> Heard:
        start_s = (self._cursor + (self._onset or 0)) / RATE_HZ
        end_s = (self._cursor + self._at) / RATE_HZ
        silence = self._silence(self._at)
        if not said.text:
            return silence
        return Utterance(said.placed(start_s, end_s), silence.cursor, speech_final, said.alternatives)

    def _silence(self, n_samples: int) -> Silence:
        """Move the cursor on, and forget all that was before."""
        self._tape.drop(n_samples)
        self._cursor += n_samples
        self._renew()
        return Silence(self._cursor)
