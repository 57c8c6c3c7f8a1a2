"""The diarization engines on sound: the embedded one with its own weights, pyannote's real classes with tiny ones."""

import importlib
import sys

import numpy as np
import pytest
from fixtures.flite_dialogue import dialogue as dialogue_of_flite
from fixtures.flite_sentences import SENTENCES, recorded
from fixtures.pyannote_pipeline import make_pipeline

from app.audio.sound import RATE_HZ
from app.domain.errors import Cancelled, EngineUnavailable
from app.domain.speaker_hints import SpeakerHints
from app.engines.base import Hardware, ModelInfo
from app.engines.diarization import SoundStream, Watch
from app.engines.embedded.engine import EmbeddedEngine
from app.engines.pyannote import PyannoteEngine, gathered
from app.engines.torchaudio_guard import EXTENSION, import_torchaudio

CPU = Hardware("cpu", "float32", 1)
LOWER, HIGHER = 0.8, 1.0
"""Speed at which a recording is played: slower is a deeper voice, and a longer throat."""


def embedded_with(name: str, weights_dir):
    engine = EmbeddedEngine(weights_dir)
    [model] = [model for model in engine.models() if model.name == name]
    if not model.is_here:
        pytest.skip(f"the weights of {name} could not be fetched")
    return engine.load(model, CPU)


@pytest.fixture(scope="module")
def campplus(tmp_path_factory):
    return embedded_with("campplus", tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module", params=["campplus", "resemblyzer"])
def embedded(request, tmp_path_factory):
    return embedded_with(request.param, tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def pyannote(tmp_path_factory):
    weights_dir = tmp_path_factory.mktemp("weights")
    make_pipeline(weights_dir / "pyannote" / "tiny")
    engine = PyannoteEngine(weights_dir)
    [tiny] = [model for model in engine.models() if model.is_here]
    return engine.load(tiny, CPU)


@pytest.fixture(params=["campplus", "pyannote"])
def diarizer(request):
    return request.getfixturevalue(request.param)


def silence(duration_s: float):
    return np.zeros(int(duration_s * RATE_HZ), np.float32)


def monologue(speed: float = HIGHER):
    """The sentences one after the other, with pauses."""
    said = [piece for name in SENTENCES for piece in (recorded(name), silence(0.4))]
    whole = np.concatenate(said)
    return np.interp(np.arange(0, len(whole) - 1, speed), np.arange(len(whole)), whole).astype(np.float32)


def dialogue():
    """Two voices in turn, four turns, a second of silence between them; and when the turns begin and end."""
    pieces, bounds, clock_s = [], [], 0.0
    for speed in (HIGHER, LOWER, HIGHER, LOWER):
        voice = monologue(speed)
        pieces += [voice, silence(1.0)]
        bounds.append((clock_s, clock_s + len(voice) / RATE_HZ))
        clock_s = bounds[-1][1] + 1.0
    return np.concatenate(pieces), bounds


def diarized(diarizer, pcm, hints=None, watch=None):
    return diarizer.diarize(SoundStream.of(pcm), hints or SpeakerHints(), watch or Watch())


def speaker_at(turns, time_s: float) -> str | None:
    return next((turn.speaker for turn in turns if turn.start_s <= time_s < turn.end_s), None)


def test_two_voices_are_told_apart_and_known_again(embedded):
    pcm, bounds = dialogue()
    turns = diarized(embedded, pcm)
    middles = [speaker_at(turns, (start_s + end_s) / 2) for start_s, end_s in bounds]
    assert middles == ["SPEAKER_00", "SPEAKER_01"] * 2
    assert {turn.speaker for turn in turns} == {"SPEAKER_00", "SPEAKER_01"}


def test_one_voice_is_one_speaker(embedded):
    assert {turn.speaker for turn in diarized(embedded, np.tile(monologue(), 3))} == {"SPEAKER_00"}


def test_a_hint_makes_one_speaker_of_two_voices(embedded):
    pcm, _ = dialogue()
    assert {turn.speaker for turn in diarized(embedded, pcm, SpeakerHints(n_speakers=1))} == {"SPEAKER_00"}


def test_nobody_speaks_in_silence(embedded):
    assert diarized(embedded, silence(5.0)) == ()


def test_sound_without_a_sample_has_no_speakers(diarizer):
    assert diarized(diarizer, silence(0.0)) == ()


def test_sound_shorter_than_a_window_has_a_speaker(embedded):
    word = recorded("garden")[: int(0.9 * RATE_HZ)]
    [turn] = diarized(embedded, word)
    assert turn.speaker == "SPEAKER_00"
    assert turn.end_s <= 0.9


def test_samples_that_are_no_numbers_do_no_harm(embedded):
    pcm, _ = dialogue()
    pcm[100:105] = np.nan
    pcm[200] = np.inf
    assert len({turn.speaker for turn in diarized(embedded, pcm)}) == 2


def test_the_blocks_in_which_sound_comes_make_no_difference(embedded):
    pcm, _ = dialogue()
    blocks = [pcm[first : first + 5000] for first in range(0, len(pcm), 5000)]
    assert embedded.diarize(SoundStream(blocks), SpeakerHints(), Watch()) == diarized(embedded, pcm)


def test_progress_never_falls_and_ends_at_one(diarizer):
    told: list[float] = []
    diarized(diarizer, monologue(), watch=Watch(told.append))
    assert told == sorted(told)
    assert len(told) >= 3
    assert told[-1] == 1.0


def test_who_cancels_is_heard(diarizer):
    asked = iter([False])
    with pytest.raises(Cancelled):
        diarized(diarizer, monologue(), watch=Watch(cancelled=lambda: next(asked, True)))


def test_pyannotes_own_pipeline_works_from_a_folder(pyannote):
    pcm = monologue()
    [turn] = diarized(pyannote, pcm)
    assert turn.speaker == "SPEAKER_00"
    assert turn.start_s == pytest.approx(0, abs=0.1)
    assert turn.end_s == pytest.approx(len(pcm) / RATE_HZ, abs=0.1)


def test_pyannote_tells_nobody_about_recordings(pyannote):
    from pyannote.audio.telemetry.metrics import is_metrics_enabled

    assert not is_metrics_enabled()


def test_a_damaged_pipeline_is_unavailable(tmp_path):
    folder = tmp_path / "pyannote" / "broken"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("pipeline: 3", encoding="utf-8")
    with pytest.raises(EngineUnavailable):
        PyannoteEngine(tmp_path).load(ModelInfo("broken", (), folder), CPU)


def test_sound_longer_than_its_header_says_is_gathered_whole():
    pcm = np.random.default_rng(0).uniform(-1, 1, 3 * RATE_HZ).astype(np.float32)
    assert np.array_equal(gathered(SoundStream(np.split(pcm, 6), 0.5), Watch()), pcm)


def test_torchaudio_makes_spectrograms_whether_or_not_its_compiled_part_loads():
    torchaudio = import_torchaudio()
    torch = importlib.import_module("torch")
    assert torchaudio.transforms.MFCC(16_000)(torch.zeros(1, 16_000)).shape[1] == 40
    assert EXTENSION in sys.modules


def test_each_line_of_a_dialogue_is_given_to_who_says_it(embedded):
    pcm, lines = dialogue_of_flite()
    turns = diarized(embedded, pcm)
    heard = [speaker_at(turns, (line.start_s + line.end_s) / 2) for line in lines]
    assert heard == ["SPEAKER_00" if line.voice == lines[0].voice else "SPEAKER_01" for line in lines]


def test_where_two_speak_at_once_both_are_told(campplus):
    pcm, lines = dialogue_of_flite()
    first, second = (next(line for line in lines if line.voice == voice) for voice in ("rms", "slt"))
    together = np.concatenate([pcm, silence(0.5), mixed(pcm, first, second)])
    starts_s = len(pcm) / RATE_HZ + 0.5
    both = [turn for turn in diarized(campplus, together) if turn.end_s > starts_s + 0.5]
    shared_s = sum(turn.end_s - max(turn.start_s, starts_s) for turn in both) - (max(t.end_s for t in both) - starts_s)
    assert {turn.speaker for turn in both} == {"SPEAKER_00", "SPEAKER_01"}
    assert shared_s > 0.8


def mixed(pcm, first, second):
    """Two lines said at the same time, as long as the shorter lasts."""
    lines = [pcm[int(line.start_s * RATE_HZ) : int(line.end_s * RATE_HZ)] for line in (first, second)]
    shorter = min(len(line) for line in lines)
    return sum(line[:shorter] for line in lines)


@pytest.mark.parametrize("hints", [SpeakerHints(n_speakers=2), SpeakerHints(min_speakers=2)])
def test_a_hint_makes_two_speakers_of_one_voice(embedded, hints):
    assert len({turn.speaker for turn in diarized(embedded, monologue(), hints)}) == 2
