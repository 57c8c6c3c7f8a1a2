"""SubRip and WebVTT, read back by small strict parsers."""

import html
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.transcript import Segment, Speaker, Transcript, Word
from app.exports.formats import render
from app.exports.plain import plain

CLOCK = r"(\d{2,}):([0-5]\d):([0-5]\d)"


@dataclass(frozen=True)
class ReadCue:
    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: str | None = None

    @property
    def words(self) -> list[str]:
        return " ".join(self.lines).split()


def read_ms(hours: str, minutes: str, seconds: str, ms: str) -> int:
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(ms)


def read_times(line: str, point: str) -> tuple[int, int]:
    match = re.fullmatch(rf"{CLOCK}{point}(\d\d\d) --> {CLOCK}{point}(\d\d\d)", line)
    assert match, line
    return read_ms(*match.groups()[:4]), read_ms(*match.groups()[4:])


def read_srt(text: str) -> list[ReadCue]:
    assert "\r" not in text
    assert text == "" or text.endswith("\n\n")
    found = []
    for number, block in enumerate(text.split("\n\n")[:-1], start=1):
        first, times, *lines = block.split("\n")
        assert first == str(number)
        assert lines
        assert all(line.strip() and "-->" not in line for line in lines)
        found.append(ReadCue(*read_times(times, ","), tuple(lines)))
    return found


def read_vtt(text: str) -> list[ReadCue]:
    assert text.startswith("WEBVTT\n\n")
    found = []
    for block in text.removeprefix("WEBVTT\n\n").split("\n\n")[:-1]:
        times, *lines = block.split("\n")
        payload = "\n".join(lines)
        assert "-->" not in payload
        voice = re.match(r"<v ([^<>\n]+)>", payload)
        payload = payload[voice.end() :] if voice else payload
        assert "<" not in payload
        assert not re.search(r"&(?!amp;|lt;|gt;)", payload)
        speaker = html.unescape(voice.group(1)) if voice else None
        found.append(ReadCue(*read_times(times, r"\."), tuple(html.unescape(payload).split("\n")), speaker))
    return found


def segment(text: str, start_s: float = 0.0, end_s: float = 2.0, **more: object) -> Segment:
    return Segment(0, start_s, end_s, text, **more)  # type: ignore[arg-type]


def spoken(text: str, start_s: float = 0.0, word_s: float = 0.3, pause_s: float = 0.1) -> Segment:
    """A segment whose words are said at an even pace."""
    words, at_s = [], start_s
    for word in text.split():
        words.append(Word(word, at_s, at_s + word_s))
        at_s += word_s + pause_s
    return Segment(0, start_s, words[-1].end_s, text, words=tuple(words))


hostile = st.one_of(
    st.text(max_size=120),
    st.text(alphabet="ab -->\n\r<>&.0123\u2028\x00\x0b", max_size=150),
    st.lists(st.sampled_from(["hello,", "world.", "-->", "<b>", "日本語", "한국어", "a" * 60, "é"]), max_size=60).map(
        " ".join
    ),
)
times = st.floats(min_value=0, max_value=500_000, allow_nan=False)


@st.composite
def any_segments(draw: st.DrawFn, speakers: tuple[str | None, ...] = (None, "A", "B & <C>")) -> Segment:
    """Any text over any time, sometimes with words whose times are as odd as they come."""
    text, start_s, length_s = draw(hostile), draw(times), draw(st.floats(0, 60))
    speaker = draw(st.sampled_from(speakers))
    words = ()
    if draw(st.booleans()):
        words = tuple(Word(word, draw(times), draw(times)) for word in plain(text).split())
    return Segment(0, start_s, start_s + length_s, text, speaker=speaker, words=words)


def words_of(transcript: Transcript, arrow: str = "-->") -> Counter[str]:
    texts = (plain(segment.text).replace("-->", arrow) for segment in transcript.segments)
    return Counter("".join(texts).replace(" ", ""))


def characters(cues: list[ReadCue]) -> Counter[str]:
    return Counter("".join(word for cue in cues for word in cue.words))


def assert_shown_one_after_the_other(cues: list[ReadCue]) -> None:
    for cue in cues:
        assert cue.start_ms < cue.end_ms <= cue.start_ms + 7_000
        assert 1 <= len(cue.lines) <= 2
        assert all(len(line) <= 42 or " " not in line for line in cue.lines)
    for cue, following in pairwise(cues):
        assert cue.end_ms <= following.start_ms


@settings(max_examples=80, deadline=None)
@given(st.lists(any_segments(), max_size=6))
def test_any_transcript_is_valid_webvtt_with_every_character(segments: list[Segment]) -> None:
    transcript = Transcript(tuple(segments))
    cues = read_vtt(render(transcript, "vtt"))
    assert_shown_one_after_the_other(cues)
    assert characters(cues) == words_of(transcript)


@settings(max_examples=80, deadline=None)
@given(st.lists(any_segments(speakers=(None,)), max_size=6))
def test_any_transcript_is_valid_subrip_with_every_character(segments: list[Segment]) -> None:
    transcript = Transcript(tuple(segments))
    cues = read_srt(render(transcript, "srt"))
    assert_shown_one_after_the_other(cues)
    assert characters(cues) == words_of(transcript, arrow="→")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["one", "two,", "three.", "incomprehensible", "l'homme"]), min_size=1, max_size=120))
def test_words_keep_their_order_and_are_shown_when_they_are_said(words: list[str]) -> None:
    said = spoken(" ".join(words), start_s=3.0)
    cues = read_srt(render(Transcript((said,), duration_s=said.end_s), "srt"))
    assert [word for cue in cues for word in cue.words] == words
    starts = iter(said.words)
    for cue in cues:
        inside = [next(starts) for _ in cue.words]
        assert cue.start_ms == round(inside[0].start_s * 1000)
        assert cue.end_ms >= round(inside[-1].end_s * 1000)


def test_times_are_written_as_each_format_does() -> None:
    transcript = Transcript((segment("Hello.", 3661.0005, 3662.5),))
    assert render(transcript, "srt") == "1\n01:01:01,000 --> 01:01:02,500\nHello.\n\n"
    assert render(transcript, "vtt") == "WEBVTT\n\n01:01:01.000 --> 01:01:02.500\nHello.\n\n"


def test_hours_grow_beyond_two_digits() -> None:
    assert "120:00:00,000 --> 120:00:02,000" in render(Transcript((segment("Late.", 432_000, 432_002),)), "srt")


def test_a_long_segment_is_broken_after_its_sentences() -> None:
    first, second = "This is the first of the sentences that were said.", "And here is another one, just as long as it."
    cues = read_srt(render(Transcript((spoken(f"{first} {second}"),)), "srt"))
    assert [" ".join(cue.lines) for cue in cues] == [first, second]


def test_a_line_is_broken_into_two_even_ones() -> None:
    cues = read_srt(render(Transcript((segment("one two three four five six seven eight nine ten", 0, 5),)), "srt"))
    assert cues[0].lines == ("one two three four five", "six seven eight nine ten")


def test_without_word_times_a_long_segment_is_timed_by_length() -> None:
    cues = read_vtt(render(Transcript((segment("word " * 100, 10, 50),)), "vtt"))
    assert cues[0].start_ms == 10_000
    middle = len(cues) // 2
    share = sum(len(cue.words) for cue in cues[:middle]) / 100
    assert cues[middle].start_ms == pytest.approx(10_000 + 40_000 * share, abs=200)


def test_a_word_that_is_too_long_for_a_line_stays_whole() -> None:
    cues = read_srt(render(Transcript((segment(f"before {'x' * 90} after", 0, 6),)), "srt"))
    assert ("x" * 90,) in [cue.lines for cue in cues]


def test_text_without_spaces_is_broken_between_characters_but_not_before_closing_marks() -> None:
    cues = read_srt(render(Transcript((segment("これは長い文章です、" * 12, 0, 20),)), "srt"))
    assert len(cues) > 1
    assert not any(line.startswith("、") for cue in cues for line in cue.lines)


def test_two_who_speak_at_once_are_shown_one_after_the_other() -> None:
    both = (segment("First.", 1.0, 4.0), segment("Second.", 2.5, 5.0))
    cues = read_srt(render(Transcript(both), "srt"))
    assert [(cue.start_ms, cue.end_ms) for cue in cues] == [(1000, 2500), (2500, 5000)]


def test_an_arrow_in_the_text_is_no_time_line() -> None:
    transcript = Transcript((segment("00:00:01,000 --> 00:00:02,000"),))
    assert len(read_srt(render(transcript, "srt"))) == 1
    assert "--&gt;" in render(transcript, "vtt")


def test_speakers_are_named_as_people_named_them() -> None:
    said = (
        segment("Hi.", 0, 1, speaker="S0"),
        segment("Well.", 1, 2, speaker="S0"),
        segment("Yes.", 2, 3, speaker="S1"),
    )
    transcript = Transcript(said, (Speaker("S0", "Ann <Lee> & Co"), Speaker("S1")))
    assert [cue.speaker for cue in read_vtt(render(transcript, "vtt"))] == ["Ann <Lee> & Co"] * 2 + ["S1"]
    texts = [" ".join(cue.lines) for cue in read_srt(render(transcript, "srt"))]
    assert texts == ["Ann <Lee> & Co: Hi.", "Well.", "S1: Yes."]


def test_a_short_cue_is_held_for_a_second_if_there_is_room() -> None:
    transcript = Transcript((segment("Oh.", 1.0, 1.1), segment("No.", 1.5, 1.6)), duration_s=2.0)
    cues = read_srt(render(transcript, "srt"))
    assert [(cue.start_ms, cue.end_ms) for cue in cues] == [(1000, 1500), (1500, 2000)]


@pytest.mark.parametrize(("name", "empty"), [("srt", ""), ("vtt", "WEBVTT\n\n")])
def test_silence_is_a_valid_file_without_cues(name: str, empty: str) -> None:
    assert render(Transcript(), name) == empty
