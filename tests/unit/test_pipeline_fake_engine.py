"""The fake engine keeps the promises of a real one."""

import numpy as np
import pytest

from tests.engine_conformance import Recording, TranscriberConformance
from tests.fakes import BeepTranscriber, beeps

TEXT = "do re mi fa sol"


class TestBeepTranscriber(TranscriberConformance):
    @pytest.fixture
    def transcriber(self) -> BeepTranscriber:
        return BeepTranscriber()

    @pytest.fixture
    def recording(self) -> Recording:
        return Recording(np.pad(beeps(TEXT), 4000), TEXT)


def test_it_tells_french_beeps_from_english_ones() -> None:
    assert [BeepTranscriber().detect_language(beeps(text)) for text in ("do re", "ut ton")] == ["en", "fr"]
