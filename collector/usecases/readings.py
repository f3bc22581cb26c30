"""Reading what was stored: readings, curves, latest values, gaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from collector.domain.errors import AwayError
from collector.domain.outcome import Reading
from collector.domain.timerange import TimeRange
from collector.ports import (
    Bin,
    ChamberFilter,
    GapRun,
    LatestCache,
    LedgerReader,
    Page,
    StoredReading,
)
from collector.usecases.active import PageChambers, PagedChamber
from collector.usecases.detectors import find_detector, leaving_out, only, unknown_detector, without_inactive


class ListReadings:
    """Stored readings of one chamber: of one detector, or of all that are not switched off."""

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
        if name is None:
            return replace(page, items=await without_inactive(self._ledger, organization, page.items))
        return replace(page, items=[only(stored, name) for stored in page.items])

    async def _name_of(self, organization: str, chamber_id: str, wanted: str) -> str:
        detectors = await self._ledger.detectors(organization, chamber_id)
        found = find_detector(detectors, wanted)
        if found is None:
            raise unknown_detector(wanted, detectors)
        return found.name


@dataclass(frozen=True, slots=True)
class Portion:
    """Which part of a list: at most `limit` items after `cursor`, of one detector if it is given."""

    limit: int
    cursor: str | None = None
    detector: str | None = None


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
    """The newest reading without switched-off detectors, from the cache if it is there, else from the store."""

    def __init__(self, chambers: PageChambers, ledger: LedgerReader, cache: LatestCache) -> None:
        self._chambers, self._ledger, self._cache = chambers, ledger, cache

    async def __call__(self, organization: str, chamber_id: str) -> Latest:
        """Of one chamber. A cached reading is shown whole while the store cannot be asked what is switched off.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the store cannot be reached and the cache has nothing.
        """
        cached = await self._cache.get(organization, chamber_id)
        if cached is not None:
            return Latest(chamber_id, leaving_out(cached.reading, await self._inactive(organization, chamber_id)))
        stored = await self._ledger.latest(organization, chamber_id)
        if stored is None:
            return Latest(chamber_id, None)
        [shown] = await without_inactive(self._ledger, organization, [stored])
        return Latest(chamber_id, shown.reading, shown.stored_ms)

    async def of_all(self, organization: str, wanted: ChamberFilter, portion: Portion) -> Page[Latest]:
        """Of one page of chambers, by id; those without a reading stand in it too. However many: each is asked once.

        Raises:
            InvalidFieldError: field `cursor`.
            AwayError: the store cannot be reached.
        """
        page = await self._chambers(organization, wanted, portion.limit, portion.cursor)
        ids = [chamber.id for chamber in page.items]
        cached = await self._cache.get_many(organization, ids)
        missing = [chamber_id for chamber_id in ids if chamber_id not in cached]
        stored = await self._ledger.latest_of(organization, missing) if missing else {}
        inactive = await self._inactive_of(organization, page.items)

        def shown(chamber_id: str) -> Latest:
            names = inactive.get(chamber_id, ())
            if chamber_id in cached:
                return Latest(chamber_id, leaving_out(cached[chamber_id].reading, names))
            if chamber_id in stored:
                found = stored[chamber_id]
                return Latest(chamber_id, leaving_out(found.reading, names), found.stored_ms)
            return Latest(chamber_id, None)

        return Page([shown(chamber_id) for chamber_id in ids], page.next_cursor)

    async def _inactive_of(self, organization: str, chambers: Sequence[PagedChamber]) -> Mapping[str, frozenset[str]]:
        known = {chamber.id: chamber.inactive for chamber in chambers if chamber.inactive is not None}
        unknown = [chamber.id for chamber in chambers if chamber.id not in known]
        return {**known, **(await self._ledger.inactive_detectors(organization, unknown) if unknown else {})}

    async def _inactive(self, organization: str, chamber_id: str) -> frozenset[str]:
        try:
            return (await self._ledger.inactive_detectors(organization, [chamber_id])).get(chamber_id, frozenset())
        except AwayError:
            return frozenset()


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
