"""Whose word is it: each word goes to one speaker, so that all words together fit the turns best.

A word fits a speaker as well as it lies in that speaker's turns, and a change of speakers costs something, least
where a sentence ends, most in the middle of a phrase. The cheapest path through all words (Viterbi) then settles
what overlap alone leaves open: where two speak at once the sentence is not torn, and a word between two turns goes
with its neighbours. No cost outweighs a word that lies in one speaker's turns alone.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.services.diarization.stretches import Stretches

PAUSE_S = 0.3
AT_SENTENCE_END, AT_PAUSE, WITHIN_PHRASE = 0.05, 0.15, 0.3
"""What a change of speakers costs there. Two of the dearest cost less than a word that fits only one speaker gains."""

NEAREST = 0.04
"""What the nearest turn counts for a word that lies in none: less than any change of speakers costs."""

SHORTEST_S = 0.01
"""Engines tell of words that take no time; they are heard where they are said to be."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A word, or a whole line whose words are not known; `ends_sentence`: a sentence is over after it."""

    start_s: float
    end_s: float
    ends_sentence: bool = False


def attributed(utterances: Sequence[Utterance], spoken: Mapping[str, Stretches]) -> list[str]:
    """The speaker of each utterance; `utterances` are in order of time, `spoken` tells of one speaker at least."""
    speakers = list(spoken)
    if not utterances:
        return []
    path = [_Step(_fits(utterances[0], spoken), [])]
    for before, utterance in itertools.pairwise(utterances):
        path.append(_step(path[-1], _fits(utterance, spoken), _change_cost(before, utterance)))
    return [speakers[at] for at in _walked_back(path)]


@dataclass(frozen=True, slots=True)
class _Step:
    """By speaker, the best score of a path to here that ends with them, and who spoke before on that path."""

    scores: list[float]
    came_from: list[int]


def _step(before: _Step, fits: list[float], cost: float) -> _Step:
    best = max(range(len(fits)), key=before.scores.__getitem__)
    changed = before.scores[best] - cost
    came_from = [at if score >= changed else best for at, score in enumerate(before.scores)]
    scores = [max(score, changed) + fit for score, fit in zip(before.scores, fits, strict=True)]
    return _Step(scores, came_from)


def _walked_back(path: list[_Step]) -> list[int]:
    at = max(range(len(path[-1].scores)), key=path[-1].scores.__getitem__)
    taken = [at]
    for step in reversed(path[1:]):
        at = step.came_from[at]
        taken.append(at)
    return taken[::-1]


def _fits(utterance: Utterance, spoken: Mapping[str, Stretches]) -> list[float]:
    """How much of it lies in each speaker's turns, 0…1; nearly nothing, but most for the nearest, if in nobody's."""
    start_s, end_s = utterance.start_s, max(utterance.end_s, utterance.start_s + SHORTEST_S)
    shares = [theirs.overlap_s(start_s, end_s) / (end_s - start_s) for theirs in spoken.values()]
    if any(shares):
        return shares
    return [NEAREST / (1 + theirs.distance_s(start_s, end_s)) for theirs in spoken.values()]


def _change_cost(before: Utterance, after: Utterance) -> float:
    if before.ends_sentence:
        return AT_SENTENCE_END
    return AT_PAUSE if after.start_s - before.end_s >= PAUSE_S else WITHIN_PHRASE
