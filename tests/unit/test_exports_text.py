"""The formats people read, and those that evaluation tools read."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidFields
from app.domain.speaker_turn import SpeakerTurn
from app.domain.transcript import Segment, Speaker, Transcript, Word
from app.exports.formats import FORMATS, render
from app.exports.plain import plain

DIALOGUE = Transcript(
    segments=(
        Segment(0, 0.0, 1.0, "Good morning.", 0.9, "S0", (Word("Good", 0, 0.4, 0.8), Word("morning.", 0.4, 1.0))),
        Segment(1, 1.2, 2.0, "How are you?", None, "S0"),
        Segment(2, 2.5, 3.0004, "Fine | *well*.", None, "S1"),
    ),
    speakers=(Speaker("S0", "Ann Lee", 1.8), Speaker("S1", None, 0.5)),
    language="en",
    duration_s=3661.9,
    engine="pocketsphinx",
    model="en-us",
    warnings=("audio_truncated",),
)
PLAIN = Transcript((Segment(0, 0, 1, "One  line\nof text."), Segment(1, 1, 2, "  "), Segment(2, 2, 3, "And more.")))


def test_text_has_a_paragraph_for_each_turn() -> None:
    assert render(DIALOGUE, "txt") == "Ann Lee: Good morning. How are you?\n\nS1: Fine | *well*.\n"


def test_text_without_speakers_has_a_line_for_each_segment() -> None:
    assert render(PLAIN, "txt") == "One line of text.\nAnd more.\n"


@pytest.mark.parametrize("name", ["txt", "rttm", "ctm"])
def test_silence_is_an_empty_file(name: str) -> None:
    assert render(Transcript(duration_s=5.0), name) == ""


def test_markdown_tells_title_facts_and_turns() -> None:
    page = render(DIALOGUE, "md", "Board *meeting*")
    assert page.startswith("# Board \\*meeting\\*\n\n| | |\n|---|---|\n| Duration | 01:01:01 |\n")
    assert "| Language | en |" in page
    assert "| Engine | pocketsphinx en-us |" in page
    assert "| Speakers | Ann Lee, S1 |" in page
    assert "| Warnings | audio\\_truncated |" in page
    assert "**[00:00:00 – 00:00:02] Ann Lee** Good morning. How are you?" in page
    assert "**[00:00:02 – 00:00:03] S1** Fine \\| \\*well\\*." in page


@given(st.text(alphabet="ab *_`<>[]()#|~&!\\\n-.1", max_size=80))
def test_markdown_text_never_acts_as_markup(said: str) -> None:
    page = render(Transcript((Segment(0, 0, 1, said),)), "md")
    if not plain(said):
        return
    line = page.rstrip("\n").split("\n")[-1].split("** ", 1)[1]
    assert not re.search(r"(?<!\\)(?:\\\\)*(?<!\\)[*_`<>\[\]#|~&]", line.replace("\\\\", ""))
    assert re.sub(r"\\(.)", r"\1", line) == plain(said)


def test_rttm_has_ten_fields_a_line_and_no_spaces_in_names() -> None:
    lines = render(DIALOGUE, "rttm", "my talk.wav").splitlines()
    assert lines[0] == "SPEAKER my_talk.wav 1 0.000 1.000 <NA> <NA> Ann_Lee <NA> <NA>"
    assert [len(line.split(" ")) for line in lines] == [10, 10, 10]


def test_rttm_leaves_out_what_nobody_is_known_to_have_said() -> None:
    assert render(PLAIN, "rttm") == ""


def test_rttm_tells_known_turns_with_their_overlaps_and_names() -> None:
    turns = (SpeakerTurn(0.0, 2.5, "S0"), SpeakerTurn(2.0, 3.0, "S1"))
    lines = render(replace(DIALOGUE, turns=turns), "rttm", "talk").splitlines()
    assert [line.split(" ")[3:8:2] for line in lines] == [["0.000", "<NA>", "Ann_Lee"], ["2.000", "<NA>", "S1"]]
    assert [line.split(" ")[4] for line in lines] == ["2.500", "1.000"]


def test_ctm_has_a_line_a_word_in_order_of_time() -> None:
    lines = [line.split(" ") for line in render(DIALOGUE, "ctm", "talk").splitlines()]
    assert lines[0] == ["talk", "1", "0.000", "0.400", "Good", "0.80"]
    assert lines[1] == ["talk", "1", "0.400", "0.600", "morning."]
    assert [line[4] for line in lines[2:5]] == ["How", "are", "you?"]
    starts = [float(line[2]) for line in lines]
    assert starts == sorted(starts)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=8))
def test_ctm_times_add_up_and_never_go_back(spans: list[tuple[float, float]]) -> None:
    segments = tuple(Segment(0, start, end, "a b", words=(Word("a b", start, end),)) for start, end in spans)
    lines = [line.split(" ") for line in render(Transcript(segments), "ctm").splitlines()]
    starts = [float(line[2]) for line in lines]
    assert starts == sorted(starts)
    assert all(len(line) == 5 and float(line[3]) >= 0 and line[4] == "a_b" for line in lines)


def test_json_has_the_names_that_clients_know() -> None:
    told = json.loads(render(DIALOGUE, "json"))
    assert told["segments"][0] == {
        "id": 0,
        "start": 0.0,
        "end": 1.0,
        "text": "Good morning.",
        "speaker": "S0",
        "confidence": 0.9,
        "words": [
            {"word": "Good", "start": 0.0, "end": 0.4, "confidence": 0.8, "speaker": None},
            {"word": "morning.", "start": 0.4, "end": 1.0, "confidence": None, "speaker": None},
        ],
    }
    assert told["speakers"][0] == {"label": "S0", "name": "Ann Lee", "speaking_time": 1.8}
    assert told["transcription"] == "Good morning. How are you? Fine | *well*."
    assert told["duration"] == 3661.9
    assert told["warnings"] == ["audio_truncated"]


def test_json_is_strict_whatever_the_engine_said() -> None:
    odd = Segment(0, float("nan"), float("inf"), "Hm.", float("nan"), words=(Word("Hm.", -1.0, 0.1, 1.2),))
    told = json.loads(render(Transcript((odd,)), "json"), parse_constant=pytest.fail)
    assert told["segments"][0]["confidence"] is None
    assert told["segments"][0]["words"][0] == {
        "word": "Hm.",
        "start": 0.0,
        "end": 0.1,
        "confidence": 1.0,
        "speaker": None,
    }


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(InvalidFields) as caught:
        render(PLAIN, "docx")
    assert "docx" in caught.value.errors["format"][0]
    assert "srt" in caught.value.errors["format"][0]


def test_the_table_holds_every_format_of_the_contract() -> None:
    assert set(FORMATS) == {"txt", "json", "srt", "vtt", "rttm", "ctm", "md"}
    assert all(entry.extension == f".{name}" and entry.content_type for name, entry in FORMATS.items())


def test_control_characters_and_lone_surrogates_are_dropped() -> None:
    assert plain("a\x00b\x07 \ud800c\u2028d") == "ab cd".replace("cd", "c d")
