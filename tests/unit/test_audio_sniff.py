"""A file is known by its first bytes, whatever it is called."""

import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio.containers import DEMUXERS
from app.audio.riff import wav_header
from app.audio.sniff import HEAD_BYTES, estimated_duration_s, sniff, typical_bytes_per_s
from app.domain.errors import NotAudio
from tests.sounds import ENCODINGS, encode, write_video

CONTAINER_OF_SUFFIX = {"opus": "ogg"}


def wav_head(*, rate_hz=16_000, data_bytes=32_000, kind=b"RIFF", extra=b""):
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    return kind + struct.pack("<I", 36) + b"WAVE" + extra + fmt + struct.pack("<4sI", b"data", data_bytes)


def id3(n_bytes):
    size = bytes(n_bytes >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x04\x00\x00" + size + bytes(n_bytes)


def zipped(text):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("song.mp3"), text)
    return file.getvalue()


@pytest.fixture(scope="module")
def heads(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heads")
    return {str(e): encode(folder / "x", e, 1.0).read_bytes()[:HEAD_BYTES] for e in ENCODINGS}


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_every_kind_of_recording_is_known_by_its_bytes(heads, encoding):
    container = sniff(heads[str(encoding)])
    assert container.name == CONTAINER_OF_SUFFIX.get(encoding.suffix, encoding.suffix)
    assert container.demuxer in DEMUXERS


def test_a_video_is_taken_for_the_sound_in_it(tmp_path):
    assert sniff(write_video(tmp_path / "v").read_bytes()[:HEAD_BYTES]).name == "mp4"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0" * 1000,
        b"RIFF",
        b"ID3",
        b"hello, this is a text " * 50,
        b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nhttp://example.org/a.ts\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
        b"<!DOCTYPE html><html><body></body></html>",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 96\r\n",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
        b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200),
        b"RIFF\x00\x00\x01\x00AVI LIST" + bytes(200),
        b"\x00\x00\x00\x1cftypavif" + bytes(200),
        zipped("x" * 5000),
        b"\x7fELF" + bytes(500),
        b"%PDF-1.7\n" + bytes(500),
    ],
    ids=lambda head: repr(head[:12]),
)
def test_what_is_no_recording_is_refused_with_what_would_be_one(head):
    with pytest.raises(NotAudio, match="send wav, flac, mp3"):
        sniff(head)


def test_playlists_hidden_behind_an_id3_tag_are_refused():
    with pytest.raises(NotAudio):
        sniff(id3(20) + b"#EXTM3U\nhttp://example.org/a.mp3\n")


def test_a_tag_longer_than_the_head_is_an_mp3_with_a_picture():
    assert sniff(id3(200_000)[:HEAD_BYTES]).name == "mp3"


def test_a_tag_in_front_does_not_hide_what_comes_after_it(heads):
    assert sniff(id3(500) + heads["mp3-libmp3lame-44100-stereo"]).name == "mp3"
    assert sniff(id3(500) + heads["aac-aac-44100-stereo"]).name == "aac"
    assert sniff(id3(500) + heads["flac-flac-44100-stereo"]).name == "flac"


def test_an_mp3_cut_out_of_a_broadcast_is_known_by_its_later_frames(heads):
    assert sniff(heads["mp3-libmp3lame-44100-stereo"][700:]).name == "mp3"


def test_one_frame_header_alone_is_chance_and_no_mp3():
    with pytest.raises(NotAudio):
        sniff(b"\xff\xfb\x90\x00" + b"text that is no frame " * 50)


@given(st.binary(max_size=400))
def test_any_bytes_are_either_a_known_container_or_refused(data):
    for head in (data, b"RIFF" + data, b"ID3" + data, b"\xff\xfb" + data, wav_head()[:20] + data):
        try:
            assert sniff(head).demuxer in DEMUXERS
        except NotAudio:
            continue


def test_a_wav_is_as_long_as_its_size_and_byte_rate_say():
    head = wav_head(rate_hz=8_000)
    assert estimated_duration_s(sniff(head), 16_000 * 60, head) == pytest.approx(60)


def test_an_absurd_byte_rate_is_not_believed():
    head = wav_head(rate_hz=1)
    assert estimated_duration_s(sniff(head), 320_000, head) == pytest.approx(10)


def test_an_mp3_is_estimated_from_the_bit_rate_of_its_first_frame():
    frame = b"\xff\xfb\x90\x64" + bytes(413)
    head = frame * 4
    assert sniff(head).name == "mp3"
    assert estimated_duration_s(sniff(head), 16_000 * 30, head) == pytest.approx(30)


def test_other_kinds_are_estimated_from_what_is_typical(heads):
    head = heads["opus-libopus-48000-mono"]
    size_bytes = 60 * typical_bytes_per_s(sniff(head))
    assert estimated_duration_s(sniff(head), size_bytes, head) == pytest.approx(60)


def test_a_wav_header_tells_how_much_sound_it_promises():
    header = wav_header(wav_head(data_bytes=96_000, extra=b"LIST\x03\x00\x00\x00abc\x00"))
    assert header is not None
    assert header.declared_s == pytest.approx(3.0)


@pytest.mark.parametrize("data_bytes", [0, 0xFFFF_FFFF, 0x7FFF_F000])
def test_a_wav_written_to_a_pipe_promises_nothing(data_bytes):
    header = wav_header(wav_head(data_bytes=data_bytes))
    assert header is not None
    assert header.declared_s is None


def test_a_wav_beyond_four_gigabytes_has_its_length_in_another_chunk():
    n_bytes = 32_000 * 200_000
    ds64 = struct.pack("<4sIQQQI", b"ds64", 28, n_bytes + 100, n_bytes, n_bytes // 2, 0)
    header = wav_header(wav_head(kind=b"RF64", data_bytes=0xFFFF_FFFF, extra=ds64))
    assert header is not None
    assert header.declared_s == pytest.approx(200_000)


def test_looking_at_a_head_needs_no_ffmpeg():
    import subprocess
    import sys

    code = "import sys, app.audio.sniff; assert not {'av', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_random_noise_is_no_recording():
    noise = np.random.default_rng(5)
    for _ in range(200):
        with pytest.raises(NotAudio):
            sniff(noise.bytes(HEAD_BYTES))
