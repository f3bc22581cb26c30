"""Tenants and their sections in PostgreSQL."""

import asyncpg

from adapters.cursors import read_cursor, write_cursor
from adapters.postgres import organization_queries as q
from adapters.postgres.pool import Connection, Postgres
from adapters.postgres.rows import Row
from collector.domain.errors import NotFoundError, StaleVersionError
from collector.domain.organization import FIRST_SECTION, Organization, Section, used_section
from collector.domain.settling import clean
from collector.ports.organizations import SectionRecord
from collector.ports.paging import Page


class PostgresOrganizations:
    """`Organizations` over PostgreSQL."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, wanted: Organization) -> tuple[Organization, bool]:
        """Make an organization with its first section; see `Organizations.add`. Again: nothing."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.ADD_ORGANIZATION, clean(wanted.id), *_place(wanted), FIRST_SECTION)
            if row is not None:
                return Organization(**row), True
            return await _find_organization(connection, wanted.id), False

    async def find(self, organization: str) -> Organization:
        """One organization; see `Organizations.find`."""
        async with self._postgres.connection() as connection:
            return await _find_organization(connection, organization)

    async def page(self, limit: int, cursor: str | None) -> Page[Organization]:
        """All of the deployment, by id; see `Organizations.page`."""
        place = read_cursor(cursor, str)
        after = clean(str(place[0])) if place else ""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(q.PAGE_ORGANIZATIONS, after, limit + 1)
        items = [Organization(**row) for row in rows[:limit]]
        return Page(items, write_cursor(items[-1].id) if items and len(rows) > limit else None)

    async def change(self, wanted: Organization, expected_version: int) -> Organization:
        """Write it as the next version; see `Organizations.change`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.CHANGE_ORGANIZATION, clean(wanted.id), expected_version, *_place(wanted))
            if row is not None:
                return Organization(**row)
            raise StaleVersionError((await _find_organization(connection, wanted.id)).version)


class PostgresSections:
    """`Sections` over PostgreSQL."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, wanted: Section) -> tuple[SectionRecord, bool]:
        """Make a section; see `Sections.add`. Again: nothing."""
        async with self._postgres.connection() as connection:
            try:
                new = await connection.fetchval(q.ADD_SECTION, *_key(wanted), *_kind(wanted))
            except asyncpg.ForeignKeyViolationError:
                raise NotFoundError(f"no organization {wanted.organization!r}") from None
            return await _find_section(connection, *_key(wanted)), bool(new)

    async def find(self, organization: str, section: str) -> SectionRecord:
        """One section; see `Sections.find`."""
        async with self._postgres.connection() as connection:
            return await _find_section(connection, clean(organization), clean(section))

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[SectionRecord]:
        """Sections by id, closed ones too; see `Sections.page`."""
        place = read_cursor(cursor, str)
        after = clean(str(place[0])) if place else ""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(q.PAGE_SECTIONS, clean(organization), after, limit + 1)
        items = [_section_record(row) for row in rows[:limit]]
        return Page(items, write_cursor(items[-1].section.id) if items and len(rows) > limit else None)

    async def change(self, wanted: Section, expected_version: int) -> SectionRecord:
        """Write it as the next version; see `Sections.change`.

        The row is held while the chambers are counted: whoever is about to enrol one there comes before or after.
        """
        async with self._postgres.connection() as connection, connection.transaction():
            version = await connection.fetchval(q.HOLD_SECTION, *_key(wanted))
            there = await _find_section(connection, *_key(wanted))
            if version != expected_version:
                raise StaleVersionError(there.section.version)
            if not wanted.active and there.chambers:
                raise used_section(wanted.id, there.chambers)
            await connection.execute(q.CHANGE_SECTION, *_key(wanted), *_kind(wanted))
            return await _find_section(connection, *_key(wanted))


def _place(wanted: Organization) -> tuple[str, str, str]:
    return clean(wanted.name), clean(wanted.address), clean(wanted.region)


def _key(wanted: Section) -> tuple[str, str]:
    return clean(wanted.organization), clean(wanted.id)


def _kind(wanted: Section) -> tuple[str, str, bool]:
    return clean(wanted.name), clean(wanted.description), wanted.active


async def _find_organization(connection: Connection, organization: str) -> Organization:
    row = await connection.fetchrow(q.FIND_ORGANIZATION, clean(organization))
    if row is None:
        raise NotFoundError(f"no organization {organization!r}")
    return Organization(**row)


async def _find_section(connection: Connection, organization: str, section: str) -> SectionRecord:
    row = await connection.fetchrow(q.FIND_SECTION, organization, section)
    if row is None:
        raise NotFoundError(f"no section {section!r}")
    return _section_record(row)


def _section_record(row: Row) -> SectionRecord:
    kept = dict(row)
    chambers = kept.pop("chambers")
    return SectionRecord(Section(**kept), chambers)
