"""Regions of speech cut where voices change, into pieces in which one person speaks as far as can be told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from app.audio.sound import Span
from app.engines.embedded.mel import HOP
from app.engines.embedded.overheard import BOTH, NOBODY, Classes

MAX_PAUSE, MIN_FRAMES = 30, 10
"""Frames: a shorter pause belongs to the piece before it, and so does a shorter stretch of another voice."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames of 10 ms from `start` to before `end`, and who was overheard in them."""

    start: int
    end: int
    who: int

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def is_one_voice(self) -> bool:
        """Whether one person speaks, or it is not known that two do."""
        return self.who != BOTH


def cut(regions: Sequence[Span], who: Classes) -> list[Piece]:
    """The pieces of all regions, in order; `who` is told for each frame, shape (n_frames,)."""
    return [piece for region in regions for piece in _merged(_stretches(region, who))]


def _stretches(region: Span, who: Classes) -> Iterator[Piece]:
    first, last = round(region.start / HOP), min(len(who), round(region.end / HOP))
    inner = who[first:last]
    borders = [0, *(np.flatnonzero(np.diff(inner)) + 1).tolist(), len(inner)]
    for start, end in pairwise(borders):
        if end > start:
            yield Piece(first + start, first + end, int(inner[start]))


def _merged(stretches: Iterator[Piece]) -> list[Piece]:
    pieces: list[Piece] = []
    for one in stretches:
        if pieces and _continues(pieces[-1], one):
            pieces[-1] = replace(pieces[-1], end=one.end)
        elif pieces and _is_pause(pieces[-1]):
            pieces[-1] = replace(one, start=pieces[-1].start)
        else:
            pieces.append(one)
    return pieces


def _continues(before: Piece, after: Piece) -> bool:
    return before.who == after.who or _is_pause(after) or (len(after) < MIN_FRAMES and not _is_pause(before))


def _is_pause(piece: Piece) -> bool:
    return piece.who == NOBODY and len(piece) < MAX_PAUSE
