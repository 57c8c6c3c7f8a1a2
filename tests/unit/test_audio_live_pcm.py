"""Live sound of bare samples: exact, however it is cut and wherever it begins anew."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import tone

from app.audio.live.base import MULAW, PCM_F32LE, PCM_S16LE
from app.audio.live.decoder import make_live_decoder
from app.audio.live.resampling import restart_before
from app.domain.errors import MediaUnreadable

RATES = st.sampled_from([8_000, 11_025, 12_345, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
ENCODINGS = st.sampled_from([PCM_S16LE, PCM_F32LE, MULAW])
N_BYTES = {PCM_S16LE: 2, PCM_F32LE: 4, MULAW: 1}


def noise(n_bytes, encoding, seed=0):
    if encoding == PCM_F32LE:
        return np.random.default_rng(seed).uniform(-1, 1, n_bytes // 4).astype("<f4").tobytes()
    return np.random.default_rng(seed).bytes(n_bytes)


def decoded(decoder, data, cuts=()):
    bounds = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [decoder.feed(data[a:b]) for a, b in pairwise(bounds)]
    return np.concatenate([*pieces, decoder.flush()])


@settings(deadline=None, max_examples=60)
@given(ENCODINGS, RATES, st.lists(st.integers(0, 40_000), max_size=12))
def test_however_the_bytes_are_cut_the_samples_are_the_same(encoding, rate_hz, cuts):
    data = noise(20_000, encoding)
    whole = decoded(make_live_decoder(encoding, rate_hz), data)
    assert np.array_equal(decoded(make_live_decoder(encoding, rate_hz), data, cuts), whole)


@settings(deadline=None, max_examples=60)
@given(ENCODINGS, RATES, st.floats(0, 1), st.lists(st.integers(0, 40_000), max_size=4))
def test_from_a_restart_point_on_the_samples_are_those_of_the_undisturbed_stream(encoding, rate_hz, share, cuts):
    data = noise(60_000, encoding)
    first = make_live_decoder(encoding, rate_hz)
    whole = decoded(first, data)
    wanted = int(share * (len(whole) - 1))
    point = first.restart_at(wanted)
    assert point.sample <= wanted
    again = decoded(make_live_decoder(encoding, rate_hz, point), data[point.byte :], cuts)
    assert np.array_equal(again[wanted - point.sample :], whole[wanted:])


@settings(deadline=None)
@given(st.integers(8_000, 48_000), st.integers(0, 3 * 3600 * 16_000))
def test_a_restart_point_is_the_same_moment_at_both_rates(rate_hz, sample):
    n_in, n_out = restart_before(sample, rate_hz)
    assert n_in * 16_000 == n_out * rate_hz
    assert 0 <= n_out <= sample
    assert sample - n_out <= 16_000 + 64


@pytest.mark.parametrize("n_blocks", [12, pytest.param(720, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_two_minutes_or_hours_at_44100_hz_drift_by_no_sample(n_blocks):
    decoder = make_live_decoder(PCM_S16LE, 44_100)
    ten_s = np.zeros(441_000, "<i2").tobytes()
    click = np.zeros(441_000, "<i2")
    click[0] = 32_767
    n_before = sum(len(decoder.feed(ten_s)) for _ in range(n_blocks - 1))
    last = np.concatenate([decoder.feed(click.tobytes()), decoder.flush()])
    assert n_before + len(last) == n_blocks * 160_000
    assert n_before + int(np.abs(last).argmax()) == (n_blocks - 1) * 160_000


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
def test_a_tone_keeps_its_pitch_level_and_place(rate_hz):
    data = (tone(1.0, rate_hz=rate_hz) * 32_768).astype("<i2").tobytes()
    told = decoded(make_live_decoder(PCM_S16LE, rate_hz), data)
    assert len(told) == 16_000
    assert np.abs(told - tone(1.0))[200:-200].max() < 0.001


def test_what_lies_above_8_khz_does_not_come_back_as_something_else():
    data = (tone(1.0, hz=11_000, rate_hz=48_000) * 32_768).astype("<i2").tobytes()
    told = decoded(make_live_decoder(PCM_S16LE, 48_000), data)
    assert np.abs(told[200:-200]).max() < 0.001


def test_mulaw_is_read_as_g711_says():
    told = make_live_decoder(MULAW, 16_000).feed(bytes([0xFF, 0x7F, 0x80, 0x00, 0xEF]))
    assert (told * 8_192 * 4).tolist() == [0, 0, 32_124, -32_124, 132]


def test_samples_that_are_no_numbers_are_silence():
    data = np.array([np.nan, np.inf, -np.inf, 7.0, 0.5], "<f4").tobytes()
    assert make_live_decoder(PCM_F32LE, 16_000).feed(data).tolist() == [0.0, 1.0, -1.0, 1.0, 0.5]


@pytest.mark.parametrize(("encoding", "rate_hz"), [("mp3", 16_000), (PCM_S16LE, 7_999), (PCM_S16LE, 48_001)])
def test_other_encodings_and_rates_are_refused(encoding, rate_hz):
    with pytest.raises(MediaUnreadable):
        make_live_decoder(encoding, rate_hz)
