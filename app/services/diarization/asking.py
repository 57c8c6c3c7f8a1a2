"""Whether what a client asks of a diarization goes together, and can be done here."""

from collections import defaultdict
from dataclasses import replace

from app.domain.errors import InvalidFields
from app.domain.job import MIXED, SEPARATE, JobOptions
from app.domain.speaker_hints import SpeakerHints
from app.engines.diarizers import AUTO, DiarizerRegistry, select_diarizer

CHANNELS = (MIXED, SEPARATE)
N_SEPARATE = 2
HINTS = ("n_speakers", "min_speakers", "max_speakers")
ENGINE = ("diarization_engine", "diarization_model")


def checked_diarization(registry: DiarizerRegistry, options: JobOptions, default: str = AUTO) -> JobOptions:
    """The options with the engine and model that will tell the speakers apart.

    Raises:
        InvalidFields: the hints contradict each other or the channels, or no engine here can do it; says what to do.
    """
    if options.channels not in CHANNELS:
        raise InvalidFields({"channels": [f"Must be one of: {', '.join(CHANNELS)}."]})
    hints = SpeakerHints(options.n_speakers, options.min_speakers, options.max_speakers)
    if options.channels == SEPARATE:
        _check_separate(options, hints)
        return options
    choice = select_diarizer(registry, options.diarization_engine, options.diarization_model, default)
    return replace(options, diarization_engine=choice.engine.name, diarization_model=choice.model.name)


def refuse_hints(options: JobOptions) -> None:
    """Refuse what speakers are told apart by, where they are told apart already.

    Raises:
        InvalidFields: some of it is given; names each.
    """
    given = [name for name in (*HINTS, *ENGINE) if getattr(options, name) is not None]
    if given:
        message = "The speakers of that job are told apart already; diarize its recording in a job of its own."
        raise InvalidFields({name: [message] for name in given})


def _check_separate(options: JobOptions, hints: SpeakerHints) -> None:
    errors: dict[str, list[str]] = defaultdict(list)
    if not hints.least <= N_SEPARATE <= (hints.most or N_SEPARATE):
        message = "With `channels=separate` there are two speakers, one a channel."
        errors.update({name: [message] for name in HINTS if getattr(options, name) is not None})
    for name in ENGINE:
        if getattr(options, name) is not None:
            errors[name] = ["With `channels=separate` no engine tells the speakers apart: the channels do."]
    if errors:
        raise InvalidFields(errors)
