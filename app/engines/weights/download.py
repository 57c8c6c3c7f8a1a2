"""Downloads that go on where they broke off, and end with the right bytes or with none."""

import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from app.engines.weights.digests import Digest
from app.engines.weights.errors import NoRoom, UnknownWeights, WeightsError, while_writing

if TYPE_CHECKING:
    import httpx  # imported when something is fetched: the API, which only names what could be, does without

Progress = Callable[[int, int | None], None]
"""Told the bytes that are here and those that there will be, if known."""

TIMEOUT_S = 30.0
MAX_VAIN_TRIES = 3
"""Tries in a row that brought nothing, after which the server is given up."""
FIRST_PAUSE_S = 0.5
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class _Interrupted(Exception):
    """The transfer broke off; trying again may help."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to fetch: where it is, what people call it, and what it must hash to."""

    url: str
    what: str
    digest: Digest


def download(remote: Remote, target: Path, progress: Progress) -> None:
    """Fetch a file to `target`, through `target` + `.part`, which a later call goes on with.

    Raises:
        WeightsError: the server cannot be reached or does not have it, or what came is not what was published.
        NoRoom: the disk is full; nothing is left on it.
    """
    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with while_writing(remote.what):
        try:
            _fetch(remote, part, progress)
            _check(remote, part)
            part.replace(target)
        except (OSError, NoRoom):
            part.unlink(missing_ok=True)
            raise


def get_json(url: str, what: str) -> object:
    """The JSON document at `url`.

    Raises:
        WeightsError: it cannot be had.
    """
    import httpx

    try:
        answer = httpx.get(url, timeout=TIMEOUT_S, follow_redirects=True).raise_for_status()
        return answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise unreachable(what, url, error) from error


def unreachable(what: str, url: str, error: Exception) -> WeightsError:
    """What to tell of a server that does not give what it should."""
    import httpx

    reason = str(error).strip().splitlines()[0:1] or [type(error).__name__]
    host = httpx.URL(url).host
    return WeightsError(f"{what} cannot be fetched from {host}: {reason[0]}; try again later")


def _fetch(remote: Remote, part: Path, progress: Progress) -> None:
    """All of it into `part`, in as many tries as it takes while each brings something."""
    import httpx

    n_vain = 0
    while True:
        n_before = _size(part)
        try:
            with httpx.Client(timeout=TIMEOUT_S, follow_redirects=True) as client:
                return _transfer(client, remote, part, progress)
        except (httpx.TransportError, _Interrupted) as error:
            n_vain = 0 if _size(part) > n_before else n_vain + 1
            if n_vain == MAX_VAIN_TRIES:
                raise unreachable(remote.what, remote.url, error) from error
        time.sleep(FIRST_PAUSE_S * 2**n_vain)


def _transfer(client: "httpx.Client", remote: Remote, part: Path, progress: Progress) -> None:
    n_here = _size(part)
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={n_here}-"} if n_here else {})}
    with client.stream("GET", remote.url, headers=headers) as answer:
        match answer.status_code:
            case HTTPStatus.OK:
                _write(remote, answer, part, 0, progress)
            case HTTPStatus.PARTIAL_CONTENT if _range(answer)[0] == n_here:
                _write(remote, answer, part, n_here, progress)
            case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE if n_here:
                _settle_unsatisfiable(answer, part, n_here)
            case _:
                raise _refusal(remote, answer)


def _write(remote: Remote, answer: "httpx.Response", part: Path, n_here: int, progress: Progress) -> None:
    length = answer.headers.get("Content-Length")
    total = n_here + int(length) if length else None
    if total is not None and total - n_here > shutil.disk_usage(part.parent).free:
        raise NoRoom(f"There is no room on the disk for {remote.what}: {total / 1e6:.0f} MB are needed")
    with part.open("ab" if n_here else "wb") as file:
        # As they come: asking for blocks of one size would lose what is short of a block when the transfer breaks.
        for block in answer.iter_raw():
            file.write(block)
            n_here += len(block)
            progress(n_here, total)
        file.flush()
        os.fsync(file.fileno())


def _settle_unsatisfiable(answer: "httpx.Response", part: Path, n_here: int) -> None:
    """Nothing is left to fetch, or the part is of another file and of no use."""
    if _range(answer)[1] != n_here:
        part.unlink()
        raise _Interrupted("the server's file is another one than before")


def _refusal(remote: Remote, answer: "httpx.Response") -> Exception:
    told = f"the server answered {answer.status_code} {answer.reason_phrase}"
    if answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return UnknownWeights(f"{remote.what} is not at {answer.url.host}: {told}")
    if answer.is_server_error or answer.is_success or answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return _Interrupted(told)
    return unreachable(remote.what, remote.url, _Interrupted(told))


def _check(remote: Remote, part: Path) -> None:
    try:
        remote.digest.check(part, remote.what)
    except WeightsError:
        part.unlink()
        raise


def _range(answer: "httpx.Response") -> tuple[int | None, int | None]:
    """First byte and size of the whole file, as the answer tells them."""
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if match is None:
        return None, None
    first, total = match.groups()
    return int(first) if first else None, int(total) if total != "*" else None


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
