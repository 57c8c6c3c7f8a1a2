"""What cannot be used is refused, soon and with a reason; what can be saved is."""

import os
import random
import struct

import av
import numpy as np
import pytest

from app.audio.decode import DAMAGED, TRUNCATED, decode
from app.audio.sound import RATE_HZ
from app.domain.errors import MediaEmpty, MediaError, NotAudio
from tests.sounds import ENCODINGS, Encoding, encode, level_of

WAV = Encoding("wav", "wav", "pcm_s16le", 16_000, "mono")
MP3 = Encoding("mp3", "mp3", "libmp3lame", 44_100)
M4A = Encoding("m4a", "ipod", "aac", 44_100)
MOV = Encoding("mov", "mov", "pcm_s16le", 16_000, "mono")
INDEX_AT_END = {"m4a", "mp4", "mov", "3gp"}
FIRST_PAGE_IS_ALL = {"vorbis"}
"""FFmpeg's Vorbis encoder puts two seconds in one page, half of which is nothing."""


def decoded(path):
    with decode(path) as decoding:
        return np.concatenate(list(decoding)), decoding


def refused(path):
    """The error that a recording is refused with; it never shows where the file is."""
    with pytest.raises((MediaError, NotAudio)) as raised:
        decoded(path)
    assert path.name not in raised.value.message
    assert str(path.parent) not in raised.value.message
    assert not raised.value.retryable
    return raised.value


def test_a_file_without_bytes_is_empty(tmp_path):
    (tmp_path / "upload").touch()
    assert isinstance(refused(tmp_path / "upload"), MediaEmpty)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"just words\n" * 100,
        b"PK\x03\x04" + bytes(1000),
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        b"<html><body>404 Not Found</body></html>",
    ],
    ids=["m3u8", "concat", "text", "zip", "png", "html"],
)
@pytest.mark.parametrize("name", ["song.mp3", "song.wav"])
def test_a_disguised_file_is_refused_whatever_its_name(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert isinstance(refused(tmp_path / name), NotAudio)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_of_a_recording_cut_in_half_the_first_half_is_kept(tmp_path, encoding):
    path = encode(tmp_path / "upload", encoding, 3.0)
    os.truncate(path, path.stat().st_size // 2)
    if encoding.suffix in INDEX_AT_END or encoding.codec in FIRST_PAGE_IS_ALL:
        assert "cut short" in refused(path).message
        return
    pcm, _ = decoded(path)
    assert 0.9 <= len(pcm) / RATE_HZ <= 1.8


@pytest.mark.parametrize("encoding", [WAV, MP3, Encoding("flac", "flac", "flac")], ids=str)
def test_a_recording_shorter_than_it_declares_is_remarked_on(tmp_path, encoding):
    path = encode(tmp_path / "upload", encoding, 3.0)
    os.truncate(path, path.stat().st_size // 2)
    assert TRUNCATED in decoded(path)[1].warnings


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_nonsense_behind_a_good_header_neither_hangs_nor_escapes(tmp_path, encoding):
    path = encode(tmp_path / "upload", encoding, 1.0)
    content = path.read_bytes()
    path.write_bytes(content[:200] + random.Random(1).randbytes(len(content)))
    try:
        pcm, _ = decoded(path)
    except (MediaError, NotAudio):
        return
    assert np.abs(pcm).max() <= 1.0


def test_damage_in_the_middle_costs_no_more_than_itself(tmp_path):
    path = encode(tmp_path / "upload", M4A, 6.0)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : third + 8_000] = random.Random(1).randbytes(8_000)
    path.write_bytes(content)
    pcm, decoding = decoded(path)
    assert decoding.warnings == (DAMAGED,)
    assert len(pcm) / RATE_HZ == pytest.approx(6.0, abs=0.1)
    assert level_of(pcm[-RATE_HZ:-1600]) == pytest.approx(0.5, rel=0.1)


def wav_that_declares(declared_s, n_bytes):
    data_bytes = declared_s * 32_000
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, 32_000, 2, 16)
    data = struct.pack("<4sI", b"data", data_bytes)
    return (b"RIFF" + struct.pack("<I", data_bytes + 36) + b"WAVE" + fmt + data).ljust(n_bytes, b"\x11")


def test_ten_hours_declared_over_one_kilobyte_are_empty_and_the_reason_says_so(tmp_path):
    (tmp_path / "upload").write_bytes(wav_that_declares(36_000, 1_024))
    error = refused(tmp_path / "upload")
    assert isinstance(error, MediaEmpty)
    assert "declares 36000.00 s" in error.message
    assert "0.03 s were found" in error.message


def test_ten_hours_declared_over_half_a_second_are_decoded_and_remarked_on(tmp_path):
    (tmp_path / "upload").write_bytes(wav_that_declares(36_000, 16_044))
    pcm, decoding = decoded(tmp_path / "upload")
    assert len(pcm) == RATE_HZ // 2
    assert TRUNCATED in decoding.warnings


def test_a_header_alone_is_empty(tmp_path):
    (tmp_path / "upload").write_bytes(wav_that_declares(0, 44))
    assert isinstance(refused(tmp_path / "upload"), MediaEmpty)


def external_reference(name):
    """A QuickTime alias (as in Apple's Alias Manager records, version 2) to a file in the same folder."""
    record = bytes(10) + bytes([0]) + bytes(27) + bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0")
    record += bytes(16) + struct.pack(">hh", 1, 1) + bytes(16)
    record += struct.pack(">hH", 2, len(name)) + name + bytes(len(name) % 2) + struct.pack(">hH", -1, 0)
    return struct.pack(">I4sI", len(record) + 12, b"alis", 0) + record


def redirected(movie, name):
    """The movie with its sound said to be in another file."""
    at = movie.index(b"dref") + 12
    entry = external_reference(name)
    grown = bytearray(movie[:at] + entry + movie[at + 12 :])
    for atom in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        place = grown.index(atom) - 4
        size = struct.unpack_from(">I", grown, place)[0]
        struct.pack_into(">I", grown, place, size + len(entry) - 12)
    return bytes(grown)


def test_a_movie_that_points_to_another_file_does_not_get_at_it(tmp_path):
    encode(tmp_path / "secret.raw", WAV, 2.0)
    movie = redirected(encode(tmp_path / "upload.mov", MOV, 2.0, level=0.0).read_bytes(), b"/secret.raw")
    path = tmp_path / "upload.mov"
    path.write_bytes(movie)
    with av.open(str(path), options={"enable_drefs": "1"}) as naive:
        leaked = np.concatenate([frame.to_ndarray()[0] for frame in naive.decode(audio=0)])
    assert np.abs(leaked).max() > 10_000, "the trap does not work, so escaping it proves nothing"
    assert isinstance(refused(path), MediaEmpty)
