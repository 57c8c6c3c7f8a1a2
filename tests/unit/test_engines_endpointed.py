"""How a stream is cut into utterances, with an ear that hears what a test puts into the samples."""

import numpy as np
import pytest

from app.audio.sound import RATE_HZ
from app.domain.transcript import Word
from app.engines.agreement import Agreement
from app.engines.endpointed import EndpointedRecognizer
from app.engines.hearing import Said
from app.engines.streaming import Hypothesis, Silence, StreamOptions, Utterance
from app.engines.tape import Tape

WORD_S = 0.5


class LoudIsSpeech:
    hop = 512

    def probabilities(self, pcm):
        return (np.abs(pcm).reshape(-1, self.hop).max(axis=1) > 0).astype(np.float32)

    def reset(self):
        pass


class Counting:
    """Hears a word in every half second, named by the value of the samples in its middle."""

    def begin(self):
        self._sound = Tape()

    def hear(self, pcm):
        assert len(pcm), "there are decoders that fail on no sound at all"
        self._sound.append(pcm)

    def hypothesis(self):
        return self._said().text

    def conclude(self):
        return self._said()

    def close(self):
        pass

    def _said(self):
        pcm = self._sound.read(0, len(self._sound))
        places = np.nonzero(np.diff(pcm, prepend=0.0))[0]
        words = [
            Word(str(round(pcm[a] * 1000)), a / RATE_HZ, min(b, len(pcm)) / RATE_HZ, 1.0)
            for a, b in zip(places, [*places[1:], len(pcm)], strict=True)
            if pcm[a]
        ]
        return Said.of_words(words)


def speech(first, last):
    """The words `first` to `last`, half a second each, without a pause."""
    values = np.arange(first, last + 1, dtype=np.float32) / 1000
    return np.repeat(values, int(WORD_S * RATE_HZ))


def quiet(duration_s):
    return np.zeros(int(duration_s * RATE_HZ), np.float32)


def heard(pcm, n_samples=1_600, **options):
    recognizer = EndpointedRecognizer(Counting(), StreamOptions(**options), LoudIsSpeech)
    told = [one for at in range(0, len(pcm), n_samples) for one in recognizer.accept(pcm[at : at + n_samples])]
    return [*told, *recognizer.finish()]


def finals(told):
    return [one for one in told if isinstance(one, Utterance)]


def test_somebody_who_never_pauses_is_cut_between_words_and_no_word_is_lost_or_said_twice():
    told = finals(heard(np.concatenate([quiet(1), speech(1, 130), quiet(2)])))
    assert len(told) >= 3
    assert all(one.segment.end_s - one.segment.start_s <= 25.0 for one in told)
    assert [one.speech_final for one in told] == [False] * (len(told) - 1) + [True]
    assert " ".join(one.segment.text for one in told) == " ".join(map(str, range(1, 131)))


def test_a_stream_may_end_in_mid_utterance_just_where_a_frame_does():
    told = heard(speech(1, 2)[: LoudIsSpeech.hop * 30])
    assert [one.segment.text for one in finals(told)] == ["1 2"]


def test_a_long_utterance_ends_at_the_first_short_pause():
    told = finals(heard(np.concatenate([speech(1, 10), quiet(0.4), speech(11, 40), quiet(0.4), speech(41, 50)])))
    assert [one.segment.text.split()[-1] for one in told] == ["40", "50"]
    assert not told[0].speech_final


def test_words_keep_their_times_however_often_the_stream_was_cut():
    told = finals(heard(np.concatenate([quiet(1), speech(1, 130), quiet(2)])))
    words = [word for one in told for word in one.segment.words]
    assert [word.start_s for word in words] == pytest.approx([1.0 + WORD_S * i for i in range(130)], abs=0.001)


def test_what_is_held_stays_bounded_while_nobody_speaks():
    recognizer = EndpointedRecognizer(Counting(), StreamOptions(), LoudIsSpeech)
    for _ in range(100):
        recognizer.accept(quiet(1))
    assert len(recognizer._tape) <= 2 * RATE_HZ


def test_one_that_is_behind_makes_no_hypotheses_until_it_has_caught_up():
    pcm = np.concatenate([quiet(1), speech(1, 20)])
    n_live = sum(isinstance(one, Hypothesis) for one in heard(pcm))
    n_late = sum(isinstance(one, Hypothesis) for one in heard(pcm, n_samples=len(pcm)))
    assert n_live >= 18
    assert 1 <= n_late <= 4


def test_one_of_whom_more_waits_makes_no_hypotheses_and_says_the_same():
    pcm = np.concatenate([quiet(1), speech(1, 20), quiet(1)])
    recognizer = EndpointedRecognizer(Counting(), StreamOptions(), LoudIsSpeech)
    pieces = [pcm[at : at + RATE_HZ // 10] for at in range(0, len(pcm), RATE_HZ // 10)]
    told = [one for piece in pieces for one in recognizer.accept(piece, is_behind=True)]
    assert not [one for one in told if isinstance(one, Hypothesis)]
    assert finals(told) == finals(heard(pcm))


def test_a_noise_without_words_moves_the_cursor_and_says_nothing():
    class Deaf(Counting):
        def _said(self):
            return Said()

    recognizer = EndpointedRecognizer(Deaf(), StreamOptions(), LoudIsSpeech)
    told = recognizer.accept(np.concatenate([speech(1, 2), quiet(1)]))
    assert [type(one) for one in told] == [Silence]


def test_what_two_hypotheses_agreed_on_no_longer_changes():
    agreement = Agreement()
    assert agreement.update("The fox") == "The fox"
    assert agreement.update("the fox jumps,") == "the fox jumps,"
    assert agreement.update("The box jumps over") == "the fox jumps over"
    assert agreement.update("The box jumps over it") == "the fox jumps over it"
    assert agreement.update("A cat") == "the fox jumps over"


def test_a_tape_is_what_was_put_on_it_less_what_was_cut_off():
    tape, kept = Tape(), np.zeros(0, np.float32)
    random = np.random.default_rng(0)
    for _ in range(200):
        block = random.normal(size=random.integers(0, 9_000)).astype(np.float32)
        tape.append(block)
        kept = np.concatenate([kept, block])
        n_dropped = int(random.integers(0, len(kept) + 1)) if random.random() < 0.2 else 0
        tape.drop(n_dropped)
        kept = kept[n_dropped:]
        assert np.array_equal(tape.read(0, len(tape)), kept)
