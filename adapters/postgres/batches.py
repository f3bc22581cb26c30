"""What is observed in sections, in PostgreSQL."""

import asyncpg

from adapters.cursors import SMALLEST, read_cursor, write_cursor
from adapters.postgres import organization_queries as q
from adapters.postgres.pool import Connection, Postgres
from collector.domain.errors import ConflictError, NotFoundError, StaleVersionError
from collector.domain.organization import Batch, no_section, other_batch
from collector.domain.settling import LAST_INSTANT_MS, clean
from collector.ports.organizations import BatchFilter, Stay
from collector.ports.paging import Page


class PostgresBatches:
    """`Batches` over PostgreSQL: whether two overlap is decided by the constraint `one_batch_at_a_time` alone."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, wanted: Batch) -> tuple[Batch, bool]:
        """Make a batch; see `Batches.add`. Again: nothing."""
        key, section = _key(wanted), clean(wanted.section)
        async with self._postgres.connection() as connection:
            try:
                row = await connection.fetchrow(q.ADD_BATCH, *key, section, *_values(wanted))
            except asyncpg.ForeignKeyViolationError:
                raise no_section(wanted.section) from None
            if row is not None:
                return Batch(**row), True
            there = await connection.fetchrow(q.FIND_BATCH, *key)
            if there is not None:
                return Batch(**there), False
            raise await _overlapping(connection, wanted, section)

    async def find(self, organization: str, batch: str) -> Batch:
        """One batch; see `Batches.find`."""
        async with self._postgres.connection() as connection:
            return await find_batch(connection, organization, batch)

    async def page(self, organization: str, wanted: BatchFilter, limit: int, cursor: str | None) -> Page[Batch]:
        """Batches, the one that started last first; see `Batches.page`."""
        place = read_cursor(cursor, int, str)
        after = (_cut(int(place[0])), clean(str(place[1]))) if place else (None, None)
        section = None if wanted.section is None else clean(wanted.section)
        at_ms = None if wanted.at_ms is None else _cut(wanted.at_ms)
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(q.PAGE_BATCHES, clean(organization), section, at_ms, *after, limit + 1)
        items = [Batch(**row) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(items, write_cursor(items[-1].started_ms, items[-1].id) if items and more else None)

    async def stays(self, organization: str, batch: str, limit: int, cursor: str | None) -> Page[Stay]:
        """Which chambers stood in its section, and when; see `Batches.stays`."""
        place = read_cursor(cursor, str, int)
        after = (clean(str(place[0])), _cut(int(place[1]))) if place else ("", 0)
        async with self._postgres.connection() as connection:
            found = await find_batch(connection, organization, batch)
            whose = (clean(organization), found.section, found.started_ms, found.ended_ms)
            rows = await connection.fetch(q.STAYS, *whose, *after, limit + 1)
        items = [Stay(**row) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(items, write_cursor(items[-1].chamber_id, items[-1].from_ms) if items and more else None)

    async def change(self, wanted: Batch, expected_version: int) -> Batch:
        """Write it as the next version; see `Batches.change`."""
        section = ""
        async with self._postgres.connection() as connection:
            try:
                async with connection.transaction():
                    section = await connection.fetchval(q.HOLD_SECTION_OF, *_key(wanted))
                    row = await connection.fetchrow(q.CHANGE_BATCH, *_key(wanted), expected_version, *_values(wanted))
            except asyncpg.ExclusionViolationError:
                raise await _overlapping(connection, wanted, section) from None
            if row is not None:
                return Batch(**row)
            raise StaleVersionError((await find_batch(connection, wanted.organization, wanted.id)).version)


async def find_batch(connection: Connection, organization: str, batch: str) -> Batch:
    """One batch of an organization.

    Raises:
        NotFoundError: not there, or another organization's.
    """
    row = await connection.fetchrow(q.FIND_BATCH, clean(organization), clean(batch))
    if row is None:
        raise NotFoundError(f"no batch {batch!r}")
    return Batch(**row)


async def _overlapping(connection: Connection, wanted: Batch, section: str) -> ConflictError:
    """Names the batch that was in the way; it may have been changed since it was."""
    times = (wanted.started_ms, wanted.ended_ms)
    other = await connection.fetchval(q.OVERLAPPING, clean(wanted.organization), section, clean(wanted.id), *times)
    if other is None:
        return ConflictError(f"another batch was observed in section {section!r} until now", "ask again", "section")
    return other_batch(section, other)


def _key(wanted: Batch) -> tuple[str, str]:
    return clean(wanted.organization), clean(wanted.id)


def _values(wanted: Batch) -> tuple[str, str, int, int | None]:
    return clean(wanted.name), clean(wanted.description), wanted.started_ms, wanted.ended_ms


def _cut(instant_ms: int) -> int:
    return max(SMALLEST, min(instant_ms, LAST_INSTANT_MS))
