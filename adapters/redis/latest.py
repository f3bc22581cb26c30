"""The latest reading of each chamber in Valkey or Redis. Losing the server slows reads; it never makes one lie."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i, key in ipairs(KEYS) do
    local slot, text, ttl, ends = ARGV[4 * i - 3], ARGV[4 * i - 2], ARGV[4 * i - 1], ARGV[4 * i]
    local kept = redis.call('GET', key)
    local there = kept and tonumber(string.match(kept, '^%d+ '))
    local left = math.min(tonumber(ttl), tonumber(ends) - now)
    if left > 0 and not (there and there >= tonumber(slot)) then
        redis.call('SET', key, slot .. ' ' .. text, 'PX', left)
    end
end
"""
"""Four arguments a key: slot, packed reading, time to live in ms, instant of its end in ms. The instant is checked by
the server, because a command may lie in the buffer of a server that stood still and be run minutes later."""
PUTS_AT_ONCE = 200
"""Keys of one command: the server does nothing else meanwhile."""
GETS_AT_ONCE = 500
"""Readings of one answer: about 200 kB, a few milliseconds of this process to decode."""

_log = logging.getLogger(__name__)
ENCODE = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class _Put:
    slot_ms: int
    text: str
    ttl_ms: int
    ends_ms: int


class RedisLatest:
    """`LatestCache` over Valkey or Redis.

    A server that is away costs those of one command at most their patience each `REST_MS`; the others do not wait. Keys
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
        self._puts: dict[str, _Put] = {}
        self._putting: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()

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
        put = _Put(reading.slot_ms, ENCODE(pack(reading)), ttl_ms, ends_ms)
        if key not in self._puts or self._puts[key].slot_ms < put.slot_ms:
            self._puts[key] = put
        if self._putting is None:
            self._putting = asyncio.create_task(self._send_puts(), name="redis-latest")
            self._sending.add(self._putting)
            self._putting.add_done_callback(self._sending.discard)
        await asyncio.shield(self._putting)

    async def get(self, organization: str, chamber_id: str) -> CachedLatest | None:
        """The kept reading, or None: not there, not readable, or the server is away."""
        key = latest_reading(organization, chamber_id)
        answer = await self._ask([key], lambda pipeline: pipeline.get(key))
        return None if answer is None else _decoded(chamber_id, answer[-1])

    async def get_many(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, CachedLatest]:
        """The kept readings by chamber id; `GETS_AT_ONCE` of them cost one round trip."""
        found: dict[str, CachedLatest] = {}
        for first in range(0, len(chamber_ids), GETS_AT_ONCE):
            some = chamber_ids[first : first + GETS_AT_ONCE]
            keys = [latest_reading(organization, chamber_id) for chamber_id in some]
            answer = await self._ask(keys, partial(_get_all, keys))
            values = [] if answer is None else answer[-1]
            decoded = (_decoded(chamber_id, value) for chamber_id, value in zip(some, values, strict=False))
            found |= {kept.chamber_id: kept for kept in decoded if kept is not None}
        return found

    async def close(self) -> None:
        """Let what is being sent end, and close the connections."""
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._client.aclose()

    async def _send_puts(self) -> None:
        """Everything that was put in one turn of the event loop: rounds that shared a transaction come together."""
        self._putting = None  # whoever comes from now on travels with the next one
        puts, self._puts = list(self._puts.items()), {}
        for first in range(0, len(puts), PUTS_AT_ONCE):
            some = dict(puts[first : first + PUTS_AT_ONCE])
            try:
                kept = await self._ask(list(some), partial(_keep, some)) is not None
            except Exception:  # noqa: BLE001  (a defect must not fail the rounds whose readings travelled together)
                _log.exception("defect while keeping the latest readings")
                kept = False
            if not kept:
                for key in some:
                    self._doubt(key)

    async def _ask(self, keys: Sequence[str], command: Callable[[Pipeline], Any]) -> list[Any] | None:
        """Delete doubtful keys and run the command in one go; None when the server is away or rests."""
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._rests_until_ms:
            return None
        if self._failures:
            self._rests_until_ms = now_ms + REST_MS  # the others rest on while this one finds out
        deleting = self._doubtful_first(keys)
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

    def _doubtful_first(self, keys: Sequence[str]) -> dict[str, int]:
        """Up to `DELETE_AT_ONCE` doubtful keys; those that are asked for are among them if they are doubtful."""
        if not self._doubtful:
            return {}
        chosen = {key: self._doubtful[key] for key in keys if key in self._doubtful}
        return chosen | dict(islice(self._doubtful.items(), DELETE_AT_ONCE))


def _keep(puts: Mapping[str, _Put], pipeline: Pipeline) -> None:
    arguments = [word for put in puts.values() for word in (put.slot_ms, put.text, put.ttl_ms, put.ends_ms)]
    pipeline.eval(KEEP_IF_NEWER, len(puts), *puts, *map(str, arguments))


def _get_all(keys: Sequence[str], pipeline: Pipeline) -> None:
    pipeline.mget(keys)


def _decoded(chamber_id: str, kept: bytes | None) -> CachedLatest | None:
    if kept is None:
        return None
    try:
        outcome = unpack(json.loads(kept.partition(b" ")[2]))
    except (ValueError, KeyError, TypeError):
        return None  # an older or newer version kept it in a way of its own: the store knows
    return CachedLatest(chamber_id, outcome) if isinstance(outcome, Reading) else None
