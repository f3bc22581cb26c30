"""The latest reading of each chamber in Valkey or Redis. Losing the server slows reads; it never makes one lie."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any, Self

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from adapters.redis.keys import latest_reading
from adapters.redis.pool import PATIENCE_S, lazy_client
from collector.domain.chamber import ChamberSpec
from collector.domain.outcome import Reading
from collector.packing import pack, unpack
from collector.ports.clock import Clock
from collector.ports.outcomes import CachedLatest

TTL_CEILING_MS = 60_000
REST_MS = 1_000
"""A server that did not answer is not asked again for so long."""
DOUBTFUL_LIMIT = 20_000
"""Keys remembered for deletion, about 3 MB; beyond it the oldest is left to its time to live, at most a minute."""
DELETE_AT_ONCE = 1_000

KEEP_IF_NEWER = """
local kept = redis.call('GET', KEYS[1])
local slot = kept and tonumber(string.match(kept, '^%d+ '))
if slot and slot >= tonumber(ARGV[1]) then return 0 end
local now = redis.call('TIME')
local left = math.min(tonumber(ARGV[3]), tonumber(ARGV[4]) - now[1] * 1000 - math.floor(now[2] / 1000))
if left <= 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', left)
return 1
"""
"""Arguments: slot, packed reading, time to live in ms, instant of its end in ms. The instant is checked by the
server, because a command may lie in the buffer of a server that stood still and be run minutes later."""

_log = logging.getLogger(__name__)


class RedisLatest:
    """`LatestCache` over Valkey or Redis.

    A server that is away costs one caller at most its patience each `REST_MS`; everybody else does not wait. Keys
    whose write failed are deleted with the next command that reaches the server.
    """

    def __init__(self, client: Redis, clock: Clock, patience_s: float = PATIENCE_S) -> None:
        """Take over a client; `close` closes it.

        Args:
            client: see `lazy_client`.
            clock: the time of this process.
            patience_s: what one call may cost in all, connecting included.
        """
        self._client = client
        self._patience_s = patience_s
        self._clock = clock
        self._rests_until_ms = 0
        self._doubtful: dict[str, int] = {}
        self._failures = 0

    @classmethod
    def at(cls, url: str, clock: Clock, patience_s: float = PATIENCE_S) -> Self:
        """A cache at a URL; nothing is connected before the first command.

        Raises:
            InvalidFieldError: the URL cannot be understood.
        """
        return cls(lazy_client(url, patience_s), clock, patience_s)

    async def put(self, organization: str, spec: ChamberSpec, reading: Reading) -> None:
        """Keep the reading if its slot is newer than the kept one; forget it min(2 x interval, 60 s) after its arrival.

        Never raises. Putting it again changes nothing. A reading that is older than that already is not kept: it may
        no longer be the latest.
        """
        key = latest_reading(organization, spec.id)
        ttl_ms = min(2 * spec.interval_ms, TTL_CEILING_MS)
        ends_ms = min(reading.received_ms, self._clock.now_ms()) + ttl_ms
        if ends_ms <= self._clock.now_ms():
            return
        text = json.dumps(pack(reading), separators=(",", ":"))

        def keep(pipeline: Pipeline) -> None:
            pipeline.eval(KEEP_IF_NEWER, 1, key, str(reading.slot_ms), text, str(ttl_ms), str(ends_ms))

        if await self._ask(key, keep) is None:
            self._doubt(key)

    async def get(self, organization: str, chamber_id: str) -> CachedLatest | None:
        """The kept reading, or None: not there, not readable, or the server is away."""
        key = latest_reading(organization, chamber_id)
        answer = await self._ask(key, lambda pipeline: pipeline.get(key))
        return None if answer is None else _decoded(chamber_id, answer[-1])

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(self, key: str, command: Callable[[Pipeline], Any]) -> list[Any] | None:
        """Delete doubtful keys and run the command in one go; None when the server is away or rests."""
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._rests_until_ms:
            return None
        if self._failures:
            self._rests_until_ms = now_ms + REST_MS  # the others rest on while this one finds out
        deleting = self._doubtful_first(key)
        try:
            async with asyncio.timeout(self._patience_s):
                answer = await self._run(deleting, command)
        except (RedisError, OSError, TimeoutError) as error:
            self._rest(error)
            return None
        self._settle(deleting)
        return answer

    async def _run(self, deleting: dict[str, int], command: Callable[[Pipeline], Any]) -> list[Any]:
        async with self._client.pipeline(transaction=False) as pipeline:
            if deleting:
                pipeline.unlink(*deleting)
            command(pipeline)
            running: Awaitable[list[Any]] = pipeline.execute()
            return await running

    def _rest(self, error: Exception) -> None:
        if not self._failures:
            _log.warning("the cache of latest readings is away (%s): reads ask the store", type(error).__name__)
        self._failures += 1
        self._rests_until_ms = self._clock.monotonic_ms() + REST_MS

    def _settle(self, deleted: dict[str, int]) -> None:
        if self._failures:
            _log.warning("the cache of latest readings answers again")
        self._failures = self._rests_until_ms = 0
        for key, doubt in deleted.items():
            if self._doubtful.get(key) == doubt:  # a write that failed meanwhile keeps its key doubtful
                del self._doubtful[key]

    def _doubt(self, key: str) -> None:
        doubt = self._doubtful.pop(key, 0) + 1
        self._doubtful[key] = doubt
        if len(self._doubtful) > DOUBTFUL_LIMIT:
            del self._doubtful[next(iter(self._doubtful))]

    def _doubtful_first(self, key: str) -> dict[str, int]:
        """Up to `DELETE_AT_ONCE` doubtful keys; the one that is asked for is among them if it is doubtful."""
        chosen = {key: self._doubtful[key]} if key in self._doubtful else {}
        return chosen | dict(islice(self._doubtful.items(), DELETE_AT_ONCE))


def _decoded(chamber_id: str, kept: bytes | None) -> CachedLatest | None:
    if kept is None:
        return None
    try:
        outcome = unpack(json.loads(kept.partition(b" ")[2]))
    except (ValueError, KeyError, TypeError):
        return None  # an older or newer version kept it in a way of its own: the store knows
    return CachedLatest(chamber_id, outcome) if isinstance(outcome, Reading) else None
