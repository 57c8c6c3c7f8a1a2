"""Tell by its first bytes what kind of recording a file is; its name and declared type are not asked.

Pure Python, so that the API can do it without loading FFmpeg.
"""

from collections.abc import Callable

from app.audio import containers
from app.audio.containers import Container as Container  # part of this module's interface
from app.audio.mpeg_frames import adts_header, frames_follow, mpeg_header
from app.audio.riff import SIGNATURES, wav_header
from app.domain.errors import NotAudio

HEAD_BYTES = 65_536
"""How much of a file is looked at."""
STRAY_BYTES = 4_096
"""A recording of a broadcast begins in the middle of a frame; so far we look for the first whole one."""
MIN_BYTES_PER_S, MAX_BYTES_PER_S = 500, 20_000_000
"""What a header may say about its rate and be believed."""

WAVE64_SIGNATURE = bytes.fromhex("726966662e91cf11a5d628db04c10000")
ASF_SIGNATURE = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
EBML_SIGNATURE = bytes.fromhex("1a45dfa3")
OLD_QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"pnot")
PICTURE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"jxl ", b"crx ")
"""ISO base media files that are pictures (the MP4 Registration Authority's brands)."""

TYPICAL_BYTES_PER_S = {
    "wav": 32_000,
    "w64": 32_000,
    "aiff": 88_000,
    "caf": 32_000,
    "flac": 40_000,
    "amr": 1_600,
    "ogg": 6_000,
    "webm": 6_000,
    "mp4": 60_000,
    "mov": 60_000,
    "mkv": 60_000,
}
"""What recordings of speech in each kind of file mostly take; 16 kB/s for the rest, which is 128 kbit/s."""


def sniff(head: bytes) -> Container:
    """The kind of recording that begins with `head` (its first 64 KiB, or all of it if shorter).

    Raises:
        NotAudio: it is none of those we read, whatever its name says.
    """
    for recognise in _RECOGNISERS:
        container = recognise(head)
        if container is not None:
            return container
    raise NotAudio(accepted=containers.ACCEPTED)


def typical_bytes_per_s(container: Container) -> int:
    """How many bytes a second of speech mostly takes in this kind of file."""
    return TYPICAL_BYTES_PER_S.get(container.name, 16_000)


def estimated_duration_s(container: Container, size_bytes: int, head: bytes) -> float:
    """About how long a recording is, from its size and its first bytes; good enough to share work fairly."""
    told = _told_bytes_per_s(container, head)
    believed = MIN_BYTES_PER_S <= told <= MAX_BYTES_PER_S
    return size_bytes / (told if believed else typical_bytes_per_s(container))


def _told_bytes_per_s(container: Container, head: bytes) -> float:
    if container is containers.WAV:
        header = wav_header(head)
        return header.bytes_per_s if header else 0.0
    if container is containers.MP3:
        frame = frames_follow(head, id3_bytes(head), 2, mpeg_header)
        return frame.bytes_per_s if frame else 0.0
    return 0.0


def id3_bytes(head: bytes) -> int:
    """How long the ID3v2 tag in front is (id3.org, ID3v2.4 §3.1); 0 if there is none."""
    if len(head) < 10 or not head.startswith(b"ID3") or any(byte > 127 for byte in head[6:10]):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _riff(head: bytes) -> Container | None:
    if head[8:12] == b"WAVE" and head[:4] in SIGNATURES:
        return containers.WAV
    if head.startswith(WAVE64_SIGNATURE) and head[24:28] == b"wave":
        return containers.WAVE64
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return containers.AIFF
    return None


def _signed(head: bytes) -> Container | None:
    for signature, container in _SIGNATURES.items():
        if head.startswith(signature):
            return container
    return None


def _iso_media(head: bytes) -> Container | None:
    if head[4:8] in OLD_QUICKTIME_ATOMS:
        return containers.MOV
    brand = head[8:12]
    if head[4:8] != b"ftyp" or len(brand) < 4 or brand in PICTURE_BRANDS:
        return None
    if brand.startswith((b"M4A", b"M4B")):
        return containers.M4A
    if brand == b"qt  ":
        return containers.MOV
    return containers.THREE_GPP if brand.startswith((b"3gp", b"3g2")) else containers.MP4


def _matroska(head: bytes) -> Container | None:
    if not head.startswith(EBML_SIGNATURE):
        return None
    if b"webm" in head[:128]:
        return containers.WEBM
    return containers.MATROSKA if b"matroska" in head[:128] else None


def _tagged(head: bytes) -> Container | None:
    """What comes after an ID3 tag; a tag longer than what we see (it holds a picture) is taken for an MP3's."""
    n_bytes = id3_bytes(head)
    if n_bytes == 0:
        return None
    body = head[n_bytes:]
    if not body:
        return containers.MP3 if len(head) >= HEAD_BYTES else None
    return containers.FLAC if body.startswith(b"fLaC") else _framed(body)


def _framed(head: bytes) -> Container | None:
    start = len(head) - len(head.lstrip(b"\0"))
    if frames_follow(head, start, 2, adts_header):
        return containers.AAC
    if frames_follow(head, start, 2, mpeg_header):
        return containers.MP3
    return _framed_later(head[start : start + HEAD_BYTES])


def _framed_later(head: bytes) -> Container | None:
    for at in range(1, min(STRAY_BYTES, len(head))):
        if head[at] != 0xFF:
            continue
        if frames_follow(head, at, 4, adts_header):
            return containers.AAC
        if frames_follow(head, at, 4, mpeg_header):
            return containers.MP3
    return None


_SIGNATURES = {
    b"fLaC": containers.FLAC,
    b"OggS": containers.OGG,
    b"caff": containers.CAF,
    b"#!AMR\n": containers.AMR,
    b"#!AMR-WB\n": containers.AMR,
    ASF_SIGNATURE: containers.ASF,
}
_RECOGNISERS: tuple[Callable[[bytes], Container | None], ...] = (
    _riff,
    _signed,
    _iso_media,
    _matroska,
    _tagged,
    _framed,
)
