"""Where a long segment is broken into subtitles, and a subtitle into lines.

The measures are those of the field's style guides (Netflix Timed Text Style Guide, BBC Subtitle Guidelines):
at most two lines of 42 columns, at most 7 seconds, broken where the sentence or the speaker pauses.
"""

from itertools import accumulate, pairwise

from app.exports.tokens import Token, joined, width

MAX_COLUMNS = 42
MAX_CUE_S = 7.0

_SENTENCE_ENDS = ".!?…。！？"
_CLAUSE_ENDS = ",;:、，；："
_BREATH_S = 0.5
_LONG_PAUSE_S = 1.5
_SHORT_CUE_S = 1.0


def broken(tokens: list[Token]) -> list[list[Token]]:
    """The tokens in groups that each fit one subtitle, as few and as well ended as can be.

    A token that fits no line by itself is a group of its own: words are never split.
    """
    measure = _Measure(tokens)
    if not tokens or measure.fits(0, len(tokens)):
        return [tokens] if tokens else []
    ends = _cheapest(tokens, measure)
    return [tokens[start:end] for start, end in pairwise([0, *ends])]


def lines(tokens: list[Token]) -> tuple[str, ...]:
    """The subtitle's text in one line if it fits, else in two that are as even as can be."""
    measure = _Measure(tokens)
    if len(tokens) == 1 or measure.columns(0, len(tokens)) <= MAX_COLUMNS:
        return (joined(tokens),)
    middle = min(range(1, len(tokens)), key=lambda at: _unevenness(tokens, measure, at))
    return joined(tokens[:middle]), joined(tokens[middle:])


def _unevenness(tokens: list[Token], measure: "_Measure", at: int) -> float:
    first, second = measure.columns(0, at), measure.columns(at, len(tokens))
    overflow = max(0, first - MAX_COLUMNS) + max(0, second - MAX_COLUMNS)
    return 1000 * overflow + abs(first - second) + 10 * _end_cost(tokens, at)


def _cheapest(tokens: list[Token], measure: "_Measure") -> list[int]:
    """The ends of the groups that cost least together (dynamic programming over the last group's start)."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(tokens) + 1):
        start = end - 1
        options = [(best[start][0] + _cost(tokens, start, end), start)]
        while start > 0 and measure.fits(start - 1, end):
            start -= 1
            options.append((best[start][0] + _cost(tokens, start, end), start))
        best.append(min(options))
    return _walked_back(best)


def _walked_back(best: list[tuple[float, int]]) -> list[int]:
    ends = []
    at = len(best) - 1
    while at > 0:
        ends.append(at)
        at = best[at][1]
    return ends[::-1]


def _cost(tokens: list[Token], start: int, end: int) -> float:
    is_hasty = tokens[end - 1].end_s - tokens[start].start_s < _SHORT_CUE_S
    pauses = sum(1 for at in range(start + 1, end) if _pause_s(tokens, at) >= _LONG_PAUSE_S)
    return 1.0 + pauses + _end_cost(tokens, end) + (0.7 if is_hasty else 0.0)


def _end_cost(tokens: list[Token], at: int) -> float:
    """How badly it reads to break before token `at`: 0 after a sentence, 1 in the middle of a phrase."""
    last = tokens[at - 1].text.rstrip("\"'”’»)]")
    if at == len(tokens) or last.endswith(tuple(_SENTENCE_ENDS)):
        return 0.0
    if last.endswith(tuple(_CLAUSE_ENDS)) or _pause_s(tokens, at) >= _BREATH_S:
        return 0.4
    return 1.0


def _pause_s(tokens: list[Token], at: int) -> float:
    return tokens[at].start_s - tokens[at - 1].end_s


class _Measure:
    """The columns and seconds of any run of tokens, in constant time."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._ends = [0, *accumulate(width(token.text) + token.spaced for token in tokens)]

    def columns(self, start: int, end: int) -> int:
        return self._ends[end] - self._ends[start] - self._tokens[start].spaced

    def fits(self, start: int, end: int) -> bool:
        """Whether the tokens from `start` to `end` make one subtitle of two lines."""
        if self._tokens[end - 1].end_s - self._tokens[start].start_s > MAX_CUE_S:
            return False
        middle = start
        while middle < end and self.columns(start, middle + 1) <= MAX_COLUMNS:
            middle += 1
        return middle == end or (middle > start and self.columns(middle, end) <= MAX_COLUMNS)
