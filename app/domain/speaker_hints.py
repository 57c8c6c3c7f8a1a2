"""What a client may say about the speakers of a recording beforehand."""

from dataclasses import dataclass

from app.domain.errors import InvalidFields

MAX_SPEAKERS = 50
"""More than this no engine can hold apart, and no client has meant."""


@dataclass(frozen=True, slots=True)
class SpeakerHints:
    """How many speakers there are, if the client knows: exactly, or at least and at most. None: not known.

    Raises:
        InvalidFields: the numbers contradict each other, or are out of range; names the fields.
    """

    n_speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None

    def __post_init__(self) -> None:
        errors = self._out_of_range() or self._contradictions()
        if errors:
            raise InvalidFields(errors)

    @property
    def least(self) -> int:
        """The fewest speakers there may be; 1 if nothing is known."""
        return self.n_speakers or self.min_speakers or 1

    @property
    def most(self) -> int | None:
        """The most speakers there may be; None if nothing is known."""
        return self.n_speakers or self.max_speakers

    def _out_of_range(self) -> dict[str, list[str]]:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        wrong = (name for name, value in values.items() if value is not None and not 1 <= value <= MAX_SPEAKERS)
        return {name: [f"{values[name]} is not a number of speakers between 1 and {MAX_SPEAKERS}."] for name in wrong}

    def _contradictions(self) -> dict[str, list[str]]:
        least, most, exactly = self.min_speakers, self.max_speakers, self.n_speakers
        if least and most and least > most:
            return {"min_speakers": [f"At least {least} and at most {most} speakers contradict each other."]}
        if exactly and least and exactly < least:
            return {"n_speakers": [f"Exactly {exactly} and at least {least} speakers contradict each other."]}
        if exactly and most and exactly > most:
            return {"n_speakers": [f"Exactly {exactly} and at most {most} speakers contradict each other."]}
        return {}
