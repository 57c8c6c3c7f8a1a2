"""One speaker a channel: who speaks when is then told by voice activity alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

from app.audio.decode import decode
from app.audio.regions import FOR_SPEAKERS, RegionFinder, padded
from app.audio.sound import RATE_HZ, Span, VoiceActivity
from app.domain.diarization import Diarization, channel_label
from app.domain.errors import Cancelled
from app.domain.speaker_hints import SpeakerHints
from app.domain.speaker_turn import SpeakerTurn
from app.services.diarization.findings import findings
from app.services.transcription.limits import PipelineLimits
from app.services.transcription.observer import Observer
from app.services.transcription.tracker import NEARLY_DONE, Tracker

ENGINE, MODEL = "channels", "silero-vad"
N_CHANNELS = 2


class ChannelDiarizer:
    """Listens to the two channels one after the other, a second in memory at a time."""

    def __init__(self, make_vad: Callable[[], VoiceActivity], limits: PipelineLimits) -> None:
        self._make_vad = make_vad
        self._limits = limits
        self._vad: VoiceActivity | None = None

    def run(self, audio: Path, observer: Observer) -> Diarization:
        """When somebody speaks in each channel of a stereo recording; the left one is `SPEAKER_00`.

        Raises:
            Cancelled: the observer asked for it.
            NotAudio, MediaError, ChildDied: the recording cannot be read, or has not two channels.
        """
        heard = [_Heard(channel, observer) for channel in range(N_CHANNELS)]
        turns = [turn for one in heard for turn in self._turns(audio, one)]
        ordered = tuple(sorted(turns, key=lambda turn: (turn.start_s, turn.end_s)))
        warnings = dict.fromkeys(warning for one in heard for warning in one.warnings)
        return Diarization(
            ordered, heard[0].n_samples / RATE_HZ, ENGINE, MODEL, (*warnings, *findings(ordered, SpeakerHints()))
        )

    def _turns(self, audio: Path, heard: "_Heard") -> Iterator[SpeakerTurn]:
        vad = self._vad = self._vad or self._make_vad()
        vad.reset()
        regions = heard.regions(audio, vad, self._limits)
        for span in padded(regions, round(FOR_SPEAKERS.pad_s * RATE_HZ), heard.n_samples):
            yield SpeakerTurn(span.start / RATE_HZ, span.end / RATE_HZ, channel_label(heard.channel))


class _Heard:
    """One channel, and what was found out about it."""

    def __init__(self, channel: int, observer: Observer) -> None:
        self.channel = channel
        self.n_samples = 0
        self.warnings: tuple[str, ...] = ()
        self._observer = observer

    def regions(self, audio: Path, vad: VoiceActivity, limits: PipelineLimits) -> list[Span]:
        """The regions of speech, without padding."""
        finder, tracker = RegionFinder(FOR_SPEAKERS, vad.hop), Tracker(self._observer)
        found: list[Span] = []
        with decode(audio, limits=limits.decode, channel=self.channel) as decoding:
            for block in decoding:
                if self._observer.cancelled():
                    raise Cancelled
                found += finder.feed(vad.probabilities(block))
                tracker.read(decoding.info.declared_s, decoding.n_samples / RATE_HZ)
                self._tell(decoding.n_samples / RATE_HZ, decoding.info.declared_s)
        tracker.ended(decoding.n_samples / RATE_HZ)
        self.n_samples, self.warnings = decoding.n_samples, decoding.warnings
        return found + finder.finish(self.n_samples)

    def _tell(self, until_s: float, declared_s: float | None) -> None:
        within = min(until_s / declared_s, 1.0) if declared_s else 0.0
        self._observer.progress(min((self.channel + within) / N_CHANNELS, NEARLY_DONE))
