"""Programs that come inside Python wheels."""

from importlib.util import find_spec
from pathlib import Path

from app.embedded.errors import LaunchError


def program(package: str, relative: str) -> Path:
    """The path of a program in an installed package, without importing the package: its import does things.

    Raises:
        LaunchError: it is not there.
    """
    spec = find_spec(package)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(location) / relative
        if path.exists():
            return path
    raise LaunchError(
        f"{Path(relative).name} is missing from the Python package {package}: install requirements.txt again, "
        "or set DATABASE_URL and REDIS_URL to servers of your own."
    )
