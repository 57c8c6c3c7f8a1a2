"""Where the servers of a service answer, for those that only want to look."""

from pathlib import Path

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis


def server_urls(database_url: str | None, redis_url: str | None, var_dir: Path) -> tuple[str, str]:
    """The database's URL and Redis's: those given, else the embedded one's, which is the same at each start.

    Whether they run is not asked, and nothing is started.

    Raises:
        LaunchError: one that is not given cannot be embedded here.
    """
    return database_url or EmbeddedPostgres(var_dir).url, redis_url or EmbeddedRedis(var_dir).url
