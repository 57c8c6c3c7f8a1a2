"""From a stored recording to who spoke when, in memory that does not grow with it."""

from collections.abc import Callable, Iterator
from pathlib import Path

from app.audio.decode import Decoding, decode
from app.audio.sound import RATE_HZ, Pcm, VoiceActivity
from app.domain.diarization import Diarization
from app.domain.job import SEPARATE, JobOptions
from app.domain.speaker_hints import SpeakerHints
from app.engines.base import Hardware
from app.engines.diarization import Diarizer, SoundStream, Watch
from app.engines.diarizers import DiarizerChoice, DiarizerRegistry, select_diarizer
from app.services.diarization.channels import ChannelDiarizer
from app.services.diarization.findings import findings
from app.services.transcription.checkpoint import Checkpoint
from app.services.transcription.limits import PipelineLimits
from app.services.transcription.observer import Observer
from app.services.transcription.tracker import NEARLY_DONE, Tracker


class DiarizationPipeline:
    """Tells the speakers of one recording at a time apart, with weights that stay loaded."""

    def __init__(
        self,
        registry: DiarizerRegistry,
        make_vad: Callable[[], VoiceActivity],
        hardware: Hardware,
        limits: PipelineLimits,
    ) -> None:
        self._registry = registry
        self._hardware = hardware
        self._limits = limits
        self._channels = ChannelDiarizer(make_vad, limits)
        self._loaded: tuple[tuple[str, str], Diarizer] | None = None

    def run(
        self,
        audio: Path,
        options: JobOptions,
        observer: Observer,
        resume: Checkpoint | None = None,  # noqa: ARG002 - speakers are told apart over the whole recording at once
    ) -> Diarization:
        """Find out who speaks when; with `channels=separate`, when somebody speaks in each of the two channels.

        Raises:
            InvalidFields: no engine here can do what the options ask, or the hints contradict each other.
            Cancelled: the observer asked for it.
            EngineError: the engine failed.
            NotAudio, MediaError, ChildDied: the recording cannot be read, or has not two channels.
        """
        if options.channels == SEPARATE:
            return self._channels.run(audio, observer)
        choice = _choice(self._registry, options)
        hints = SpeakerHints(options.n_speakers, options.min_speakers, options.max_speakers)
        with decode(audio, limits=self._limits.decode) as decoding:
            return self._diarization(choice, hints, decoding, observer)

    def warm(self, options: JobOptions) -> None:
        """Load what a run with these options needs, so that it finds it loaded.

        Raises:
            InvalidFields: no engine here can do what the options ask.
            EngineUnavailable: the weights cannot be loaded.
        """
        self._diarizer(_choice(self._registry, options))

    def _diarization(
        self, choice: DiarizerChoice, hints: SpeakerHints, decoding: Decoding, observer: Observer
    ) -> Diarization:
        watch = Watch(lambda done: observer.progress(min(done, NEARLY_DONE)), observer.cancelled)
        blocks = _watched(decoding, Tracker(observer), watch)
        try:
            turns = self._diarizer(choice).diarize(SoundStream(blocks, decoding.info.declared_s), hints, watch)
        except Exception:
            self._loaded = None  # nobody knows what state it is in
            raise
        for _ in blocks:
            pass  # an engine may have heard enough before the end; how long the recording is, is told there
        return Diarization(
            turns=tuple(turns),
            duration_s=decoding.n_samples / RATE_HZ,
            engine=choice.engine.name,
            model=choice.model.name,
            warnings=(*decoding.warnings, *findings(turns, hints)),
        )

    def _diarizer(self, choice: DiarizerChoice) -> Diarizer:
        key = (choice.engine.name, choice.model.name)
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None  # before loading, so that old and new weights are never in memory together
            self._loaded = (key, choice.engine.load(choice.model, self._hardware))
        return self._loaded[1]


def _choice(registry: DiarizerRegistry, options: JobOptions) -> DiarizerChoice:
    return select_diarizer(registry, options.diarization_engine, options.diarization_model)


def _watched(decoding: Decoding, tracker: Tracker, watch: Watch) -> Iterator[Pcm]:
    """The blocks of the recording; its length is told as it is found."""
    for block in decoding:
        watch.check()
        tracker.read(decoding.info.declared_s, decoding.n_samples / RATE_HZ)
        yield block
    tracker.ended(decoding.n_samples / RATE_HZ)
