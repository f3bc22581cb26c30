"""The chambers that were enrolled, in PostgreSQL."""

import contextlib
from collections.abc import AsyncIterator, Sequence, Set
from contextlib import asynccontextmanager

import asyncpg

from adapters.cursors import read_cursor, write_cursor
from adapters.detectors import changed_detector
from adapters.postgres import registry_queries as q
from adapters.postgres.history_queries import DETECTORS
from adapters.postgres.pool import Connection, Postgres
from adapters.postgres.rows import (
    Row,
    device_from,
    device_values,
    pause_values,
    record_from,
    spec_values,
    standing_from,
)
from collector.domain.cadence import Grid
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.errors import ConflictError, NotFoundError, StaleVersionError
from collector.domain.organization import closed_section, no_section
from collector.domain.outcome import Epoch
from collector.domain.settling import clean
from collector.ports.active import ActiveChamber
from collector.ports.history import CHANGEABLE, DetectorRecord
from collector.ports.paging import Page
from collector.ports.registry import ChamberFilter, ChamberRecord, Standing


class PostgresRegistry:
    """`Registry` over PostgreSQL."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def has_section(self, organization: str, section: str) -> bool:
        """Whether chambers can be enrolled there."""
        async with self._postgres.connection() as connection:
            return bool(await connection.fetchval(q.HAS_SECTION, clean(organization), clean(section)))

    async def sections(self, organization: str) -> Sequence[str]:
        """Names of the organization's active sections, sorted."""
        async with self._postgres.connection() as connection:
            return [row["id"] for row in await connection.fetch(q.SECTIONS, clean(organization))]

    async def enrol(self, spec: ChamberSpec, epoch: Epoch, now_ms: int, trace: str = "") -> ChamberRecord:
        """Write the row and its first epoch; see `Registry.enrol`."""
        async with self._transaction() as connection:
            await _enter(connection, spec)
            key = await connection.fetchval(q.ENROL, *spec_values(spec), epoch.first_slot_ms, now_ms)
            if key is not None:
                await _write_device(connection, spec, device_from({}))
                await _begin(connection, key, spec, epoch)
                if trace:
                    await _keep_trace(connection, spec.id, trace)
            elif await _enrol_again(connection, spec, epoch):
                await _keep_trace(connection, spec.id, trace)
            return await _find(connection, spec.organization, spec.id)

    async def find(self, organization: str, chamber_id: str) -> ChamberRecord:
        """One chamber; see `Registry.find`."""
        async with self._postgres.connection() as connection:
            return await _find(connection, organization, clean(chamber_id))

    async def page(
        self, organization: str, wanted: ChamberFilter, limit: int, cursor: str | None
    ) -> Page[ChamberRecord]:
        """Chambers by id; see `Registry.page`."""
        place = read_cursor(cursor, str)
        after = str(place[0]) if place else ""
        texts = (None if t is None else clean(t) for t in (wanted.section, wanted.status, wanted.text))
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(q.PAGE, organization, clean(after), *texts, limit + 1)
        items = [record_from(row) for row in rows[:limit]]
        return Page(items, write_cursor(items[-1].spec.id) if items and len(rows) > limit else None)

    async def active(self, organization: str, at_most: int) -> Sequence[ActiveChamber]:
        """The first chambers that have not retired; see `Registry.active`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(q.ACTIVE_CHAMBERS, organization, at_most)
        return [
            ActiveChamber(row["id"], row["section"], row["name"], row["interval_ms"], tuple(row["inactive"]))
            for row in rows
        ]

    async def standings(self, organization: str, section: str | None, text: str | None) -> Sequence[Standing]:
        """How every chamber stands; see `Registry.standings`."""
        texts = (None if given is None else clean(given) for given in (section, text))
        async with self._postgres.connection() as connection:
            return [standing_from(row) for row in await connection.fetch(q.STANDINGS, organization, *texts)]

    async def change_spec(self, spec: ChamberSpec, expected_version: int) -> ChamberRecord:
        """Write the spec as the next version; see `Registry.change_spec`."""
        async with self._transaction() as connection:
            row = await _lock(connection, spec.organization, clean(spec.id))
            if row["version"] != expected_version:
                raise StaleVersionError(row["version"])
            _check_alive(spec.id, row)
            if spec.section != row["section"]:
                await _enter(connection, spec)
                await connection.execute(q.PLACE, row["key"], None, spec.organization, spec.section)
            await _write_spec(connection, spec, expected_version + 1, row)
            return await _find(connection, spec.organization, spec.id)

    async def change_pause(self, organization: str, chamber_id: str, pause: Pause | None) -> ChamberRecord:
        """Write or remove the pause; see `Registry.change_pause`. Reason, author and end make a pause the same."""
        async with self._transaction() as connection:
            row = await _lock(connection, organization, clean(chamber_id))
            _check_alive(chamber_id, row)
            there = (row["pause_reason"], row["pause_by"], row["pause_until_ms"]) if row["paused"] else None
            since_ms, reason, by, until_ms = pause_values(pause)
            wanted = (clean(reason), clean(by), until_ms) if pause else None
            if there != wanted:
                await connection.execute(q.WRITE_PAUSE, row["key"], since_ms, clean(reason), clean(by), until_ms)
            return await _find(connection, organization, chamber_id)

    async def retire(self, organization: str, chamber_id: str) -> ChamberRecord:
        """Mark it `retiring`; see `Registry.retire`."""
        async with self._transaction() as connection:
            await connection.execute(q.RETIRE, organization, clean(chamber_id))
            return await _find(connection, organization, clean(chamber_id))

    async def change_detector(
        self, organization: str, chamber_id: str, wanted: DetectorRecord, given: Set[str] = CHANGEABLE
    ) -> DetectorRecord:
        """Write fields of a detector; see `Registry.change_detector`."""
        async with self._transaction() as connection:
            key = (await _lock(connection, organization, clean(chamber_id)))["key"]
            rows = await connection.fetch(DETECTORS, key)
            changed = changed_detector([DetectorRecord(**row) for row in rows], wanted, given)
            await connection.execute(q.WRITE_DETECTOR, key, changed.name, changed.alias, changed.active)
            return changed

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self._postgres.connection() as connection, connection.transaction():
            yield connection


async def _enter(connection: Connection, spec: ChamberSpec) -> None:
    """Hold the section open until the transaction ends."""
    active = await connection.fetchval(q.ENTER_SECTION, spec.organization, clean(spec.section))
    if active is None:
        raise no_section(spec.section)
    if not active:
        raise closed_section(spec.section)


async def _enrol_again(connection: Connection, spec: ChamberSpec, epoch: Epoch) -> bool:
    """Whether a new life of the chamber has begun."""
    row = await connection.fetchrow(q.LOCK, spec.id)
    if row is None or row["organization"] != spec.organization:
        raise ConflictError(f"the id {spec.id!r} is taken", "choose another id", "id")
    if not row["retired"]:
        return False
    version = row["version"] + 1
    ended_ms = await connection.fetchval(q.LAST_SLOT, row["key"])
    first_ms = max(epoch.first_slot_ms, Grid(epoch.interval_ms, epoch.phase_ms).after(ended_ms))
    await _write_spec(connection, spec, version, row)
    await connection.execute(q.BEGIN_AGAIN, row["key"], first_ms)
    await _begin(connection, row["key"], spec, Epoch(first_ms, epoch.interval_ms, epoch.phase_ms, version))
    return True


async def _keep_trace(connection: Connection, chamber_id: str, trace: str) -> None:
    """A schema that is not migrated yet has no place for it: the chamber is enrolled without."""
    with contextlib.suppress(asyncpg.UndefinedColumnError):
        async with connection.transaction():
            await connection.execute(q.KEEP_TRACE, chamber_id, trace)


async def _begin(connection: Connection, key: int, spec: ChamberSpec, epoch: Epoch) -> None:
    grid = (epoch.interval_ms, epoch.phase_ms)
    await connection.execute(q.OPEN_EPOCH, key, epoch.first_slot_ms, *grid, epoch.spec_version)
    await connection.execute(q.PLACE, key, epoch.first_slot_ms, spec.organization, spec.section)


async def _write_spec(connection: Connection, spec: ChamberSpec, version: int, before: Row) -> None:
    values = spec_values(spec)
    await connection.execute(q.WRITE_SPEC, *values[:3], version, *values[4:])
    await _write_device(connection, spec, device_from(before))


async def _write_device(connection: Connection, spec: ChamberSpec, before: Sequence[str]) -> None:
    if device_values(spec) != before:
        await connection.execute(q.WRITE_DEVICE, spec.id, *device_values(spec))


async def _find(connection: Connection, organization: str, chamber_id: str) -> ChamberRecord:
    row = await connection.fetchrow(q.FIND, organization, chamber_id)
    if row is None:
        raise NotFoundError(f"no chamber {chamber_id!r}")
    return record_from(row)


async def _lock(connection: Connection, organization: str, chamber_id: str) -> Row:
    row: Row | None = await connection.fetchrow(q.LOCK, chamber_id)
    if row is None or row["organization"] != organization:
        raise NotFoundError(f"no chamber {chamber_id!r}")
    return row


def _check_alive(chamber_id: str, row: Row) -> None:
    if row["retiring"]:
        word = "retired" if row["retired"] else "is retiring"
        raise ConflictError(f"chamber {chamber_id!r} {word}", "enrol it again once it is retired")
