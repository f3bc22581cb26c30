"""Reading what was stored: readings, curves, latest values, gaps, detectors."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from collector.domain.errors import InvalidFieldError
from collector.domain.outcome import Reading
from collector.domain.timerange import TimeRange
from collector.ports import (
    Bin,
    ChamberFilter,
    DetectorRecord,
    GapRun,
    LatestCache,
    LedgerReader,
    Page,
    StoredReading,
)
from collector.usecases.active import PageChamberIds


class ListReadings:
    """Stored readings of one chamber, whole or of one detector."""

    def __init__(self, ledger: LedgerReader) -> None:
        self._ledger = ledger

    async def __call__(
        self, organization: str, chamber_id: str, span: TimeRange, portion: "Portion"
    ) -> Page[StoredReading]:
        """One page in the order of slots.

        Raises:
            NotFoundError: not there, or another organization's.
            InvalidFieldError: field `cursor` or `detector`.
            AwayError: the store cannot be reached.
        """
        name = await self._name_of(organization, chamber_id, portion.detector) if portion.detector else None
        page = await self._ledger.readings(organization, chamber_id, span, limit=portion.limit, cursor=portion.cursor)
        return page if name is None else replace(page, items=[_only(stored, name) for stored in page.items])

    async def _name_of(self, organization: str, chamber_id: str, wanted: str) -> str:
        detectors = await self._ledger.detectors(organization, chamber_id)
        for detector in detectors:
            if wanted in (detector.name, detector.alias):
                return detector.name
        raise unknown_detector(wanted, detectors)


@dataclass(frozen=True, slots=True)
class Portion:
    """Which part of a list: at most `limit` items after `cursor`, of one detector if it is given."""

    limit: int
    cursor: str | None = None
    detector: str | None = None


def unknown_detector(wanted: str, detectors: Sequence[DetectorRecord]) -> InvalidFieldError:
    """The error that lists what there is."""
    known = ", ".join(d.name for d in detectors) or "none yet: they come with the first reading"
    return InvalidFieldError("detector", f"there is no detector {wanted[:80]!r}", f"detectors of this chamber: {known}")


def _only(stored: StoredReading, detector: str) -> StoredReading:
    kept = tuple(m for m in stored.reading.measurements if m.name == detector)
    return replace(stored, reading=replace(stored.reading, measurements=kept))


class DrawCurve:
    """One detector over a range in equal bins, so that a screen's width of points shows every excursion."""

    def __init__(self, ledger: LedgerReader) -> None:
        self._ledger = ledger

    async def __call__(
        self, organization: str, chamber_id: str, detector: str, span: TimeRange, points: int
    ) -> Sequence[Bin]:
        """`points` bins, empty ones included.

        Raises:
            NotFoundError: not there, or another organization's.
            InvalidFieldError: field `detector`.
            AwayError: the store cannot be reached.
        """
        return await self._ledger.bins(organization, chamber_id, detector, span, points)


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest reading of a chamber.

    Attributes:
        chamber_id: whose.
        reading: None before the first one.
        stored_ms: the commit; None when the reading comes from the cache, which does not know it.
    """

    chamber_id: str
    reading: Reading | None
    stored_ms: int | None = None


class ShowLatest:
    """The newest reading, from the cache if it is there, else from the store."""

    def __init__(self, ids: PageChamberIds, ledger: LedgerReader, cache: LatestCache) -> None:
        self._ids, self._ledger, self._cache = ids, ledger, cache

    async def __call__(self, organization: str, chamber_id: str) -> Latest:
        """Of one chamber.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the store cannot be reached and the cache has nothing.
        """
        cached = await self._cache.get(organization, chamber_id)
        if cached is not None:
            return Latest(chamber_id, cached.reading)
        return await self._stored(organization, chamber_id)

    async def _stored(self, organization: str, chamber_id: str) -> Latest:
        stored = await self._ledger.latest(organization, chamber_id)
        return Latest(chamber_id, stored.reading, stored.stored_ms) if stored else Latest(chamber_id, None)

    async def of_all(self, organization: str, wanted: ChamberFilter, portion: Portion) -> Page[Latest]:
        """Of one page of chambers, by id; those without a reading stand in it too.

        Raises:
            InvalidFieldError: field `cursor`.
            AwayError: the store cannot be reached.
        """
        page = await self._ids(organization, wanted, portion.limit, portion.cursor)
        cached = await self._cache.get_many(organization, page.items)
        missing = [chamber_id for chamber_id in page.items if chamber_id not in cached]
        found = await asyncio.gather(*(self._stored(organization, chamber_id) for chamber_id in missing))
        latest = {kept.chamber_id: Latest(kept.chamber_id, kept.reading) for kept in cached.values()}
        latest |= {stored.chamber_id: stored for stored in found}
        return Page([latest[chamber_id] for chamber_id in page.items], page.next_cursor)


class ListGaps:
    """Gap runs of one chamber."""

    def __init__(self, ledger: LedgerReader) -> None:
        self._ledger = ledger

    async def __call__(self, organization: str, chamber_id: str, span: TimeRange, portion: Portion) -> Page[GapRun]:
        """Runs that touch the range.

        Raises:
            NotFoundError: not there, or another organization's.
            InvalidFieldError: field `cursor`.
            AwayError: the store cannot be reached.
        """
        return await self._ledger.gaps(organization, chamber_id, span, limit=portion.limit, cursor=portion.cursor)


class ListDetectors:
    """Detectors of one chamber."""

    def __init__(self, ledger: LedgerReader) -> None:
        self._ledger = ledger

    async def __call__(self, organization: str, chamber_id: str) -> Sequence[DetectorRecord]:
        """By name.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the store cannot be reached.
        """
        return await self._ledger.detectors(organization, chamber_id)
