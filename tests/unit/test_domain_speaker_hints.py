"""What a client may say about the number of speakers."""

import pytest

from app.domain.errors import InvalidFields
from app.domain.speaker_hints import SpeakerHints


@pytest.mark.parametrize(
    ("hints", "field"),
    [
        ({"min_speakers": 3, "max_speakers": 2}, "min_speakers"),
        ({"n_speakers": 2, "min_speakers": 3}, "n_speakers"),
        ({"n_speakers": 4, "max_speakers": 3}, "n_speakers"),
        ({"n_speakers": 0}, "n_speakers"),
        ({"max_speakers": -1}, "max_speakers"),
        ({"min_speakers": 1000}, "min_speakers"),
    ],
)
def test_hints_that_contradict_each_other_are_refused_by_field(hints, field):
    with pytest.raises(InvalidFields) as refused:
        SpeakerHints(**hints)
    assert list(refused.value.errors) == [field]


def test_hints_that_agree_are_taken():
    hints = SpeakerHints(n_speakers=2, min_speakers=2, max_speakers=5)
    assert (hints.least, hints.most) == (2, 2)


def test_without_hints_there_is_one_speaker_or_more():
    assert (SpeakerHints().least, SpeakerHints().most) == (1, None)
