"""The judge of live sessions under chaos finds what is wrong with them, and nothing where nothing is."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from app.domain.live import StreamSpec
from app.models import Job
from app.services.media.folder import FolderStorage
from tests.faults.speech import Speech
from tests.faults.speech_checker import Outcome, undisturbed

READY = {"type": "ready", "job_uuid": "here", "resume_token": "secret", "received": 0, "committed": 0}
N_SAMPLES_SENT = 16_000


@pytest.fixture
def speech() -> Speech:
    """In the middle of it: a second is said, and one final is heard."""
    speech = Speech(3, 300, StreamSpec())
    speech.hear(READY)
    for _ in range(10):
        speech.next()
    speech.hear({"type": "final", "seq": 1, "segment": {}})
    return speech


@pytest.fixture
def spoken() -> Speech:
    """One that all went well with."""
    speech = Speech(3, 300, StreamSpec())
    speech.hear(READY)
    while speech.next():
        pass
    segments, n_samples = undisturbed(speech)
    for seq, segment in enumerate(segments, start=1):
        speech.hear({"type": "final", "seq": seq, "segment": segment})
    text = " ".join(segment["text"] for segment in segments)
    speech.hear({"type": "completed", "transcription": text, "duration": round(n_samples / 16_000, 3)})
    return speech


def outcome_of(speech: Speech, *, state: str = "COMPLETED", may_be_cut_short: bool = False) -> Outcome:
    segments, _ = undisturbed(speech)
    return Outcome(speech, Job(state=state), copy.deepcopy(segments), may_be_cut_short=may_be_cut_short)


def judged(outcome: Outcome, folder) -> list[str]:
    return list(outcome.judged(FolderStorage(folder)))


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ({"type": "final", "seq": 1}, "final 1 was told after final 1"),
        ({"type": "final", "seq": 3}, "final 3 was told after final 1"),
        ({"type": "partial", "seq": 1}, "after it was said for good"),
        ({"type": "ack", "committed": N_SAMPLES_SENT + 1}, "32002 bytes are committed, of 32000 sent"),
        ({**READY, "received": N_SAMPLES_SENT + 1}, "it is said to hold 32002 bytes"),
        ({**READY, "job_uuid": "elsewhere"}, "another session answered"),
        ({"type": "error", "code": "internal_error"}, "an error was told"),
    ],
)
def test_what_must_not_be_told_is_noted_at_once(speech, told: dict[str, Any], what):
    speech.hear(told)
    assert len(speech.broken) == 1
    assert what in speech.broken[0]


def test_sound_that_could_be_forgotten_may_not_be_asked_for_again(speech):
    speech.hear({"type": "ack", "committed": 8_000})
    speech.hear({**READY, "received": 8_000})
    assert speech.broken == []
    speech.hear({**READY, "received": 7_999})
    assert "16000 bytes may be forgotten" in speech.broken[0]


def test_a_session_that_went_well_is_found_to_have(spoken, tmp_path):
    assert spoken.broken == judged(outcome_of(spoken), tmp_path) == []


def test_a_final_that_is_another_than_was_told_is_found(spoken, tmp_path):
    spoken.finals[1]["segment"] = {**spoken.finals[1]["segment"], "text": "other words"}
    [what] = judged(outcome_of(spoken), tmp_path)
    assert what.startswith("told were")


def test_a_word_that_is_late_by_a_hundredth_is_found(spoken, tmp_path):
    outcome = outcome_of(spoken)
    outcome.stored[2]["words"][1]["start"] += 0.01
    spoken.finals[2]["segment"] = outcome.stored[2]
    [what, *_] = judged(outcome, tmp_path)
    assert "instead of" in what


def test_an_utterance_that_is_not_there_is_found(spoken, tmp_path):
    outcome = outcome_of(spoken)
    spoken.finals.pop()
    outcome = replace(outcome, stored=outcome.stored[:-1])
    assert any("instead of" in what for what in judged(outcome, tmp_path))


@pytest.mark.parametrize("may_be_cut_short", [True, False])
def test_sound_that_is_missing_is_found_unless_its_speaker_had_left(spoken, tmp_path, may_be_cut_short):
    spoken.completed = {**(spoken.completed or {}), "duration": 3.5}
    found = judged(outcome_of(spoken, may_be_cut_short=may_be_cut_short), tmp_path)
    assert any("too short" in what for what in found) is not may_be_cut_short


def test_a_session_without_end_is_found(spoken, tmp_path):
    assert "it is PROCESSING" in judged(outcome_of(spoken, state="PROCESSING"), tmp_path)[0]
