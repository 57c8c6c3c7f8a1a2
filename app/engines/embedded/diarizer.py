"""All steps in order: listen, look for voices, count the speakers, say who speaks when."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from app.audio.regions import RegionSettings
from app.audio.sound import RATE_HZ, VoiceActivity
from app.domain.speaker_hints import SpeakerHints
from app.domain.speaker_turn import SpeakerTurn
from app.engines.diarization import SoundStream, Watch
from app.engines.embedded.counting import find_speakers
from app.engines.embedded.encoder import N_DIMENSIONS, Encoder
from app.engines.embedded.features import Features, extract
from app.engines.embedded.mel import Floats
from app.engines.embedded.timeline import Timeline
from app.engines.embedded.windows import Windows, embedded, place
from app.engines.failures import while_working
from app.engines.speaker_labels import in_order

REGIONS = RegionSettings(on=0.3, off=0.15, min_speech_s=0.1, min_silence_s=0.35, pad_s=0.1)
"""Cut at short pauses, because at a pause speakers change."""
PAUSE_S = 0.9
"""A pause up to this long between words of one speaker, with nobody in between, belongs to the turn."""
LONG, LONG_HOP = 160, 40
"""Windows of 1.6 s, each 0.4 s: what the encoder was trained on; the speakers are found by them."""
SHORT, SHORT_HOP = 80, 20
"""Windows half as long, twice as often, see short turns; the long ones beside them steady what they say."""


class EmbeddedDiarizer:
    """A `Diarizer`. It gives one speaker a moment: in mixed voices the encoder hears a third one, not two."""

    def __init__(self, encoder: Encoder, make_vad: Callable[[], VoiceActivity]) -> None:
        self._encoder = encoder
        self._vad = make_vad()

    def diarize(self, sound: SoundStream, hints: SpeakerHints, watch: Watch) -> tuple[SpeakerTurn, ...]:
        """Who speaks when (see `Diarizer`)."""
        with while_working():
            features = extract(sound, self._vad, REGIONS, watch.part(0.0, 0.25))
            turns = in_order(over_pauses(self._turns(features, hints, watch))) if features.regions else ()
        watch.progress(1.0)
        return turns

    def _turns(self, features: Features, hints: SpeakerHints, watch: Watch) -> Iterator[SpeakerTurn]:
        windows = place(features.regions, features.n_frames, width=LONG, hop=LONG_HOP)
        voices = self._voices(features, windows, watch.part(0.25, 0.6))
        speakers = find_speakers(voices, windows.centres, hints)
        if len(speakers) == 1:
            return (SpeakerTurn(one.start / RATE_HZ, one.end / RATE_HZ, "0") for one in features.regions)
        timeline = Timeline(features.n_frames, len(speakers))
        timeline.add(windows, slice(None), voices @ speakers.T)
        short = place(features.regions, features.n_frames, width=SHORT, hop=SHORT_HOP)
        for which, some in embedded(self._encoder, features, short, watch.part(0.6, 1.0)):
            timeline.add(short, which, some @ speakers.T)
        return timeline.turns(features.regions)

    def _voices(self, features: Features, windows: Windows, watch: Watch) -> Floats:
        voices = np.empty((len(windows), N_DIMENSIONS), np.float32)
        for which, some in embedded(self._encoder, features, windows, watch):
            voices[which] = some
        return voices


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
