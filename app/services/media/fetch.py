"""Fetching a recording from a URL onto storage."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

from app.audio.sniff import HEAD_BYTES, sniff
from app.domain.errors import Cancelled, DownloadDenied, DownloadFailed
from app.outbound.client import Outbound, Patience, reason_of
from app.outbound.urls import checked_url
from app.services.media.ranges import Broken, Changed, Source, resumes_at
from app.services.media.storage import Storage, StoredAudio, Upload

MAX_REDIRECTS = 5
MAX_FRUITLESS = 3
"""Tries in a row that bring nothing, before it is given up."""

PAUSE_S = 0.5
TELL_EVERY_S = 0.5


class FetchWatch(Protocol):
    """Who looks on while a recording is fetched."""

    def fetching(self, n_bytes: int, total_bytes: int | None) -> None:
        """So many bytes are here, of so many if the server says so."""

    def cancelled(self) -> bool:
        """Whether to stop."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """The most that one download may take: bytes, and seconds over all its tries."""

    max_bytes: int
    total_s: float
    silence_s: float = 30.0


class Fetcher:
    """Fetches recordings."""

    def __init__(self, outbound: Outbound, storage: Storage, limits: FetchLimits) -> None:
        self._outbound = outbound
        self._storage = storage
        self._limits = limits

    def fetch(self, url: str, watch: FetchWatch) -> StoredAudio:
        """Bring the recording to storage, going on where a broken connection has left it.

        Raises:
            UrlRefused: it may not be reached.
            DownloadFailed, DownloadDenied: it could not be fetched; later it may, or not.
            NotAudio: what is there is of no kind that we read.
            TooLarge, StorageFull: there is no room for it.
            Cancelled: `watch` says so.
        """
        address = checked_url(url)
        patience = Patience(self._limits.total_s, silence_s=self._limits.silence_s)
        with self._outbound.errand(patience, redirects=MAX_REDIRECTS) as client:
            download = _Download(client, address, lambda: self._storage.receive(self._limits.max_bytes), watch)
            try:
                return download.run(self._limits.max_bytes)
            finally:
                download.drop()


class _Download:
    """One download, over as many requests as it takes."""

    def __init__(self, client: httpx.Client, url: httpx.URL, receive: Callable[[], Upload], watch: FetchWatch) -> None:
        self._client = client
        self._url = url
        self._receive = receive
        self._watch = watch
        self._source = Source()
        self._told_at = 0.0
        self._upload: Upload | None = None
        self._n_bytes = 0
        self._head = b""

    def run(self, max_bytes: int) -> StoredAudio:
        """Try until it is whole, then keep it."""
        fruitless = farthest = 0
        while (broken := self._try(max_bytes)) is not None:
            # Getting as far as before is no gain: a server may always break off at the same place.
            fruitless = 1 if self._n_bytes > farthest else fruitless + 1
            farthest = max(farthest, self._n_bytes)
            if fruitless >= MAX_FRUITLESS:
                raise DownloadFailed(reason=broken.reason)
            self._pause(PAUSE_S * fruitless)
        sniff(self._head)
        assert self._upload is not None, "a try that succeeds has begun an upload"
        return self._upload.keep()

    def drop(self) -> None:
        """Forget what is not kept."""
        if self._upload is not None:
            self._upload.drop()

    def _try(self, max_bytes: int) -> Broken | None:
        """Ask for all that is missing; None when nothing is missing any more."""
        try:
            with self._client.stream("GET", self._url, headers=self._source.headers(self._n_bytes)) as response:
                self._begin(response, max_bytes)
                for data in response.iter_raw():
                    self._take(data)
            self._source.require_whole(self._n_bytes)
        except Broken as broken:
            return broken
        except httpx.TooManyRedirects as error:
            raise DownloadDenied(reason=reason_of(error)) from error
        except httpx.HTTPError as error:
            return Broken(reason_of(error))
        return None

    def _begin(self, response: httpx.Response, max_bytes: int) -> None:
        try:
            goes_on = resumes_at(response, self._source, self._n_bytes)
        except Changed:
            self._start_over()
            raise
        if not goes_on:
            self._start_over()
            self._source = Source.of(response)
        self._source.require_room(max_bytes)
        if self._upload is None:
            self._upload = self._receive()

    def _start_over(self) -> None:
        self.drop()
        self._upload = None
        self._source = Source()
        self._n_bytes, self._head = 0, b""

    def _take(self, data: bytes) -> None:
        if self._watch.cancelled():
            raise Cancelled
        assert self._upload is not None, "bytes come after the beginning"
        self._upload.write(data)
        self._n_bytes += len(data)
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
            if len(self._head) == HEAD_BYTES:
                sniff(self._head)  # what is no recording is not fetched to its end
        self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            self._watch.fetching(self._n_bytes, self._source.total_bytes)

    def _pause(self, seconds: float) -> None:
        time.sleep(seconds)
        if self._watch.cancelled():
            raise Cancelled
