"""The kinds of file that recordings come in, and how FFmpeg calls them.

Only these are ever opened, each by its one named demuxer: formats that make a reader open other files or
addresses (playlists, concat scripts, DASH, RTSP, SDP …) are not here, so they cannot be reached by disguise.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file: `demuxer` is FFmpeg's name for its reader, `extension` is without the dot."""

    name: str
    demuxer: str
    content_type: str
    extension: str


WAV = Container("wav", "wav", "audio/wav", "wav")
WAVE64 = Container("w64", "w64", "audio/x-w64", "w64")
FLAC = Container("flac", "flac", "audio/flac", "flac")
MP3 = Container("mp3", "mp3", "audio/mpeg", "mp3")
MP4 = Container("mp4", "mov", "video/mp4", "mp4")
M4A = Container("m4a", "mov", "audio/mp4", "m4a")
MOV = Container("mov", "mov", "video/quicktime", "mov")
THREE_GPP = Container("3gp", "mov", "video/3gpp", "3gp")
AAC = Container("aac", "aac", "audio/aac", "aac")
OGG = Container("ogg", "ogg", "audio/ogg", "ogg")
WEBM = Container("webm", "matroska", "audio/webm", "webm")
MATROSKA = Container("mkv", "matroska", "video/x-matroska", "mkv")
AIFF = Container("aiff", "aiff", "audio/aiff", "aiff")
AMR = Container("amr", "amr", "audio/amr", "amr")
CAF = Container("caf", "caf", "audio/x-caf", "caf")
ASF = Container("wma", "asf", "audio/x-ms-wma", "wma")

CONTAINERS = (WAV, WAVE64, FLAC, MP3, MP4, M4A, MOV, THREE_GPP, AAC, OGG, WEBM, MATROSKA, AIFF, AMR, CAF, ASF)
DEMUXERS = frozenset(container.demuxer for container in CONTAINERS)
ACCEPTED = "wav, flac, mp3, m4a/mp4/aac, ogg/opus, webm, aiff, amr, caf, wma or mkv"
"""What to tell a person who sent something else."""
