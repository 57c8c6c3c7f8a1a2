"""vosk-server's protocol in values: what its clients configure, what they are answered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.services.streaming.told import SaidFinal


def partial_reply(text: str) -> str:
    """What may be being said."""
    return _json({"partial": text})


def final_reply(finals: Sequence[SaidFinal], *, with_words: bool, max_alternatives: int) -> str:
    """What was said for good: one reply, whatever it took to say it; nothing said is empty text."""
    if max_alternatives > 0:
        return _json({"alternatives": _alternatives(finals, max_alternatives)})
    text = _text(finals)
    words = [_word(word) for final in finals for word in final.segment["words"]]
    return _json({"result": words, "text": text} if with_words and words else {"text": text})


def error_reply(code: str, message: str) -> str:
    """Something is wrong; the connection is closed after it."""
    return _json({"error": message, "code": code})


@dataclass(frozen=True, slots=True)
class VoskMessage:
    """A text message: a configuration, or that the stream ends or begins anew."""

    config: dict[str, Any] | None = None
    is_eof: bool = False
    is_reset: bool = False


def parsed(text: str) -> VoskMessage | None:
    """What a text message says; None if it is none of this protocol."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    config = said.get("config")
    if config is not None and not isinstance(config, dict):
        return None
    return VoskMessage(config, bool(said.get("eof")), bool(said.get("reset")))


def _alternatives(finals: Sequence[SaidFinal], n: int) -> list[dict[str, Any]]:
    """Of one utterance its own; of several, said in one reply, only the best way to hear them all."""
    if len(finals) == 1 and finals[0].alternatives:
        return [{"confidence": sure, "text": text} for text, sure in finals[0].alternatives[:n]]
    sure = min((final.segment["confidence"] or 0.0 for final in finals), default=1.0)
    return [{"confidence": sure, "text": _text(finals)}]


def _text(finals: Sequence[SaidFinal]) -> str:
    return " ".join(text for final in finals if (text := final.segment["text"].strip()))


def _word(word: dict[str, Any]) -> dict[str, Any]:
    sure = word["confidence"]
    return {"conf": 1.0 if sure is None else sure, "start": word["start"], "end": word["end"], "word": word["word"]}


def _json(reply: dict[str, Any]) -> str:
    return json.dumps(reply, ensure_ascii=False)
