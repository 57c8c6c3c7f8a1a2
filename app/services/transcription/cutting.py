"""Cuts the sound of a run into parts: a short one to begin with, then longer ones."""

from collections.abc import Iterable, Iterator
from itertools import chain

from app.audio.parts import Part, cut_parts
from app.audio.regions import RegionSettings
from app.audio.sound import RATE_HZ, Pcm, SpanPolicy, VoiceActivity
from app.services.transcription.limits import PipelineLimits

LONGEST_SHARE = 1.4
"""How far, at most, a part may reach beyond its target to end in a silence."""


class PartCutter:
    """Cuts a recording for an engine that likes its speech as `policy` says."""

    def __init__(self, vad: VoiceActivity, policy: SpanPolicy, limits: PipelineLimits) -> None:
        self._vad = vad
        self._settings = RegionSettings.before_spans(policy)
        self._limits = limits

    def from_start(self, sound: Iterator[Pcm]) -> Iterator[Part]:
        """The parts of a whole recording."""
        first_s = min(self._limits.first_part_s, self._limits.part_s)
        opening = list(_opening(sound, int(first_s * LONGEST_SHARE * RATE_HZ)))
        parts = self._cut(opening, 0, 0, first_s)
        first = next(parts, None)
        if first is None:
            return
        yield first
        # All of the opening goes through the detector before the next cutting starts it anew.
        rest = [part.pcm for part in parts]
        yield from self.after(chain(rest, sound), first.end, 1)

    def after(self, sound: Iterable[Pcm], start_sample: int, first_index: int) -> Iterator[Part]:
        """The parts of a recording from a sample on."""
        return self._cut(sound, start_sample, first_index, self._limits.part_s)

    def _cut(self, sound: Iterable[Pcm], start_sample: int, first_index: int, target_s: float) -> Iterator[Part]:
        return cut_parts(
            sound,
            self._vad,
            start_sample=start_sample,
            first_index=first_index,
            target_s=target_s,
            max_s=target_s * LONGEST_SHARE,
            settings=self._settings,
        )


def _opening(sound: Iterator[Pcm], n_samples: int) -> Iterator[Pcm]:
    """The first chunks, up to at least so many samples."""
    while n_samples > 0 and (chunk := next(sound, None)) is not None:
        n_samples -= len(chunk)
        yield chunk
