"""The client for everything that goes out."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from app.outbound.backend import GuardedBackend
from app.outbound.deadline import Deadline
from app.outbound.guard import Guard
from app.outbound.transport import GuardedTransport

USER_AGENT = "Parloir"
# An answer that unpacks to a thousand times its size is not asked for.
HEADERS = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for a connection, for the next bytes, and for the whole errand."""

    total_s: float
    connect_s: float = 10.0
    silence_s: float = 30.0


class Outbound:
    """Opens clients that reach only where the guard lets them; no proxies or secrets are taken from the environment."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._tls = tls

    @contextmanager
    def errand(self, patience: Patience, *, redirects: int = 0) -> Iterator[httpx.Client]:
        """A client for one errand: one or more requests that all end within its time, following so many redirects.

        What its requests raise beside httpx's errors (see `reason_of`) is UrlRefused, for what may not be reached.
        """
        backend = GuardedBackend(self._guard, Deadline(patience.total_s))
        with httpx.Client(
            transport=GuardedTransport(backend, self._tls or _default_tls()),
            headers=HEADERS,
            cookies=CookieJar(NO_COOKIES),
            timeout=httpx.Timeout(patience.silence_s, connect=patience.connect_s),
            follow_redirects=redirects > 0,
            max_redirects=redirects,
            trust_env=False,
        ) as client:
            yield client


@cache
def _default_tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def reason_of(error: httpx.HTTPError) -> str:
    """Why a request got no answer, in words that tell nothing of addresses or URLs."""
    if isinstance(error, httpx.TimeoutException):
        return "the server took too long"
    if isinstance(error, httpx.TooManyRedirects):
        return "it redirects too often"
    if _has_cause(error, ssl.SSLError):
        return "the server's certificate is not valid"
    if isinstance(error, httpx.ConnectError):
        return "the server cannot be reached"
    if isinstance(error, httpx.NetworkError):
        return "the connection broke"
    return "the server's answer cannot be understood"


def _has_cause(error: BaseException, kind: type[BaseException]) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, kind):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
