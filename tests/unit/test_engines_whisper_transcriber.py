"""How a request becomes calls of a net, seen with a net that only keeps note of them."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from app.audio.sound import RATE_HZ, Span
from app.domain.errors import EngineError, EngineUnavailable, OutOfMemory
from app.engines.base import EngineOptions
from app.engines.whisper_segments import Decoded
from app.engines.whisper_transcriber import WhisperTranscriber

SOUND = np.zeros(100 * RATE_HZ, np.float32)
SPANS = [Span(start * RATE_HZ, (start + 1) * RATE_HZ) for start in (0, 10, 20)]


@dataclass
class NotingNet:
    """Hears "Yes." in each clip."""

    languages: frozenset[str] = frozenset({"en", "fr", "jw"})
    batch_size: int = 1
    spoken: str = "fr"
    error: Exception | None = None
    judged_s: list[float] = field(default_factory=list)
    batches: list[list[float]] = field(default_factory=list)
    asked: list = field(default_factory=list)

    def detect(self, clip):
        self.judged_s.append(len(clip) / RATE_HZ)
        return self.spoken

    def n_tokens(self, text):
        return len(text.split())

    def decode(self, clips, asked):
        if self.error:
            raise self.error
        self.batches.append([len(clip) / RATE_HZ for clip in clips])
        self.asked.append(asked)
        for index in range(len(clips)):
            yield index, Decoded(" Yes.", 0.2, 0.8, -0.1, 0.0)


def heard(net, spans=SPANS, model="medium", **options):
    transcriber = WhisperTranscriber("whisper", model, net)
    return list(transcriber.transcribe(SOUND, spans, EngineOptions(**options)))


def test_each_span_is_decoded_and_its_times_moved_to_where_it_is():
    assert [segment.start_s for segment in heard(NotingNet())] == [0.2, 10.2, 20.2]


def test_spans_are_taken_together_as_far_as_the_net_likes():
    net = NotingNet(batch_size=2)
    assert [segment.start_s for segment in heard(net)] == [0.2, 10.2, 20.2]
    assert [len(batch) for batch in net.batches] == [2, 1]


def test_the_language_is_judged_once_by_half_a_minute_of_speech_at_most():
    net = NotingNet()
    heard(net, [Span(0, 20 * RATE_HZ), Span(30 * RATE_HZ, 55 * RATE_HZ), Span(60 * RATE_HZ, 70 * RATE_HZ)])
    assert net.judged_s == [30.0]
    assert {asked.language for asked in net.asked} == {"fr"}


def test_a_language_asked_for_is_not_judged():
    net = NotingNet()
    heard(net, language="jv-Latn")
    assert net.judged_s == []
    assert net.asked[0].language == "jw"


def test_a_language_is_told_by_its_standard_name():
    assert WhisperTranscriber("whisper", "medium", NotingNet(spoken="jw")).detect_language(SOUND) == "jv"


def test_english_weights_are_not_asked_what_is_spoken():
    net = NotingNet(languages=frozenset({"en"}))
    transcriber = WhisperTranscriber("whisper", "base.en", net)
    assert (transcriber.language, transcriber.detect_language(SOUND)) == ("en", "en")
    heard(net, model="base.en")
    assert net.judged_s == []
    assert net.asked[0].language == "en"


def test_english_weights_refuse_another_language():
    with pytest.raises(EngineUnavailable, match=r"base\.en does not know the language fr"):
        heard(NotingNet(languages=frozenset({"en"})), model="base.en", language="fr")


def test_no_work_is_done_before_the_first_segment_is_wanted():
    net = NotingNet(error=RuntimeError("at work already"))
    WhisperTranscriber("whisper", "medium", net).transcribe(SOUND, SPANS, EngineOptions())
    assert net.judged_s == []


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA failed with error out of memory")])
def test_having_no_memory_left_is_told_apart(error):
    with pytest.raises(OutOfMemory):
        heard(NotingNet(error=error))


def test_any_other_failure_gives_its_reason_without_paths():
    error = RuntimeError("cannot open /srv/weights/model.bin: gone\nat line 7")
    with pytest.raises(EngineError) as caught:
        heard(NotingNet(error=error))
    assert caught.value.message == "The engine failed: cannot open …: gone."
    assert caught.value.__cause__ is error


def test_a_mistake_of_ours_keeps_its_own_error():
    with pytest.raises(EngineUnavailable):
        heard(NotingNet(error=EngineUnavailable(engine="whisper", reason="x")))
