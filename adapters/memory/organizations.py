"""Tenants, where their chambers stand and what is observed there, in memory."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import TypeVar

from adapters.cursors import read_cursor, write_cursor
from adapters.memory.ledger import InMemoryLedger, KeptChamber
from collector.domain.errors import NotFoundError, StaleVersionError
from collector.domain.organization import (
    FIRST_SECTION,
    Batch,
    Organization,
    Section,
    no_section,
    other_batch,
    used_section,
)
from collector.ports.organizations import BatchFilter, SectionRecord, Stay
from collector.ports.paging import Page

Named = TypeVar("Named", Organization, Section)


class InMemoryOrganizations:
    """`Organizations` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def add(self, wanted: Organization) -> tuple[Organization, bool]:
        """Make an organization with its first section; see `Organizations.add`. Again: nothing."""
        self._ledger.check_here()
        new = wanted.id not in self._ledger.organizations
        if new:
            now_ms = self._ledger.now_ms()
            made = replace(wanted, version=1, created_ms=now_ms, updated_ms=now_ms)
            self._ledger.organizations[wanted.id] = made
            self._ledger.add_section(wanted.id, FIRST_SECTION)
        return self._ledger.organizations[wanted.id], new

    async def find(self, organization: str) -> Organization:
        """One organization; see `Organizations.find`."""
        self._ledger.check_here()
        kept = self._ledger.organizations.get(organization)
        if kept is None:
            raise NotFoundError(f"no organization {organization!r}")
        return kept

    async def page(self, limit: int, cursor: str | None) -> Page[Organization]:
        """All of the deployment, by id; see `Organizations.page`."""
        self._ledger.check_here()
        return _page_by_id(self._ledger.organizations.values(), limit, cursor)

    async def change(self, wanted: Organization, expected_version: int) -> Organization:
        """Write it as the next version; see `Organizations.change`."""
        kept = await self.find(wanted.id)
        _check_version(kept, expected_version)
        changed = replace(
            wanted, version=expected_version + 1, created_ms=kept.created_ms, updated_ms=self._ledger.now_ms()
        )
        self._ledger.organizations[wanted.id] = changed
        return changed


class InMemorySections:
    """`Sections` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def add(self, wanted: Section) -> tuple[SectionRecord, bool]:
        """Make a section; see `Sections.add`. Again: nothing."""
        self._ledger.check_here()
        if wanted.organization not in self._ledger.organizations:
            raise NotFoundError(f"no organization {wanted.organization!r}")
        key = (wanted.organization, wanted.id)
        new = key not in self._ledger.sections
        if new:
            now_ms = self._ledger.now_ms()
            self._ledger.sections[key] = replace(wanted, version=1, created_ms=now_ms, updated_ms=now_ms)
        return self._record(self._ledger.sections[key]), new

    async def find(self, organization: str, section: str) -> SectionRecord:
        """One section; see `Sections.find`."""
        self._ledger.check_here()
        kept = self._ledger.sections.get((organization, section))
        if kept is None:
            raise NotFoundError(f"no section {section!r}")
        return self._record(kept)

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[SectionRecord]:
        """Sections by id, closed ones too; see `Sections.page`."""
        self._ledger.check_here()
        mine = (s for s in self._ledger.sections.values() if s.organization == organization)
        page = _page_by_id(mine, limit, cursor)
        return Page([self._record(section) for section in page.items], page.next_cursor)

    async def change(self, wanted: Section, expected_version: int) -> SectionRecord:
        """Write it as the next version; see `Sections.change`."""
        kept = await self.find(wanted.organization, wanted.id)
        _check_version(kept.section, expected_version)
        if not wanted.active and kept.chambers:
            raise used_section(wanted.id, kept.chambers)
        created_ms = kept.section.created_ms
        changed = replace(wanted, version=expected_version + 1, created_ms=created_ms, updated_ms=self._ledger.now_ms())
        self._ledger.sections[wanted.organization, wanted.id] = changed
        return self._record(changed)

    def _record(self, section: Section) -> SectionRecord:
        where = (section.organization, section.id)
        alive = (k.spec for k in self._ledger.chambers.values() if k.retired_ms is None)
        return SectionRecord(section, sum((spec.organization, spec.section) == where for spec in alive))


class InMemoryBatches:
    """`Batches` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def add(self, wanted: Batch) -> tuple[Batch, bool]:
        """Make a batch; see `Batches.add`. Again: nothing."""
        self._ledger.check_here()
        key = (wanted.organization, wanted.id)
        if key in self._ledger.batches:
            return self._ledger.batches[key], False
        if (wanted.organization, wanted.section) not in self._ledger.sections:
            raise no_section(wanted.section)
        self._refuse_overlap(wanted)
        now_ms = self._ledger.now_ms()
        made = replace(wanted, version=1, created_ms=now_ms, updated_ms=now_ms)
        self._ledger.batches[key] = made
        return made, True

    async def find(self, organization: str, batch: str) -> Batch:
        """One batch; see `Batches.find`."""
        self._ledger.check_here()
        kept = self._ledger.batches.get((organization, batch))
        if kept is None:
            raise NotFoundError(f"no batch {batch!r}")
        return kept

    async def page(self, organization: str, wanted: BatchFilter, limit: int, cursor: str | None) -> Page[Batch]:
        """Batches, the one that started last first; see `Batches.page`."""
        self._ledger.check_here()
        place = read_cursor(cursor, int, str)
        mine = [b for b in self._ledger.batches.values() if b.organization == organization and _fits(b, wanted)]
        mine.sort(key=_newest_first)
        if place:
            mine = [b for b in mine if _newest_first(b) > (-int(place[0]), str(place[1]))]
        items = mine[:limit]
        more = len(mine) > limit
        return Page(items, write_cursor(items[-1].started_ms, items[-1].id) if items and more else None)

    async def stays(self, organization: str, batch: str, limit: int, cursor: str | None) -> Page[Stay]:
        """Which chambers stood in its section, and when; see `Batches.stays`."""
        kept = await self.find(organization, batch)
        place = read_cursor(cursor, str, int)
        after = (str(place[0]), int(place[1])) if place else ("", 0)
        mine = (c for c in self._ledger.chambers.values() if c.spec.organization == organization)
        found = sorted((s for c in mine for s in _stays(c, kept)), key=lambda s: (s.chamber_id, s.from_ms))
        found = [stay for stay in found if (stay.chamber_id, stay.from_ms) > after]
        items, more = found[:limit], len(found) > limit
        return Page(items, write_cursor(items[-1].chamber_id, items[-1].from_ms) if items and more else None)

    async def change(self, wanted: Batch, expected_version: int) -> Batch:
        """Write it as the next version; see `Batches.change`."""
        kept = await self.find(wanted.organization, wanted.id)
        _check_version(kept, expected_version)
        changed = replace(
            wanted,
            section=kept.section,
            version=expected_version + 1,
            created_ms=kept.created_ms,
            updated_ms=self._ledger.now_ms(),
        )
        self._refuse_overlap(changed)
        self._ledger.batches[wanted.organization, wanted.id] = changed
        return changed

    def _refuse_overlap(self, wanted: Batch) -> None:
        where = (wanted.organization, wanted.section)
        others = (b for b in self._ledger.batches.values() if (b.organization, b.section) == where)
        overlapping = [b for b in others if b.id != wanted.id and b.overlaps(wanted)]
        if overlapping:
            raise other_batch(wanted.section, min(overlapping, key=lambda b: b.started_ms).id)


def _check_version(kept: Organization | Section | Batch, expected: int) -> None:
    if kept.version != expected:
        raise StaleVersionError(kept.version)


def _fits(batch: Batch, wanted: BatchFilter) -> bool:
    return wanted.section in (None, batch.section) and (wanted.at_ms is None or batch.holds(wanted.at_ms))


def _stays(chamber: KeptChamber, batch: Batch) -> Iterator[Stay]:
    ends = [first_ms for first_ms, _ in chamber.sections[1:]]
    for (first_ms, section), left_ms in zip_longest(chamber.sections, ends):
        from_ms = max(first_ms, batch.started_ms)
        to_ms = min((ms for ms in (left_ms, batch.ended_ms) if ms is not None), default=None)
        if section == batch.section and (to_ms is None or from_ms < to_ms):
            yield Stay(chamber.spec.id, from_ms, to_ms)


def _newest_first(batch: Batch) -> tuple[int, str]:
    return -batch.started_ms, batch.id


def _page_by_id(kept: Iterable[Named], limit: int, cursor: str | None) -> Page[Named]:
    place = read_cursor(cursor, str)
    after = str(place[0]) if place else ""
    fitting = sorted((k for k in kept if k.id > after), key=lambda k: k.id)
    items = fitting[:limit]
    return Page(items, write_cursor(items[-1].id) if items and len(fitting) > limit else None)
