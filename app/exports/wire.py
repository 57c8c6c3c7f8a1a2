"""The shape in which clients are sent segments and speakers, and the JSON file made of them."""

import json
import math
from typing import Any

from app.domain.speaker_turn import SpeakerTurn
from app.domain.transcript import Segment, Speaker, Transcript, Word
from app.exports.timecode import seconds


def segment_to_wire(segment: Segment) -> dict[str, Any]:
    """A segment as clients know it; times in seconds to the millisecond, confidences 0…1 or None."""
    return {
        "id": segment.id,
        "start": seconds(segment.start_s),
        "end": seconds(segment.end_s),
        "text": segment.text,
        "speaker": segment.speaker,
        "confidence": _confidence(segment.confidence),
        "words": [_word_to_wire(word) for word in segment.words],
    }


def speaker_to_wire(speaker: Speaker) -> dict[str, Any]:
    """A speaker as clients know it; `speaking_time` in seconds."""
    return {"label": speaker.label, "name": speaker.name, "speaking_time": seconds(speaker.speaking_time_s)}


def turn_to_wire(turn: SpeakerTurn) -> dict[str, Any]:
    """A turn as clients know it; times in seconds to the millisecond."""
    return {"start": seconds(turn.start_s), "end": seconds(turn.end_s), "speaker": turn.speaker}


def transcript_to_wire(transcript: Transcript) -> dict[str, Any]:
    """The whole transcript, under the names a job's result has."""
    return {
        "transcription": transcript.text,
        "language": transcript.language,
        "duration": seconds(transcript.duration_s),
        "engine": transcript.engine,
        "model": transcript.model,
        "segments": [segment_to_wire(segment) for segment in transcript.segments],
        "speakers": [speaker_to_wire(speaker) for speaker in transcript.speakers],
        "turns": [turn_to_wire(turn) for turn in transcript.turns],
        "warnings": list(transcript.warnings),
    }


def render(transcript: Transcript, title: str) -> str:  # noqa: ARG001 - the wire shape has no title
    """The transcript as a JSON file; strict JSON, so never NaN."""
    return json.dumps(transcript_to_wire(transcript), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _word_to_wire(word: Word) -> dict[str, Any]:
    return {
        "word": word.word,
        "start": seconds(word.start_s),
        "end": seconds(word.end_s),
        "confidence": _confidence(word.confidence),
        "speaker": word.speaker,
    }


def _confidence(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(min(1.0, max(0.0, value)), 4)
