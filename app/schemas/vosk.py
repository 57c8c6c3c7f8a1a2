"""What clients of vosk-server configure."""

import math
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, post_load
from marshmallow.fields import Boolean, Field, Integer
from marshmallow.validate import Range

from app.domain.job import JobOptions
from app.domain.live import StreamSpec
from app.schemas.fields import Text, WordList
from app.schemas.streaming import MAX_RATE_HZ, MIN_RATE_HZ, StreamForm

UNSAID_RATE_HZ = 8_000
MAX_ALTERNATIVES = 50


class Rate(Field[int]):
    """Samples a second, as a number of any kind or as text."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        try:
            rate = float(value)
        except (TypeError, ValueError) as error:
            raise ValidationError("Not a valid number.") from error
        if not math.isfinite(rate) or not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
            raise ValidationError(f"Must be from {MIN_RATE_HZ} to {MAX_RATE_HZ}.")
        return round(rate)


class VoskConfig(Schema):
    """The `config` of a client; what is not known is passed over, as vosk-server does."""

    class Meta:
        """As above."""

        unknown = EXCLUDE

    sample_rate = Rate(load_default=UNSAID_RATE_HZ)
    words = Boolean(load_default=True)
    max_alternatives = Integer(load_default=0, validate=Range(0, MAX_ALTERNATIVES))
    phrase_list = WordList(load_default=())
    language = Text(load_default=None, max_length=64)
    model = Text(load_default=None)

    @post_load
    def _to_form(self, data: dict[str, Any], **_: Any) -> StreamForm:
        options = JobOptions(
            language=data["language"], model=data["model"], hotwords=data["phrase_list"], word_timestamps=data["words"]
        )
        spec = StreamSpec(rate_hz=data["sample_rate"], max_alternatives=data["max_alternatives"], lockstep=True)
        return StreamForm(options, spec)
