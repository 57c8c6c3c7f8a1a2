"""Spectral clustering that finds by itself how many neighbours count (NME-SC, Park et al. 2019)."""

import numpy as np
import numpy.typing as npt

from app.engines.embedded.mel import Floats

Labels = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

SHARES = (0.05, 0.08, 0.12, 0.17, 0.23, 0.3, 0.4)
"""Of all voices, how many each is held to be near to; the one that sets groups apart best is taken."""
MIN_NEIGHBOURS = 10
MAX_GAPS = 10


class Spectrum:
    """Some voices in a space where groups lie apart: unit vectors, shape (n, d). Needs memory for a few (n, n)."""

    def __init__(self, voices: Floats) -> None:
        values, self._vectors = np.linalg.eigh(_best_laplacian(voices))
        self.n_apparent = int(np.diff(values[: MAX_GAPS + 1]).argmax()) + 1
        """How many groups the widest gap between eigenvalues speaks for; in one voice it may see several."""

    def grouped(self, n_groups: int) -> Labels:
        """A label 0…n_groups−1 for each voice, shape (n,)."""
        if n_groups < 2:
            return np.zeros(len(self._vectors), np.int64)
        return _k_means(self._vectors[:, :n_groups], n_groups)


def _best_laplacian(voices: Floats) -> Doubles:
    nearest = np.argsort(-np.clip(voices @ voices.T, 0, 1), axis=1, kind="stable")
    counts = {min(len(voices), max(MIN_NEIGHBOURS, round(share * len(voices)))) for share in SHARES}
    tried = ((_laplacian(nearest, count), count) for count in sorted(counts))
    best, _ = min(tried, key=lambda pair: pair[1] / _gap(pair[0]))
    return best


def _laplacian(nearest: Labels, n_neighbours: int) -> Doubles:
    affinity = np.zeros(nearest.shape)
    np.put_along_axis(affinity, nearest[:, :n_neighbours], 1.0, axis=1)
    affinity = (affinity + affinity.T) / 2
    np.fill_diagonal(affinity, 0)
    laplacian: Doubles = np.diag(affinity.sum(axis=1)) - affinity
    return laplacian


def _gap(laplacian: Doubles) -> float:
    """The widest gap between neighbouring eigenvalues, as a share of the largest: wide where groups lie apart."""
    values = np.linalg.eigvalsh(laplacian)
    gaps = np.diff(values[: MAX_GAPS + 1])
    return float(gaps.max() / (values[-1] + 1e-9)) + 1e-9


def _k_means(points: Doubles, n_groups: int) -> Labels:
    from sklearn.cluster import KMeans

    found: Labels = KMeans(n_groups, n_init=5, random_state=0).fit_predict(points).astype(np.int64)
    return found
