"""From voices to speakers: too many groups first, then those that sound alike are joined until none do.

How alike two groups of one speaker are depends on the microphone and the room. So the limit is drawn half from many
recordings, half from this one: voices a second or two apart are mostly of the same speaker, and show it.
"""

import numpy as np
import numpy.typing as npt

from app.domain.speaker_hints import SpeakerHints
from app.engines.embedded.encoder import unit
from app.engines.embedded.mel import FRAMES_PER_S, Floats
from app.engines.embedded.spectral import Labels, grouped

MAX_SAMPLE = 1000
"""Groups are found among so many voices, evenly spread: the cost does not grow with the recording beyond that."""
MIN_GROUPS, MAX_GROUPS = 6, 40
VOICES_A_GROUP = 15
MIN_VOICES_A_GROUP = 6
LIMIT = 0.385
"""Mean cosine of two groups' voices above which they are one speaker; tuned on conversations put together from
meetings and read speech, where it sits on a plateau (0.37 to 0.40)."""
LIMIT_OF_NEIGHBOURS = 0.72
"""The same as a share of the cosine between voices that follow each other."""
MIN_SIZE = 5
"""A group of fewer voices is no speaker but a cough or a word between two."""
NEIGHBOUR_FRAMES = (1.5 * FRAMES_PER_S, 2.2 * FRAMES_PER_S)


def find_speakers(voices: Floats, centres: npt.NDArray[np.int64], hints: SpeakerHints) -> Floats:
    """The mean voice of each speaker, unit vectors, shape (k, d), k ≥ 1.

    Args:
        voices: unit vectors, shape (n, d), n ≥ 1.
        centres: where they are, in frames of 10 ms, ascending, shape (n,).
        hints: what the client knows; followed as far as there are voices for it.
    """
    limit = _limit(voices, centres)
    sample = voices[np.unique(np.linspace(0, len(voices) - 1, min(len(voices), MAX_SAMPLE)).astype(int))]
    labels = _moved(sample, grouped(sample, _n_groups(len(sample), hints)), hints.least)
    labels = _moved(sample, labels, hints.least)
    labels = _joined(sample, labels, limit, hints)
    labels = _without_small(sample, labels, hints.least)
    labels = _without_small(sample, _moved(sample, labels, hints.least), hints.least)
    return means(sample, labels)


def means(voices: Floats, labels: Labels) -> Floats:
    """The mean direction of the voices of each label, ascending, shape (k, d)."""
    return unit(np.stack([voices[labels == label].mean(axis=0) for label in np.unique(labels)]))


def _n_groups(n_voices: int, hints: SpeakerHints) -> int:
    """More groups than there can well be speakers, yet none too small to be compared."""
    usual = min(MAX_GROUPS, max(MIN_GROUPS, n_voices // VOICES_A_GROUP), max(1, n_voices // MIN_VOICES_A_GROUP))
    return max(usual, min(hints.least, n_voices))


def _limit(voices: Floats, centres: npt.NDArray[np.int64]) -> float:
    """The cosine above which two groups are one speaker in this recording."""
    alike: list[Floats] = []
    for step in range(1, min(9, len(voices))):
        apart = centres[step:] - centres[:-step]
        follow = (apart >= NEIGHBOUR_FRAMES[0]) & (apart <= NEIGHBOUR_FRAMES[1])
        alike.append(np.einsum("nd,nd->n", voices[step:][follow], voices[:-step][follow]))
    cosines = np.concatenate([*alike, np.zeros(0, np.float32)])
    if len(cosines) < 4:
        return LIMIT
    return (LIMIT + LIMIT_OF_NEIGHBOURS * float(np.median(cosines))) / 2


def _joined(voices: Floats, labels: Labels, limit: float, hints: SpeakerHints) -> Labels:
    """The two groups most alike made one, again and again, while that is called for."""
    labels = _renumbered(labels)
    while (n_groups := int(labels.max()) + 1) > hints.least:
        centroids = np.stack([voices[labels == label].mean(axis=0) for label in range(n_groups)])
        cosines = centroids @ centroids.T
        np.fill_diagonal(cosines, -np.inf)
        first, second = np.unravel_index(cosines.argmax(), cosines.shape)
        if cosines[first, second] < limit and n_groups <= (hints.most or n_groups):
            break
        labels = _renumbered(np.where(labels == second, first, labels))
    return labels


def _without_small(voices: Floats, labels: Labels, least: int) -> Labels:
    """Voices of groups that are too small, smallest first, given to whom they are most like."""
    while True:
        names, sizes = np.unique(labels, return_counts=True)
        if len(names) <= least or sizes.min() >= MIN_SIZE:
            return labels
        small = names[sizes.argmin()]
        others = names[names != small]
        strays = np.flatnonzero(labels == small)
        nearest = (voices[strays] @ means(voices, np.where(labels == small, -1, labels))[1:].T).argmax(axis=1)
        labels = labels.copy()
        labels[strays] = others[nearest]


def _moved(voices: Floats, labels: Labels, least: int) -> Labels:
    """Each voice given to the speaker it is most like, unless that leaves fewer speakers than there must be."""
    moved = (voices @ means(voices, labels).T).argmax(axis=1).astype(np.int64)
    return moved if len(np.unique(moved)) >= min(least, len(np.unique(labels))) else labels


def _renumbered(labels: Labels) -> Labels:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
