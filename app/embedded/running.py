"""Where the servers of a var dir answer, for those that only want to look."""

from pathlib import Path

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis


def embedded_urls(var_dir: Path) -> tuple[str, str]:
    """The database's URL and Redis's, the same at each start; whether they run is not asked, and nothing is started.

    Raises:
        LaunchError: they cannot be embedded here.
    """
    return EmbeddedPostgres(var_dir).url, EmbeddedRedis(var_dir).url
