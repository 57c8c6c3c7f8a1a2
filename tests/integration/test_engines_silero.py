"""Silero VAD against the package's own code, and on speech and silence."""

import subprocess
import sys

import numpy as np
import pytest
from fixtures.flite_sentences import recorded

from app.audio.sound import RATE_HZ
from app.engines.silero import HOP, SileroVad


@pytest.fixture(scope="module")
def speech():
    return np.concatenate([np.zeros(RATE_HZ, np.float32), recorded("meeting"), np.zeros(RATE_HZ, np.float32)])


@pytest.fixture
def vad():
    return SileroVad()


def reference(pcm):
    """Probabilities by the package itself: its streaming network, frame by frame."""
    import torch
    from silero_vad import load_silero_vad

    model = load_silero_vad(onnx=True)
    frames = torch.from_numpy(pcm[: len(pcm) // HOP * HOP]).split(HOP)
    return np.array([model(frame, RATE_HZ).item() for frame in frames])


def test_it_tells_what_the_package_itself_tells(vad, speech):
    np.testing.assert_allclose(vad.probabilities(speech), reference(speech), atol=1e-4)


def test_speech_is_told_from_silence(vad, speech):
    told = vad.probabilities(speech)
    quiet = RATE_HZ // HOP - 2
    assert told[:quiet].max() < 0.1
    assert np.median(told[quiet + 4 : -quiet - 8]) > 0.9
    assert told[-quiet // 2 :].max() < 0.1


@pytest.mark.parametrize("n_samples", [1, 160, 511, 513, 40_000])
def test_pieces_of_any_size_give_the_same_as_the_whole(vad, speech, n_samples):
    short = speech[: 20 * HOP] if n_samples == 1 else speech
    pieces = [vad.probabilities(short[i : i + n_samples]) for i in range(0, len(short), n_samples)]
    # To the bit: streams judge as many frames at once as there are, and must say the same however sound came.
    np.testing.assert_array_equal(np.concatenate(pieces), SileroVad().probabilities(short))


def test_samples_are_told_once_there_is_a_whole_hop(vad):
    assert len(vad.probabilities(np.zeros(HOP - 1, np.float32))) == 0
    assert len(vad.probabilities(np.zeros(1, np.float32))) == 1
    assert len(vad.probabilities(np.zeros(0, np.float32))) == 0


def test_a_reset_forgets_the_stream(vad, speech):
    first = vad.probabilities(speech)
    vad.probabilities(speech[: HOP + 100])
    vad.reset()
    np.testing.assert_array_equal(vad.probabilities(speech), first)


def test_the_sound_given_is_not_kept(vad, speech):
    piece = speech[RATE_HZ : RATE_HZ + HOP + 100].copy()
    vad.probabilities(piece)
    piece[:] = 1.0
    other = SileroVad()
    other.probabilities(speech[RATE_HZ : RATE_HZ + HOP + 100])
    rest = speech[RATE_HZ + HOP + 100 : RATE_HZ + 3 * HOP]
    np.testing.assert_array_equal(vad.probabilities(rest), other.probabilities(rest))


def test_it_works_without_torch():
    code = (
        "import sys, numpy as np; from app.engines.silero import SileroVad;"
        "SileroVad().probabilities(np.zeros(5000, np.float32));"
        "sys.exit(bool({'torch', 'silero_vad'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
