"""Whether the API will get the port it wants."""

import errno
import socket

from app.embedded.errors import LaunchError


def require_free(host: str, port: int) -> None:
    """Make sure, before anything is started, that the address can be listened on.

    Raises:
        LaunchError: it cannot; says what to set.
    """
    try:
        family, kind, _proto, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise LaunchError(_why_not(host, port, error)) from error


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use: stop what uses it, or set PORT (PORT={port + 1} make run)."
    if error.errno == errno.EACCES:
        return f"Port {port} is for the system's own services: set PORT to a number from 1024 up."
    return f"The API cannot listen on {host} ({error.strerror}): set API_HOST to an address of this machine."
