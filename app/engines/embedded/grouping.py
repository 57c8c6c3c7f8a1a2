"""From voices to speakers: one group more, again and again, as long as no two of the groups sound alike.

Groups are those of Ward (1963): of all ways to join two groups of voices, the one that spreads them least.
"""

import numpy as np
import numpy.typing as npt

from app.domain.speaker_hints import SpeakerHints
from app.engines.embedded.arithmetic import unit
from app.engines.embedded.mel import Floats

Labels = npt.NDArray[np.int64]
MAX_SAMPLE = 1000
"""Groups are found among so many voices, evenly spread: the cost does not grow with the recording beyond that."""
MAX_GROUPS = 60
PATIENCE = 4
"""Divisions into more groups, none of them good, after which none is looked for."""
MIN_SIZE = 3
"""A group of fewer voices is no speaker but a cough or a word between two."""
ROUNDS = 3


def find_speakers(voices: Floats, hints: SpeakerHints, limit: float) -> Floats:
    """The mean voice of each speaker, unit vectors, shape (k, d), k ≥ 1.

    Args:
        voices: unit vectors, shape (n, d), n ≥ 1.
        hints: what the client knows; followed as far as there are voices for it.
        limit: mean cosine of two groups' voices above which they are one speaker.
    """
    sample = voices[np.unique(np.linspace(0, len(voices) - 1, min(len(voices), MAX_SAMPLE)).astype(int))]
    least = min(hints.least, len(sample))
    most = max(least, hints.most or MAX_GROUPS)
    return means(sample, _divided(sample, least, most, limit))


def means(voices: Floats, labels: Labels) -> Floats:
    """The mean direction of the voices of each label, ascending, shape (k, d)."""
    return unit(np.stack([voices[labels == label].mean(axis=0) for label in np.unique(labels)]))


def _divided(voices: Floats, least: int, most: int, limit: float) -> Labels:
    """The voices in `least` groups, or in as many more, up to `most`, as there are that all sound different."""
    from scipy.cluster.hierarchy import fcluster, linkage

    best, n_best, misses = np.zeros(len(voices), np.int64), 1, 0
    if most == 1 or len(voices) == 1:
        return best
    tree = linkage(voices, "ward")
    for n_groups in range(2, min(len(voices), MAX_GROUPS) + 1):
        labels = _settled(voices, fcluster(tree, n_groups, "maxclust"))
        n_settled = len(np.unique(labels))
        if n_settled > most or misses >= PATIENCE:
            break
        if n_settled > n_best:
            good = n_settled <= least or _likeness(voices, labels) < limit
            best, n_best, misses = (labels, n_settled, 0) if good else (best, n_best, misses + (n_best >= least))
    return best if n_best >= least else fcluster(tree, least, "maxclust")


def _settled(voices: Floats, labels: Labels) -> Labels:
    """The same groups without those too small to be a speaker, and each voice in the group it is most like."""
    for _ in range(ROUNDS):
        names, sizes = np.unique(labels, return_counts=True)
        kept = names[sizes >= min(MIN_SIZE, sizes.max())]
        people = unit(np.stack([voices[labels == name].mean(axis=0) for name in kept]))
        labels = (voices @ people.T).argmax(axis=1)
    return labels


def _likeness(voices: Floats, labels: Labels) -> float:
    """The mean cosine between the voices of the two groups that are most alike; −1 if there is but one."""
    centroids = np.stack([voices[labels == label].mean(axis=0) for label in np.unique(labels)])
    cosines = centroids @ centroids.T
    np.fill_diagonal(cosines, -1)
    return float(cosines.max())
