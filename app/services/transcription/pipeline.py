"""From a stored recording to a transcript, with weights that stay loaded from one recording to the next."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from app.audio.parts import Part
from app.audio.sound import Pcm, VoiceActivity
from app.domain.errors import Cancelled, ChildDied, MediaError, NotAudio
from app.domain.job import JobOptions
from app.domain.transcript import Transcript
from app.engines.base import Hardware
from app.engines.registry import Choice, Registry
from app.engines.selection import select
from app.services.transcription.checkpoint import Checkpoint
from app.services.transcription.cutting import PartCutter
from app.services.transcription.limits import PipelineLimits
from app.services.transcription.observer import Observer
from app.services.transcription.reading import ReadAhead
from app.services.transcription.run import Run
from app.services.transcription.warm_models import WarmModels

NOT_THE_ENGINES_FAULT = (Cancelled, ChildDied, MediaError, NotAudio)


class TranscriptionPipeline:
    """Transcribes one recording at a time, in constant memory however long it is."""

    def __init__(
        self,
        registry: Registry,
        make_vad: Callable[[], VoiceActivity],
        hardware: Hardware,
        limits: PipelineLimits,
    ) -> None:
        self._registry = registry
        self._make_vad = make_vad
        self._limits = limits
        self._warm = WarmModels(hardware, limits.n_warm_models)
        self._vad: VoiceActivity | None = None

    def run(self, audio: Path, options: JobOptions, observer: Observer, resume: Checkpoint | None = None) -> Transcript:
        """Transcribe a recording; parts that `resume` holds are not done again.

        Raises:
            InvalidFields: no engine here can do what the options ask.
            Cancelled: the observer asked for it.
            EngineError: the engine failed.
            NotAudio, MediaError, ChildDied: the recording cannot be read.
        """
        choice = select(self._registry, options)
        done = resume or Checkpoint()
        run = Run(choice, options, lambda: self._warm.get(choice), observer, done)
        vad = self._vad = self._vad or self._make_vad()
        cut = self._cut(choice, vad, done)
        with ReadAhead(audio, done.end_sample, self._limits.decode, cut, options.channel) as reading:
            try:
                return run.hear(reading, vad.hop)
            except Exception as error:
                self._forget(choice, error)
                raise

    def warm(self, options: JobOptions) -> None:
        """Load what a run with these options needs, so that it finds it loaded.

        Raises:
            InvalidFields: no engine here can do what the options ask.
            EngineUnavailable: the weights cannot be loaded.
        """
        self._warm.get(select(self._registry, options))
        self._vad = self._vad or self._make_vad()

    def _forget(self, choice: Choice, error: Exception) -> None:
        """Keep nothing that the failed run may have left in a bad state, or may still use."""
        self._vad = None
        if not isinstance(error, NOT_THE_ENGINES_FAULT):
            self._warm.forget(choice)

    def _cut(self, choice: Choice, vad: VoiceActivity, done: Checkpoint) -> Callable[[Iterator[Pcm]], Iterator[Part]]:
        cutter = PartCutter(vad, choice.engine.capabilities.spans, self._limits)
        if not done.parts:
            return cutter.from_start
        return partial(cutter.after, start_sample=done.end_sample, first_index=done.parts[-1].index + 1)
