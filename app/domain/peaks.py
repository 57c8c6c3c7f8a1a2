"""The outline of a recording, for drawing it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peaks:
    """How loud it is, in buckets of `bucket_s` seconds from the start on.

    `pairs` holds two signed bytes a bucket: its least and its greatest sample, −127…127 for −1…1.
    """

    bucket_s: float
    pairs: bytes

    @property
    def n_buckets(self) -> int:
        """How many buckets there are."""
        return len(self.pairs) // 2
