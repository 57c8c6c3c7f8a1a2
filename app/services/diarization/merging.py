"""Words joined with turns: who said what. Pure functions of values."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from app.domain.speaker_turn import SpeakerTurn
from app.domain.transcript import Segment, Speaker, Transcript, Word, renumbered
from app.services.diarization.attribution import Utterance, attributed
from app.services.diarization.stretches import stretches

SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
CLOSERS = "\"'”’»)]"


def merged(transcript: Transcript, turns: Iterable[SpeakerTurn]) -> Transcript:
    """The transcript with a speaker for every word and segment; segments are broken where the speaker changes.

    No word is lost, doubled or moved. Without any turn, nobody is named. `speakers` are all who have a turn, whether
    or not a word of theirs was understood.
    """
    ordered = renumbered(transcript.segments)
    known = list(turns)
    spoken = stretches(known)
    if not spoken:
        return replace(transcript, segments=ordered, speakers=(), turns=())
    voices = iter(attributed(list(_utterances(ordered)), spoken))
    lines = [line for segment in ordered for line in _lines(segment, voices)]
    numbered = tuple(replace(line, id=at) for at, line in enumerate(lines))
    return replace(transcript, segments=numbered, speakers=speakers_of(known), turns=tuple(known))


def spoken_by(transcript: Transcript, label: str) -> Transcript:
    """The transcript of a recording in which only this speaker is heard."""
    segments = (
        replace(segment, speaker=label, words=tuple(replace(word, speaker=label) for word in segment.words))
        for segment in transcript.segments
    )
    return replace(transcript, segments=tuple(segments))


def interleaved(transcripts: Sequence[Transcript], turns: Sequence[SpeakerTurn]) -> Transcript:
    """One transcript of several of the same time, each with its own speaker, line by line in order of time.

    `transcripts` are one at least; the first tells language and engine.
    """
    first = transcripts[0]
    warnings = dict.fromkeys(warning for transcript in transcripts for warning in transcript.warnings)
    return replace(
        first,
        segments=renumbered(segment for transcript in transcripts for segment in transcript.segments),
        speakers=speakers_of(turns),
        turns=tuple(turns),
        duration_s=max(transcript.duration_s for transcript in transcripts),
        language=next((one.language for one in transcripts if one.language), None),
        warnings=tuple(warnings),
    )


def speakers_of(turns: Iterable[SpeakerTurn]) -> tuple[Speaker, ...]:
    """All who speak, by label, and for how long; where two speak at once it counts for both."""
    spoken = stretches(turns)
    return tuple(Speaker(label, None, round(spoken[label].total_s, 3)) for label in sorted(spoken))


def _utterances(segments: Iterable[Segment]) -> Iterator[Utterance]:
    for segment in segments:
        if not segment.words:
            yield Utterance(segment.start_s, segment.end_s, ends_sentence=True)
        for at, word in enumerate(segment.words, start=1):
            ends_sentence = at == len(segment.words) or word.word.rstrip(CLOSERS).endswith(SENTENCE_ENDS)
            yield Utterance(word.start_s, word.end_s, ends_sentence)


def _lines(segment: Segment, voices: Iterator[str]) -> Iterator[Segment]:
    """The segment, broken where the speaker changes; takes one voice for each of its words, or one for it all."""
    if not segment.words:
        yield replace(segment, speaker=next(voices))
        return
    words = [replace(word, speaker=next(voices)) for word in segment.words]
    runs = [tuple(run) for _, run in groupby(words, key=lambda word: word.speaker)]
    if len(runs) == 1:
        yield replace(segment, words=runs[0], speaker=runs[0][0].speaker)
        return
    for run, text in zip(runs, _texts(segment.text, runs), strict=True):
        yield Segment(segment.id, run[0].start_s, run[-1].end_s, text, _confidence(run), run[0].speaker, run)


def _texts(text: str, runs: Sequence[Sequence[Word]]) -> list[str]:
    """The text of each run of words; what stands between two words goes with the first, as full stops do."""
    starts: list[int] = []
    at = 0
    for run in runs:
        for position, word in enumerate(run):
            found = text.find(word.word, at)
            if found < 0:
                return [" ".join(word.word for word in run) for run in runs]
            if position == 0:
                starts.append(found)
            at = found + len(word.word)
    ends = [*starts[1:], len(text)]
    return [text[start:end].strip() for start, end in zip([0, *starts[1:]], ends, strict=True)]


def _confidence(words: Sequence[Word]) -> float | None:
    told = [word.confidence for word in words if word.confidence is not None]
    return sum(told) / len(told) if told else None
