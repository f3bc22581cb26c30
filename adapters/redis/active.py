"""The active chambers of each organization in Valkey or Redis, read through."""

import json
import secrets
from collections.abc import Sequence
from functools import partial

from redis.asyncio.client import Pipeline

from adapters.active_pages import check_cursor, page_of
from adapters.redis.counting import ACTIVE, FAILED, HIT, MISS, STORED
from adapters.redis.keys import active_chambers
from adapters.redis.server import LIST_PATIENCE_S, CacheServer
from collector.ports.active import ACTIVE_FOR_MS, ACTIVE_LIMIT, ActiveChamber, ActivePart, ReadActive
from collector.ports.paging import Page

TICKET_BYTES = 8

LOOK = """
local list = redis.call('HGET', KEYS[1], 'list')
if list then return {list, ''} end
if redis.call('HSETNX', KEYS[1], 'ticket', ARGV[1]) == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {false, redis.call('HGET', KEYS[1], 'ticket')}
"""
"""The list, or a ticket to keep one. The key's end counts from its first ticket, which is older than any list that is
read for it: so no list outlives `ACTIVE_FOR_MS`, however long reading it took."""
KEEP = """
if redis.call('HGET', KEYS[1], 'ticket') == ARGV[1] then redis.call('HSET', KEYS[1], 'list', ARGV[2]) end
"""
"""Whoever changed a chamber has deleted the key and the ticket with it: what was read before is not kept after."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


class RedisActive:
    """`ActiveChambers` over Valkey or Redis. A key whose deletion failed is doubtful: see `CacheServer`."""

    def __init__(self, server: CacheServer) -> None:
        """Keep lists there; whoever made the server closes it."""
        self._server = server

    async def page(self, organization: str, wanted: ActivePart, read: ReadActive) -> Page[ActiveChamber] | None:
        """A page of the kept list, or of one that is read and kept now; see `ActiveChambers.page`."""
        check_cursor(wanted)
        key = active_chambers(organization)
        found = await self._server.ask([key], partial(_look, key, secrets.token_hex(TICKET_BYTES)), LIST_PATIENCE_S)
        if found is None:
            self._server.count(ACTIVE, FAILED, 1)
            return None
        kept, ticket = found[-1]
        chambers = None if kept is None else _decoded(kept)
        self._server.count(ACTIVE, MISS if chambers is None else HIT, 1)
        if kept is None:
            chambers = await read(ACTIVE_LIMIT + 1)
            stored = await self._server.ask([key], partial(_keep, key, ticket, _encoded(chambers)), LIST_PATIENCE_S)
            self._server.count(ACTIVE, FAILED if stored is None else STORED, 1)
        return None if chambers is None or len(chambers) > ACTIVE_LIMIT else page_of(chambers, wanted)

    async def forget(self, organization: str) -> None:
        """Drop the list, now or before it is asked for again; see `ActiveChambers.forget`."""
        key = active_chambers(organization)
        self._server.doubt(key)  # first: whoever is cancelled while he waits has not forgotten it
        if await self._server.ask([key], lambda _: None) is None:
            self._server.count(ACTIVE, FAILED, 1)


def _look(key: str, ticket: str, pipeline: Pipeline) -> None:
    pipeline.eval(LOOK, 1, key, ticket, str(ACTIVE_FOR_MS))


def _keep(key: str, ticket: bytes, text: str, pipeline: Pipeline) -> None:
    pipeline.eval(KEEP, 1, key, ticket, text)


def _encoded(chambers: Sequence[ActiveChamber]) -> str:
    """In columns: half the size, and a third of the time to read. Of a list that is too long its length is enough."""
    if len(chambers) > ACTIVE_LIMIT:
        return _encode({"too_long": True})
    columns = {
        "ids": [c.id for c in chambers],
        "sections": [c.section for c in chambers],
        "names": [c.name for c in chambers],
        "intervals_ms": [c.interval_ms for c in chambers],
        "inactive": {c.id: c.inactive for c in chambers if c.inactive},
    }
    return _encode(columns)


def _decoded(text: bytes) -> Sequence[ActiveChamber] | None:
    """The list; None: it is too long, or another version kept it in a way of its own: the registry knows."""
    try:
        row = json.loads(text)
        columns = (row["ids"], row["sections"], row["names"], row["intervals_ms"])
        inactive = {name: tuple(detectors) for name, detectors in row["inactive"].items()}
        return [ActiveChamber(*values, inactive.get(values[0], ())) for values in zip(*columns, strict=True)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
