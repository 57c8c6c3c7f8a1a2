"""All steps in order: listen, look for voices, count the speakers, say who speaks when."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from app.audio.regions import RegionSettings
from app.audio.sound import RATE_HZ, VoiceActivity
from app.domain.speaker_hints import SpeakerHints
from app.domain.speaker_turn import SpeakerTurn
from app.engines.diarization import SoundStream, Watch
from app.engines.embedded.encoder import VoiceEncoder
from app.engines.embedded.features import Features, Listener
from app.engines.embedded.grouping import find_speakers
from app.engines.embedded.second_voices import with_second_voices
from app.engines.embedded.segmentation import Segmenter
from app.engines.embedded.timeline import Timeline
from app.engines.embedded.windows import Windows, place
from app.engines.failures import while_working
from app.engines.speaker_labels import in_order

REGIONS = RegionSettings(on=0.3, off=0.15, min_speech_s=0.1, min_silence_s=0.35, pad_s=0.05)
"""Cut at short pauses, because at a pause speakers change."""
PAUSE_S = 0.9
"""A pause up to this long between words of one speaker, with nobody in between, belongs to the turn."""
LONG, LONG_HOP = 160, 40
"""Windows of 1.6 s, each 0.4 s: about what encoders are trained on; the speakers are found by them."""
SHORT, SHORT_HOP = 80, 20
"""Windows half as long, twice as often, see short turns; the long ones beside them steady what they say."""
SURE_WIDTH, LEAST_SURE = 100, 8
"""Speakers are found by the windows that are so long, unless there are but a few: then by the longest."""


class EmbeddedDiarizer:
    """A `Diarizer`."""

    def __init__(
        self, encoder: VoiceEncoder, make_vad: Callable[[], VoiceActivity], segmenter: Segmenter | None = None
    ) -> None:
        """Without a `segmenter` changes of voices are found less sharply, and of two at once only one."""
        self._encoder = encoder
        self._listener = Listener(make_vad(), segmenter, REGIONS)

    def diarize(self, sound: SoundStream, hints: SpeakerHints, watch: Watch) -> tuple[SpeakerTurn, ...]:
        """Who speaks when (see `Diarizer`)."""
        with while_working():
            features = self._listener.hear(sound, self._encoder.spectrogram(), watch.part(0.0, 0.4))
            turns = tuple(over_pauses(self._turns(features, hints, watch.part(0.4, 1.0))))
            all_turns = with_second_voices(turns, features.together if hints.most != 1 else ())
            labelled = in_order(all_turns)
        watch.progress(1.0)
        return labelled

    def _turns(self, features: Features, hints: SpeakerHints, watch: Watch) -> Iterator[SpeakerTurn]:
        long = place(features.pieces, width=LONG, hop=LONG_HOP)
        if not len(long):
            return _of_one(features)
        short = place(features.pieces, width=SHORT, hop=SHORT_HOP)
        voices, short_voices = self._encoder.voices(features, (long, short), watch)
        speakers = find_speakers(voices[_sure(long)], hints, self._encoder.limit)
        if len(speakers) == 1:
            return _of_one(features)
        timeline = Timeline(features.n_frames, len(speakers))
        timeline.add(long, voices @ speakers.T)
        timeline.add(short, short_voices @ speakers.T)
        return timeline.turns(features.regions, features.pieces)


def _of_one(features: Features) -> Iterator[SpeakerTurn]:
    """All that is said is said by one."""
    return (SpeakerTurn(one.start / RATE_HZ, one.end / RATE_HZ, "0") for one in features.regions)


def _sure(windows: Windows) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which windows to find the speakers by, shape (n,)."""
    longest = np.sort(windows.widths)[::-1][:LEAST_SURE][-1]
    return windows.widths >= min(SURE_WIDTH, int(longest))


def over_pauses(turns: Iterable[SpeakerTurn]) -> Iterator[SpeakerTurn]:
    """Turns in order of time, those that only a short pause parts made one."""
    held: SpeakerTurn | None = None
    for turn in turns:
        if held and held.speaker == turn.speaker and turn.start_s - held.end_s <= PAUSE_S:
            held = replace(held, end_s=turn.end_s)
        else:
            if held:
                yield held
            held = turn
    if held:
        yield held
