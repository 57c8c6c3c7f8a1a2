"""PostgreSQL URLs as people write them, and as SQLAlchemy wants them."""

DRIVER = "postgresql+psycopg2://"


def with_driver(url: str) -> str:
    """The same URL with our driver named: `postgres://…` and `postgresql://…` leave the choice to the library."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return DRIVER + url[len(prefix) :]
    return url
