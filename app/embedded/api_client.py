"""How the launcher sees the API it has started."""

import http.client

from config import ApiConfig

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here


def reachable_host(config: ApiConfig) -> str:
    """An address at which this machine reaches the API."""
    return ANY.get(config.host, config.host)


def base_url(config: ApiConfig) -> str:
    """The API's URL on this machine, without a slash at the end."""
    host = reachable_host(config)
    return f"http://[{host}]:{config.port}" if ":" in host else f"http://{host}:{config.port}"


def is_live(config: ApiConfig) -> bool:
    """Whether the API answers."""
    connection = http.client.HTTPConnection(reachable_host(config), config.port, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False  # not yet
    finally:
        connection.close()
