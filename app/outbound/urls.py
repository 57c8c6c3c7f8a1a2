"""What can be said of a URL without asking the network."""

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from app.domain.errors import UrlRefused

if TYPE_CHECKING:
    import httpx  # where it is needed it is imported then: few requests name a URL, and every process would load it

SCHEMES = ("http", "https")
HOST = re.compile(rb"[a-z0-9_.:-]+", re.IGNORECASE)
MAX_PORT = 65_535
MAX_LENGTH = 4096
MAX_NAME_LENGTH = 255
NAMELESS = "recording"


def checked_url(text: str) -> "httpx.URL":
    """The URL, if it is one that could be gone to.

    Raises:
        UrlRefused: it is none, or not http(s), or has no host, or has a name or password in it.
    """
    import httpx

    if len(text) > MAX_LENGTH:
        raise UrlRefused(reason=f"it is longer than {MAX_LENGTH} characters")
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError) as error:
        raise UrlRefused(reason="it is not a valid URL") from error
    require_decent(url)
    return url


def require_decent(url: "httpx.URL") -> None:
    """Refuse a URL by its looks; needed for each redirect again.

    Raises:
        UrlRefused: it is not http(s), or has no host, or has a name or password in it.
    """
    if url.scheme not in SCHEMES:
        raise UrlRefused(reason="it must begin with http:// or https://")
    if not url.host:
        raise UrlRefused(reason="it names no host")
    if url.userinfo:
        raise UrlRefused(reason="it must not hold a user name or password")
    if not HOST.fullmatch(url.raw_host):
        raise UrlRefused(reason="its host is not a valid name")
    if url.port is not None and not 0 < url.port <= MAX_PORT:
        raise UrlRefused(reason="its port is not a valid number")


def host_of(url: str) -> str:
    """The host (and its port, if not the usual one): all of a URL that may be logged, as the rest can hold secrets."""
    import httpx

    try:
        return httpx.URL(url).netloc.decode("ascii") or "?"
    except httpx.InvalidURL:
        return "?"


def without_secrets(url: str) -> str:
    """The URL as it may be shown to its owner: without query, fragment and credentials."""
    import httpx

    try:
        return str(httpx.URL(url).copy_with(query=None, fragment=None, username="", password=""))
    except httpx.InvalidURL:
        return "?"


def file_name(url: str) -> str:
    """The name of what lies at a URL: the last part of its path, fit for a file."""
    import httpx

    try:
        path = unquote(httpx.URL(url).raw_path.decode("ascii").partition("?")[0])
    except httpx.InvalidURL:
        return NAMELESS
    name = "".join(char for char in PurePosixPath(path).name if char.isprintable() and char not in '\\/:*?"<>|')
    return name.strip(". ")[-MAX_NAME_LENGTH:] or NAMELESS
