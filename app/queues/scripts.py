"""Lua scripts, run by their digest: many in one pipeline, without asking first whether Redis knows them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import NoScriptError, RedisError

from app.domain.errors import Unavailable
from app.queues.direct import Direct

Arguments = Sequence[Any]


class Script:
    """One script of this folder."""

    def __init__(self, client: "redis.Redis", name: str) -> None:
        self._redis = client
        self._direct = Direct(client)
        self._text = (Path(__file__).parent / name).read_text(encoding="utf-8")
        self._sha = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    def run(self, keys: Arguments, args: Arguments) -> Any:
        """Run it once.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        return self.run_many([(keys, args)])[0]

    def run_many(self, calls: Sequence[tuple[Arguments, Arguments]]) -> list[Any]:
        """Run it once for each pair of keys and arguments, in one round trip, in this order.

        Raises:
            Unavailable: Redis cannot be reached. Some calls may have been carried out.
        """
        commands = [("EVALSHA", self._sha, len(keys), *keys, *args) for keys, args in calls]
        try:
            try:
                return self._direct(*commands)
            except NoScriptError:
                # A Redis that knows the script not knows it for none of the calls: nothing was carried out.
                self._redis.script_load(self._text)
                return self._direct(*commands)
        except RedisError as error:
            raise Unavailable(service="queue") from error
