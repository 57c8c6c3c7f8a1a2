"""Decides where connections may go."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.errors import UrlRefused
from app.outbound.address import is_public

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host; raises OSError if it has none."""


def system_resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver, which also reads the odd forms of IPv4 (decimal, hexadecimal, octal, short)."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Guard:
    """Looks at hosts and addresses before a connection is made.

    `hosts`, if not empty, are the only ones that may be reached: names, or `*.example.com` for all below a name.
    """

    allow_private: bool = False
    hosts: tuple[str, ...] = ()
    resolve: Resolve = system_resolve

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Where a connection to this host may go: all its addresses, once all of them are found to be public.

        A host with a public and a private address is refused: its owner could choose for us which one is taken.

        Raises:
            UrlRefused: the host is not on the list, or has an address that is not public.
            OSError: it cannot be resolved.
        """
        if not self._is_listed(host):
            raise UrlRefused(reason=f"the host {host} is not among those that this service may reach")
        try:
            found = self.resolve(host, port)
        except UnicodeError as error:
            raise UrlRefused(reason="its host is not a valid name") from error
        if not self.allow_private and not all(is_public(address) for address in found):
            # Which address it was is not told: the answer would map our network for whoever asks.
            raise UrlRefused(reason=f"the host {host} is not on the public Internet")
        return found

    def _is_listed(self, host: str) -> bool:
        name = host.lower().rstrip(".")
        return not self.hosts or any(_matches(name, pattern.lower().rstrip(".")) for pattern in self.hosts)


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:])
    return name == pattern
