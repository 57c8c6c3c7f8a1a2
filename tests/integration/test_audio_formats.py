"""Every kind of recording becomes the same sound."""

import struct
from itertools import pairwise

import numpy as np
import pytest

from app.audio.decode import DAMAGED, SILENT, decode
from app.audio.sound import RATE_HZ
from app.domain.errors import MediaWithoutAudio
from tests.sounds import (
    DEMO,
    ENCODINGS,
    TONE_HZ,
    TONE_LEVEL,
    Encoding,
    demo_lines,
    encode,
    level_of,
    loudest_hz,
    tone,
    write,
    write_video,
)

WAV = Encoding("wav", "wav", "pcm_s16le", 16_000, "mono")
WAV_OF_FLOATS = Encoding("wav", "wav", "pcm_f32le", 16_000, "mono")
LEVEL_TOLERANCE = 0.2
"""AMR is not about the level of sines."""


def decoded(path, **options):
    with decode(path, **options) as decoding:
        pcm = np.concatenate([np.zeros(0, np.float32), *decoding])
    assert decoding.n_samples == options.get("start_sample", 0) + len(pcm)
    return pcm, decoding


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_a_recording_of_any_kind_keeps_its_length_pitch_and_level(tmp_path, encoding):
    pcm, decoding = decoded(encode(tmp_path / "upload", encoding, 2.0))
    assert pcm.dtype == np.float32
    assert len(pcm) / RATE_HZ == pytest.approx(2.0, abs=0.06)
    middle = pcm[RATE_HZ // 2 : 3 * RATE_HZ // 2]
    assert loudest_hz(middle) == pytest.approx(TONE_HZ, abs=2)
    assert level_of(middle) == pytest.approx(TONE_LEVEL, rel=LEVEL_TOLERANCE)
    assert decoding.warnings == ()
    assert decoding.info.rate_hz == encoding.rate_hz


def test_sound_as_we_keep_it_is_decoded_exactly(tmp_path):
    sound = np.random.default_rng(1).uniform(-1, 1, 3 * RATE_HZ + 123).astype(np.float32)
    pcm, _ = decoded(write(tmp_path / "a", WAV_OF_FLOATS, sound[None, :]))
    assert np.array_equal(pcm, sound)


def test_full_scale_on_both_channels_is_not_too_loud_when_mixed(tmp_path):
    pcm, _ = decoded(encode(tmp_path / "a", Encoding("wav", "wav", "pcm_s16le", 16_000), level=1.0))
    assert level_of(pcm) == pytest.approx(1.0, rel=0.01)


def test_what_is_on_one_channel_only_is_heard(tmp_path):
    channels = np.stack([tone(1.0), np.zeros(RATE_HZ, np.float32)])
    pcm, _ = decoded(write(tmp_path / "a", Encoding("wav", "wav", "pcm_s16le", 16_000), channels))
    assert level_of(pcm) == pytest.approx(TONE_LEVEL / 2, rel=0.02)


def wav_of_channels(path, channels):
    """A plain WAV (without a channel mask, as recorders with many microphones write it); shape (n_channels, n)."""
    n_channels, n_samples = channels.shape
    n_bytes = 2 * n_channels * n_samples
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, n_channels, RATE_HZ, 2 * n_channels * RATE_HZ, 2 * n_channels, 16)
    head = b"RIFF" + struct.pack("<I", 36 + n_bytes) + b"WAVE" + fmt + struct.pack("<4sI", b"data", n_bytes)
    path.write_bytes(head + (channels.T * 32_767).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize("n_channels", [3, 4, 6, 9, 16, 32])
def test_of_many_microphones_each_is_heard(tmp_path, n_channels):
    for talking in {0, 2, n_channels - 1}:
        channels = np.zeros((n_channels, RATE_HZ), np.float32)
        channels[talking] = tone(1.0)
        pcm, _ = decoded(wav_of_channels(tmp_path / "a", channels))
        assert level_of(pcm) == pytest.approx(TONE_LEVEL / n_channels, rel=0.05)


def test_numbers_that_are_no_sound_become_silence_and_the_rest_is_kept_in_bounds(tmp_path):
    sound = tone(1.0)
    sound[100:200], sound[300], sound[400] = np.nan, np.inf, -7.0
    pcm, _ = decoded(write(tmp_path / "a", WAV_OF_FLOATS, sound[None, :]))
    assert np.all(pcm[100:200] == 0.0)
    assert (pcm[300], pcm[400]) == (1.0, -1.0)
    assert np.array_equal(pcm[500:], sound[500:])


def test_chunks_are_a_second_long_and_may_be_written_to(tmp_path):
    with decode(encode(tmp_path / "a", WAV, 3.5)) as decoding:
        chunks = list(decoding)
    assert [len(chunk) for chunk in chunks] == [RATE_HZ, RATE_HZ, RATE_HZ, RATE_HZ // 2]
    assert all(chunk.flags.writeable for chunk in chunks)


@pytest.mark.parametrize("start_sample", [1, RATE_HZ, 2 * RATE_HZ + 77, 10 * RATE_HZ])
@pytest.mark.parametrize("filename", ["garden.flac", "telephone.wav"])
def test_decoding_goes_on_exactly_where_it_is_told_to(filename, start_sample):
    whole, _ = decoded(DEMO / filename)
    with decode(DEMO / filename, start_sample=start_sample) as decoding:
        rest = np.concatenate([np.zeros(0, np.float32), *decoding])
    assert np.array_equal(rest, whole[start_sample:])
    assert decoding.n_samples == len(whole)


def test_silence_is_decoded_and_remarked_on(tmp_path):
    pcm, decoding = decoded(encode(tmp_path / "a", WAV, 1.0, level=0.0))
    assert len(pcm) == RATE_HZ
    assert decoding.warnings == (SILENT,)


def test_the_sound_of_a_video_is_decoded(tmp_path):
    pcm, decoding = decoded(write_video(tmp_path / "a.mp4"))
    assert loudest_hz(pcm) == pytest.approx(TONE_HZ, abs=2)
    assert decoding.info.codec == "aac"


def test_sound_that_starts_later_than_its_video_keeps_its_times(tmp_path):
    pcm, _ = decoded(write_video(tmp_path / "a.mp4", audio_starts_s=1.0))
    assert np.all(pcm[: int(0.9 * RATE_HZ)] == 0.0)
    assert level_of(pcm[int(1.2 * RATE_HZ) : 2 * RATE_HZ]) == pytest.approx(TONE_LEVEL, rel=LEVEL_TOLERANCE)


def test_a_video_without_sound_is_told_apart(tmp_path):
    path = write_video(tmp_path / "a.mp4", audio_starts_s=None)
    with pytest.raises(MediaWithoutAudio), decode(path):
        pass


OPUS = Encoding("opus", "ogg", "libopus", 48_000, "mono")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (OPUS, OPUS),
        (Encoding("mp3", "mp3", "libmp3lame", 44_100), Encoding("mp3", "mp3", "libmp3lame", 44_100, "mono")),
        (Encoding("aac", "adts", "aac", 44_100, "mono"), Encoding("aac", "adts", "aac", 44_100)),
    ],
    ids=str,
)
def test_two_recordings_joined_end_to_end_are_both_heard(tmp_path, first, second):
    path = encode(tmp_path / "both", first, 1.0)
    path.write_bytes(path.read_bytes() + encode(tmp_path / "second", second, 1.0).read_bytes())
    pcm, _ = decoded(path)
    assert len(pcm) / RATE_HZ == pytest.approx(2.0, abs=0.15)
    assert level_of(pcm[: RATE_HZ // 2]) == pytest.approx(TONE_LEVEL, rel=LEVEL_TOLERANCE)
    assert level_of(pcm[-RATE_HZ // 2 : -RATE_HZ // 4]) == pytest.approx(TONE_LEVEL, rel=LEVEL_TOLERANCE)


def test_what_is_joined_in_a_way_that_cannot_be_followed_is_remarked_on(tmp_path):
    path = encode(tmp_path / "both", OPUS, 1.0)
    stereo = encode(tmp_path / "second", Encoding("opus", "ogg", "libopus", 48_000), 1.0)
    path.write_bytes(path.read_bytes() + stereo.read_bytes())
    _, decoding = decoded(path)
    assert DAMAGED in decoding.warnings


def test_the_name_of_a_file_is_not_asked(tmp_path):
    pcm, decoding = decoded(encode(tmp_path / "http:--not a name, \u00e9.m3u8", WAV))
    assert len(pcm) == 2 * RATE_HZ
    assert decoding.info.container.name == "wav"


@pytest.mark.parametrize("filename", ["garden.flac", "meeting.flac", "long-pause.flac", "telephone.wav"])
def test_in_demo_recordings_there_is_speech_where_the_reference_says(filename):
    pcm, decoding = decoded(DEMO / filename)
    assert decoding.warnings == ()
    lines = demo_lines(filename)
    assert lines[-1].end_s < len(pcm) / RATE_HZ
    speech = [pcm[round(line.start_s * RATE_HZ) : round(line.end_s * RATE_HZ)] for line in lines]
    pauses = [pcm[round(a.end_s * RATE_HZ) + 800 : round(b.start_s * RATE_HZ) - 800] for a, b in pairwise(lines)]
    assert min(level_of(piece) for piece in speech) > 20 * max(level_of(piece) for piece in pauses)
