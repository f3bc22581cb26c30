"""Reading the live feed: one reader follows a stream, and says when it cannot or when something is missing."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.redis.counting import FAILED, LIVE, Count, uncounted
from adapters.redis.live_entries import read_entry
from collector.ports.clock import Clock
from collector.ports.live import (
    LIVE_KEPT_MS,
    PAST_AT_ONCE,
    Begun,
    Dropped,
    Interrupted,
    LiveEvent,
    LiveItem,
    Past,
    Resumed,
)

BLOCK_MS = 1_000
"""A silent server answers so often: one that stands still is noticed soon after."""
READ_PATIENCE_S = 2.5
RENEW_MS = 2_000
"""A stream that the server has forgotten is made again, and its watchers are told, within this."""
AGAIN_S = 0.5
START = "0-0"

RENEW = """
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('XADD', KEYS[1], '*', 'begun', '1') end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local there = ARGV[1] == '' or #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) > 0
return {newest[1] and newest[1][1] or '0-0', there and 1 or 0}
"""
"""Makes the stream if it is not there, and tells whether the entry that was read last still is: streams are trimmed
from their beginning, so where it is there, all that came after it is too."""

_log = logging.getLogger(__name__)


class Reader:
    """Follows one organization's stream; `turn` for ever."""

    def __init__(self, client: Redis, key: str, clock: Clock, count: Count = uncounted) -> None:
        self._client, self._key, self._clock, self._count = client, key, clock, count
        self._position = ""
        self._renew_at_ms: int | None = None
        self._away = False

    async def turn(self) -> Sequence[LiveItem]:
        """What there is after a second at most, or `Interrupted` once."""
        try:
            async with asyncio.timeout(READ_PATIENCE_S):
                items = await (self._renew() if self._is_due() else self._read())
        except (RedisError, OSError, TimeoutError) as error:
            return await self._rest(error)
        if not self._away:
            return items
        self._away = False
        _log.warning("the live feed can be read again")
        return [Resumed(), *items]

    def _is_due(self) -> bool:
        return self._renew_at_ms is None or self._clock.monotonic_ms() >= self._renew_at_ms

    async def _renew(self) -> Sequence[LiveItem]:
        answer: Any = self._client.eval(RENEW, 1, self._key, self._position, str(LIVE_KEPT_MS))
        newest, there = await answer
        self._renew_at_ms = self._clock.monotonic_ms() + RENEW_MS
        if not self._position:
            self._position = _text(newest)
            return [Begun(self._position)]
        if there:
            return []
        self._position = START  # what is in the stream now has not been read
        return [Dropped(None)]

    async def _read(self) -> Sequence[LiveItem]:
        answer: Any = self._client.xread({self._key: self._position}, count=PAST_AT_ONCE, block=BLOCK_MS)
        found = await answer
        entries = found[0][1] if found else []
        if entries:
            self._position = _text(entries[-1][0])
        return _items(entries)

    async def _rest(self, error: Exception) -> Sequence[LiveItem]:
        self._renew_at_ms = None
        self._count(LIVE, FAILED, 1)
        if self._away:
            await asyncio.sleep(AGAIN_S)
            return []
        self._away = True
        _log.warning("the live feed cannot be read (%s)", type(error).__name__)
        return [Interrupted()]


async def read_past(client: Redis, key: str, after: str, upto: str) -> Past:
    """Up to `PAST_AT_ONCE` entries after `after`, up to `upto`; see `LiveFeed.past`."""
    async with asyncio.timeout(READ_PATIENCE_S):
        answer: Any = client.xrange(key, after, count=PAST_AT_ONCE + 1)  # not to `upto`: `after` may be the newer one
        entries = await answer
    there = bool(entries) and _text(entries[0][0]) == after
    missing: list[LiveEvent | Dropped] = [] if there else [Dropped(None)]
    wanted = [entry for entry in entries[there:] if _place(_text(entry[0])) <= _place(upto)]
    more = len(entries) > PAST_AT_ONCE and len(wanted) == len(entries) - there
    return Past([*missing, *_items(wanted)], _text(entries[-1][0]) if more else None)


def _items(entries: Sequence[tuple[bytes, Mapping[bytes, bytes]]]) -> list[LiveEvent | Dropped]:
    found = (read_entry(_text(entry_id), {_text(k): _text(v) for k, v in row.items()}) for entry_id, row in entries)
    return [item for item in found if item is not None]


def _place(event_id: str) -> tuple[int, ...]:
    return tuple(map(int, event_id.split("-")))


def _text(word: bytes) -> str:
    return word.decode(errors="replace")
