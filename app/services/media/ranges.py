"""Reading what a server says of a recording, and going on in the middle of it (RFC 9110, section 14)."""

import re
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from app.domain.errors import DownloadDenied, TooLarge

CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class Broken(Exception):
    """A try ended before the recording was whole."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Changed(Broken):
    """What is at the URL now is not the recording whose beginning was fetched."""

    def __init__(self) -> None:
        super().__init__("the recording changed while it was fetched")


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of the recording at its origin: length, entity tag, date; None where the server does not say."""

    total_bytes: int | None = None
    etag: str | None = None
    modified: str | None = None

    @staticmethod
    def of(response: httpx.Response) -> "Source":
        """What an answer that brings the whole recording says of it."""
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        return Source(total, response.headers.get("ETag"), response.headers.get("Last-Modified"))

    @property
    def validator(self) -> str | None:
        """What proves that two answers are parts of the same recording; a weak tag does not."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified

    def headers(self, n_bytes: int) -> dict[str, str]:
        """How to ask for what comes after the first `n_bytes`; without a validator, for all of it."""
        if n_bytes == 0 or self.validator is None:
            return {}
        return {"Range": f"bytes={n_bytes}-", "If-Range": self.validator}

    def require_room(self, max_bytes: int) -> None:
        """Refuse what is known to be too large before it is fetched.

        Raises:
            TooLarge: it is.
        """
        if self.total_bytes is not None and self.total_bytes > max_bytes:
            raise TooLarge(limit=max_bytes)

    def require_whole(self, n_bytes: int) -> None:
        """See that as much came as was said.

        Raises:
            Broken: less, or more.
        """
        if self.total_bytes is not None and n_bytes != self.total_bytes:
            raise Broken("the connection broke")


def resumes_at(response: httpx.Response, source: Source, n_bytes: int) -> bool:
    """Whether the answer goes on after `n_bytes`; False: it brings the whole recording from its start.

    Raises:
        Changed: what was fetched so far is of no use.
        Broken: neither; another try may do better.
        DownloadDenied: neither, and no try will do better.
    """
    status = response.status_code
    if status == HTTPStatus.OK:
        _require_plain(response)
        return False
    if n_bytes and status == HTTPStatus.PARTIAL_CONTENT and _fits(response, source, n_bytes):
        return True
    if n_bytes and status in {HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}:
        raise Changed
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Broken(f"the server answered {status}")
    raise DownloadDenied(reason=f"the server answered {status}")


def _fits(response: httpx.Response, source: Source, n_bytes: int) -> bool:
    said = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if said is None or int(said[1]) != n_bytes:
        return False
    if response.headers.get("ETag", source.etag) != source.etag:
        return False
    return said[2] == "*" or source.total_bytes in {None, int(said[2])}


def _require_plain(response: httpx.Response) -> None:
    """Compressed answers were not asked for: a small one may unpack to more than any limit."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise DownloadDenied(reason="the server sends it compressed")
