"""The latest reading of each chamber in Valkey or Redis. Losing the server slows reads; it never makes one lie."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial

from redis.asyncio.client import Pipeline

from adapters.redis.counting import FAILED, HIT, LATEST, MISS, STORED
from adapters.redis.keys import latest_reading
from adapters.redis.server import LIST_PATIENCE_S, CacheServer
from collector.domain.chamber import ChamberSpec
from collector.domain.outcome import Reading
from collector.packing import pack, unpack
from collector.ports.clock import Clock
from collector.ports.outcomes import CachedLatest

TTL_CEILING_MS = 60_000

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
    """`LatestCache` over Valkey or Redis. Keys whose write failed are doubtful: see `CacheServer`."""

    def __init__(self, server: CacheServer, clock: Clock) -> None:
        """Keep readings there.

        Args:
            server: closed by whoever made it, after `close` of this.
            clock: the time of this process.
        """
        self._server, self._clock = server, clock
        self._puts: dict[str, _Put] = {}
        self._putting: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()

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
            self._putting = asyncio.create_task(self._send_puts(), name="redis-latest", context=Context())
            self._sending.add(self._putting)
            self._putting.add_done_callback(self._sending.discard)
        await asyncio.shield(self._putting)

    async def get(self, organization: str, chamber_id: str) -> CachedLatest | None:
        """The kept reading, or None: not there, not readable, or the server is away."""
        key = latest_reading(organization, chamber_id)
        answer = await self._server.ask([key], lambda pipeline: pipeline.get(key))
        if answer is None:
            self._server.count(LATEST, FAILED, 1)
            return None
        kept = _decoded(chamber_id, answer[-1])
        self._server.count(LATEST, MISS if kept is None else HIT, 1)
        return kept

    async def get_many(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, CachedLatest]:
        """The kept readings by chamber id; `GETS_AT_ONCE` of them cost one round trip."""
        found: dict[str, CachedLatest] = {}
        for first in range(0, len(chamber_ids), GETS_AT_ONCE):
            some = chamber_ids[first : first + GETS_AT_ONCE]
            keys = [latest_reading(organization, chamber_id) for chamber_id in some]
            answer = await self._server.ask(keys, partial(_get_all, keys), LIST_PATIENCE_S)
            if answer is None:
                self._server.count(LATEST, FAILED, len(some))
                continue
            decoded = (_decoded(chamber_id, value) for chamber_id, value in zip(some, answer[-1], strict=True))
            hits = {kept.chamber_id: kept for kept in decoded if kept is not None}
            self._server.count(LATEST, HIT, len(hits))
            self._server.count(LATEST, MISS, len(some) - len(hits))
            found |= hits
        return found

    async def close(self) -> None:
        """Let what is being sent end."""
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _send_puts(self) -> None:
        """Everything that was put in one turn of the event loop: rounds that shared a transaction come together."""
        self._putting = None  # whoever comes from now on travels with the next one
        puts, self._puts = list(self._puts.items()), {}
        for first in range(0, len(puts), PUTS_AT_ONCE):
            some = dict(puts[first : first + PUTS_AT_ONCE])
            try:
                kept = await self._server.ask(list(some), partial(_keep, some)) is not None
            except Exception:  # noqa: BLE001  (a defect must not fail the rounds whose readings travelled together)
                _log.exception("defect while keeping the latest readings")
                kept = False
            self._server.count(LATEST, STORED if kept else FAILED, len(some))
            if not kept:
                for key in some:
                    self._server.doubt(key)


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
