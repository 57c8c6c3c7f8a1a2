"""Lua scripts, run by their digest: many in one pipeline, without asking first whether Redis knows them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import NoScriptError, RedisError

from app.domain.errors import Unavailable

Arguments = Sequence[Any]


class Script:
    """One script of this folder."""

    def __init__(self, client: "redis.Redis", name: str) -> None:
        self._redis = client
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
        try:
            answers = self._pipelined(calls)
            if any(isinstance(answer, NoScriptError) for answer in answers):
                # A Redis that knows the script not knows it for none of the calls: nothing was carried out.
                self._redis.script_load(self._text)
                answers = self._pipelined(calls)
        except RedisError as error:
            raise Unavailable(service="queue") from error
        for answer in answers:
            if isinstance(answer, RedisError):
                raise Unavailable(service="queue") from answer
        return answers

    def _pipelined(self, calls: Sequence[tuple[Arguments, Arguments]]) -> list[Any]:
        pipe = self._redis.pipeline(transaction=False)
        for keys, args in calls:
            pipe.evalsha(self._sha, len(keys), *keys, *args)
        answers: list[Any] = pipe.execute(raise_on_error=False)
        return answers
