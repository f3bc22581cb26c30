"""A server that only caches, asked with little patience: losing it slows reads, and never makes one lie."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Any, Self

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from adapters.redis.counting import Count, uncounted
from adapters.redis.pool import PATIENCE_S, lazy_client, patience_of
from collector.ports.clock import Clock

LIST_PATIENCE_S = 0.25
"""What an answer with a whole list is worth waiting for: the store would take as long for one."""
REST_MS = 1_000
"""A server that did not answer is not asked again for so long."""
DOUBTFUL_LIMIT = 20_000
"""Keys remembered for deletion, about 3 MB; beyond it the oldest is left to its time to live, at most a minute."""
DELETE_AT_ONCE = 1_000
WHY_LIMIT = 300

_log = logging.getLogger(__name__)


class CacheServer:
    """What the caches of a process share: its patience with the server, and the keys that it does not trust.

    A server that is away costs those of one command at most their patience each `REST_MS`; the others do not wait.
    Doubtful keys are deleted with the next command that reaches the server.
    """

    def __init__(self, client: Redis, clock: Clock, patience_s: float = PATIENCE_S, count: Count = uncounted) -> None:
        """Take over a client; `close` closes it.

        Args:
            client: see `lazy_client`.
            clock: the time of this process.
            patience_s: what one call may cost in all, connecting included.
            count: the caches tell it how their operations ended.
        """
        self._client, self._clock, self._patience_s = client, clock, patience_s
        self._rests_until_ms = 0
        self._failures = 0
        self.doubtful: dict[str, int] = {}
        self.count = count

    @classmethod
    def at(cls, url: str, clock: Clock, patience_s: float | None = None, count: Count = uncounted) -> Self:
        """The server at a URL; nothing is connected before the first command.

        Args:
            url: see `lazy_client`.
            clock: the time of this process.
            patience_s: None = as the URL deserves.
            count: the caches tell it how their operations ended.

        Raises:
            InvalidFieldError: the URL cannot be understood.
        """
        patience_s = patience_of(url) if patience_s is None else patience_s
        return cls(lazy_client(url, max(patience_s, LIST_PATIENCE_S)), clock, patience_s, count)

    async def ask(
        self, keys: Sequence[str], command: Callable[[Pipeline], Any], patience_s: float = 0.0
    ) -> list[Any] | None:
        """Delete doubtful keys and run the command in one go.

        Args:
            keys: what the command is about: of those none is doubtful when it runs.
            command: fills a pipeline.
            patience_s: what the answer may cost, if that is more than any other.

        Returns:
            The answers, the command's last; None when the server is away or rests.
        """
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._rests_until_ms:
            return None
        if self._failures:
            self._rests_until_ms = now_ms + REST_MS  # the others rest on while this one finds out
        deleting = self._doubtful_first(keys)
        try:
            async with asyncio.timeout(max(self._patience_s, patience_s)):
                answer = await self._run(deleting, command)
        except (RedisError, OSError, TimeoutError) as error:
            self._rest(error)
            return None
        self._settle(deleting)
        return answer

    def doubt(self, key: str) -> None:
        """Delete the key with the next command that reaches the server, and before it is asked for."""
        doubt = self.doubtful.pop(key, 0) + 1
        self.doubtful[key] = doubt
        if len(self.doubtful) > DOUBTFUL_LIMIT:
            del self.doubtful[next(iter(self.doubtful))]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _run(self, deleting: dict[str, int], command: Callable[[Pipeline], Any]) -> list[Any]:
        async with self._client.pipeline(transaction=False) as pipeline:
            if deleting:
                pipeline.unlink(*deleting)
            command(pipeline)
            running: Awaitable[list[Any]] = pipeline.execute()
            return await running

    def _rest(self, error: Exception) -> None:
        if not self._failures:
            why = f"{type(error).__name__}: {error}"[:WHY_LIMIT].rstrip(": ")
            _log.warning("the cache is away (%s): reads ask the store", why)
        self._failures += 1
        self._rests_until_ms = self._clock.monotonic_ms() + REST_MS

    def _settle(self, deleted: dict[str, int]) -> None:
        if self._failures:
            _log.warning("the cache answers again")
        self._failures = self._rests_until_ms = 0
        for key, doubt in deleted.items():
            if self.doubtful.get(key) == doubt:  # a write that failed meanwhile keeps its key doubtful
                del self.doubtful[key]

    def _doubtful_first(self, keys: Sequence[str]) -> dict[str, int]:
        """Up to `DELETE_AT_ONCE` doubtful keys; those that are asked for are among them if they are doubtful."""
        if not self.doubtful:
            return {}
        chosen = {key: self.doubtful[key] for key in keys if key in self.doubtful}
        return chosen | dict(islice(self.doubtful.items(), DELETE_AT_ONCE))
