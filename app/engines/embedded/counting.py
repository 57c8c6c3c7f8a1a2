"""From voices to speakers: one group more, again and again, as long as no two of the groups sound alike.

How alike two halves of one speaker are depends on the microphone and the room. So the limit is drawn half from many
recordings, half from this one: voices a second or two apart are mostly of the same speaker, and show it.
"""

import numpy as np
import numpy.typing as npt

from app.domain.speaker_hints import SpeakerHints
from app.engines.embedded.encoder import unit
from app.engines.embedded.mel import FRAMES_PER_S, Floats
from app.engines.embedded.spectral import Labels, Spectrum

MAX_SAMPLE = 500
"""Groups are found among so many voices, evenly spread: the cost does not grow with the recording beyond that."""
MAX_GROUPS = 30
VOICES_A_GROUP = 4
PATIENCE = 3
"""Steps without a better division after which none is looked for, and one more for every three speakers: among many
of them, one is easily split before the last two are told apart."""
LIMIT, STRICT_LIMIT = 0.5, 0.37
"""Mean cosine of two groups' voices above which they are one speaker: for as many groups as the spectrum itself speaks
for, and for more than that. Tuned on conversations put together from meetings and read speech, where 0.44 to 0.56 and
0.35 to 0.38 do about as well."""
LIMIT_OF_NEIGHBOURS = 0.72
"""The same as a share of the cosine between voices that follow each other."""
MIN_SIZE = 3
"""A group of fewer voices is no speaker but a cough or a word between two."""
NEIGHBOUR_FRAMES = (1.5 * FRAMES_PER_S, 2.2 * FRAMES_PER_S)
MIN_NEIGHBOURS = 4


def find_speakers(voices: Floats, centres: npt.NDArray[np.int64], hints: SpeakerHints) -> Floats:
    """The mean voice of each speaker, unit vectors, shape (k, d), k ≥ 1.

    Args:
        voices: unit vectors, shape (n, d), n ≥ 1.
        centres: where they are, in frames of 10 ms, ascending, shape (n,).
        hints: what the client knows; followed as far as there are voices for it.
    """
    sample = voices[np.unique(np.linspace(0, len(voices) - 1, min(len(voices), MAX_SAMPLE)).astype(int))]
    least = min(hints.least, len(sample))
    most = max(least, min(len(sample) // VOICES_A_GROUP, MAX_GROUPS, hints.most or MAX_GROUPS))
    return means(sample, _divided(sample, least, most, _likeness_of_neighbours(voices, centres)))


def means(voices: Floats, labels: Labels) -> Floats:
    """The mean direction of the voices of each label, ascending, shape (k, d)."""
    return unit(np.stack([voices[labels == label].mean(axis=0) for label in np.unique(labels)]))


def _divided(voices: Floats, least: int, most: int, neighbours: float | None) -> Labels:
    """The voices in `least` groups, or in as many more, up to `most`, as there are that all sound different."""
    if most == 1:
        return np.zeros(len(voices), np.int64)
    spectrum = Spectrum(voices)
    best, n_best = _settled(voices, spectrum.grouped(least), least), least
    for n_groups in range(least + 1, most + 1):
        labels = _settled(voices, spectrum.grouped(n_groups), least)
        limit = _limit(LIMIT if n_groups <= spectrum.n_apparent else STRICT_LIMIT, neighbours)
        if _likeness(voices, labels) < limit:
            best, n_best = labels, n_groups
        elif n_groups - max(n_best, spectrum.n_apparent) >= PATIENCE + n_best // 3:
            break
    return best


def _limit(usual: float, neighbours: float | None) -> float:
    """The limit in this recording, where voices that follow each other are so much alike, if that is known."""
    return usual if neighbours is None else (usual + LIMIT_OF_NEIGHBOURS * neighbours) / 2


def _likeness_of_neighbours(voices: Floats, centres: npt.NDArray[np.int64]) -> float | None:
    """The median cosine of voices next to each other that share no sound; None if there are too few."""
    alike: list[Floats] = []
    for step in range(1, min(9, len(voices))):
        apart = centres[step:] - centres[:-step]
        follow = (apart >= NEIGHBOUR_FRAMES[0]) & (apart <= NEIGHBOUR_FRAMES[1])
        alike.append(np.einsum("nd,nd->n", voices[step:][follow], voices[:-step][follow]))
    cosines = np.concatenate([*alike, np.zeros(0, np.float32)])
    return float(np.median(cosines)) if len(cosines) >= MIN_NEIGHBOURS else None


def _likeness(voices: Floats, labels: Labels) -> float:
    """The mean cosine between the voices of the two groups that are most alike; −1 if there is but one."""
    centroids = np.stack([voices[labels == label].mean(axis=0) for label in np.unique(labels)])
    cosines = centroids @ centroids.T
    np.fill_diagonal(cosines, -1)
    return float(cosines.max())


def _settled(voices: Floats, labels: Labels, least: int) -> Labels:
    """The same groups without those too small to be a speaker, and each voice in the group it is most like."""
    labels = _without_small(voices, labels, least)
    for _ in range(2):
        labels = _moved(voices, labels, least)
    return _without_small(voices, labels, least)


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
