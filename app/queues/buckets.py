"""Token buckets in Redis: how often somebody may do something, over all API processes together."""

from dataclasses import dataclass
from pathlib import Path

import redis
from redis.exceptions import RedisError

SPEND = (Path(__file__).parent / "spend.lua").read_text(encoding="utf-8")
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Limit:
    """What is limited, and how often a minute one may do it; as often at once, after a rest."""

    name: str
    per_min: int


class Buckets:
    """One bucket for each limit and whoever is limited. Without Redis nobody is: it is not worth an outage."""

    def __init__(self, client: "redis.Redis") -> None:
        self._spend = client.register_script(SPEND)

    def spend(self, limit: Limit, who: str) -> float:
        """Do it once more; 0, or the seconds to wait until it is allowed again."""
        return self._wait_s(limit, who, 1)

    def look(self, limit: Limit, who: str) -> float:
        """The same without doing it."""
        return self._wait_s(limit, who, 0)

    def _wait_s(self, limit: Limit, who: str, n: int) -> float:
        try:
            keys, args = [f"limit:{limit.name}:{who}"], [limit.per_min, MINUTE_MS / limit.per_min, n]
            return float(self._spend(keys=keys, args=args)) / 1000
        except RedisError:
            return 0.0
