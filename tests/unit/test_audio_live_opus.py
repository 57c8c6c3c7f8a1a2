"""Live Opus, in both containers of a browser's recorder: cut anywhere, and begun anew."""

import io
from functools import cache
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.live.base import OPUS
from app.audio.live.decoder import make_live_decoder
from app.domain.errors import MediaUnreadable

CONTAINERS = {"webm": {"live": "1", "cluster_time_limit": "1000"}, "ogg": {"page_duration": "200000"}}
RATE = 48_000


class OneWay(io.RawIOBase):
    """A file that cannot be gone back in, as a socket cannot."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, block):
        self.data += bytes(block)
        return len(block)


def melody(duration_s):
    """Three tones and some noise, mono, 48 kHz."""
    at = np.arange(int(duration_s * RATE)) / RATE
    hiss = np.random.default_rng(3).normal(0, 0.01, len(at))
    return (0.3 * np.sin(2 * np.pi * (300 + 40 * np.floor(at * 3)) * at) + hiss).astype(np.float32)


@cache
def recorded(container, layout="mono", duration_s=12.0):
    out = OneWay()
    pcm = melody(duration_s)
    with av.open(out, "w", format=container, options=CONTAINERS[container]) as muxer:
        stream = muxer.add_stream("libopus", rate=RATE, layout=layout)
        planes = pcm[None, :] if layout == "mono" else np.stack([pcm, pcm]).T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), format="flt", layout=layout)
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            muxer.mux(packet)
    return out.data


def decoded(decoder, data, cuts=()):
    bounds = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return np.concatenate([*(decoder.feed(data[a:b]) for a, b in pairwise(bounds)), decoder.flush()])


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("container", CONTAINERS)
def test_the_sound_is_the_one_that_was_recorded_and_in_its_place(container, layout):
    told = decoded(make_live_decoder(OPUS, RATE), recorded(container, layout))
    assert 0 <= len(told) - 12 * 16_000 < 1_000
    lag = np.correlate(told[16_000:32_000], melody(12.0)[::3][16_100:31_900], "valid").argmax()
    assert abs(int(lag) - 100) <= 1
    assert np.sqrt(np.square(told).mean()) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(sorted(CONTAINERS)), st.lists(st.integers(0, 300_000), max_size=30))
def test_however_the_bytes_are_cut_the_samples_are_the_same(container, cuts):
    data = recorded(container)
    whole = decoded(make_live_decoder(OPUS, RATE), data)
    assert np.array_equal(decoded(make_live_decoder(OPUS, RATE), data, cuts), whole)


@pytest.mark.parametrize("container", CONTAINERS)
def test_byte_by_byte_is_the_same_too(container):
    data = recorded(container)[:6_000]
    one = make_live_decoder(OPUS, RATE)
    singly = np.concatenate([one.feed(data[i : i + 1]) for i in range(len(data))])
    assert np.array_equal(singly, make_live_decoder(OPUS, RATE).feed(data))
    assert len(singly)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("wanted_s", [0.0, 3.0, 6.01, 9.5])
def test_begun_anew_at_a_restart_point_the_samples_are_the_same(container, wanted_s):
    data = recorded(container)
    first = make_live_decoder(OPUS, RATE)
    whole = decoded(first, data)
    wanted = int(wanted_s * 16_000)
    point = first.restart_at(wanted)
    assert point.sample <= wanted
    assert wanted - point.sample < 6 * 16_000
    again = make_live_decoder(OPUS, RATE, point)
    told = decoded(again, data[point.byte :])
    assert len(told) == len(whole) - point.sample
    assert np.abs(told[wanted - point.sample :] - whole[wanted:]).max() < 1e-4


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_decoder_begun_anew_gives_restart_points_of_the_whole_stream(container):
    data = recorded(container)
    first = make_live_decoder(OPUS, RATE)
    decoded(first, data)
    point = first.restart_at(6 * 16_000)
    again = make_live_decoder(OPUS, RATE, point)
    decoded(again, data[point.byte :])
    assert point.byte > 0
    assert again.restart_at(11 * 16_000) == first.restart_at(11 * 16_000)


@pytest.mark.parametrize("garbage", [b"RIFF" + bytes(100), bytes(5_000), b"\x1a\x45\xdf\xa3" + b"\xff" * 50])
def test_garbage_is_refused(garbage):
    with pytest.raises(MediaUnreadable):
        make_live_decoder(OPUS, RATE).feed(garbage)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(sorted(CONTAINERS)), st.integers(0, 2**32 - 1))
def test_damage_is_either_refused_or_got_over(container, seed):
    data = bytearray(recorded(container)[:30_000])
    random = np.random.default_rng(seed)
    for at in random.integers(0, len(data), 20):
        data[at] = random.integers(0, 256)
    try:
        told = make_live_decoder(OPUS, RATE).feed(bytes(data))
    except MediaUnreadable:
        return
    assert np.isfinite(told).all()
