"""Names of files, as clients give them and as they are given back."""

from urllib.parse import quote

MAX_LENGTH = 255
NAMELESS = "recording"


def clean_name(name: str) -> str:
    """The last part of a path of any system, without what cannot be shown; long ones keep their end, the extension."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(char for char in last if char.isprintable()).strip()[-MAX_LENGTH:] or NAMELESS


def disposition(kind: str, name: str) -> str:
    """A Content-Disposition header (RFC 6266): the name in ASCII for old clients, and as it is for all others."""
    plain = "".join(char if char.isascii() and char not in '"\\%' else "_" for char in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def stem(name: str) -> str:
    """The name without its extension."""
    return name.rsplit(".", 1)[0] or name
