"""A bar that shows how far a transfer is, where somebody looks."""

from tqdm import tqdm


class TransferBar:
    """Drawn on stderr from the first `show` on; not drawn at all where stderr is not a terminal."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: tqdm[None] | None = None

    def show(self, n_bytes: int, total: int | None) -> None:
        """`n_bytes` of `total` (None: nobody knows) are here."""
        if self._bar is None:
            # None: only on a terminal. What an earlier call brought does not count as speed.
            self._bar = tqdm(desc=self._label, initial=n_bytes, unit="B", unit_scale=True, disable=None)
        self._bar.total = total
        self._bar.update(n_bytes - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
