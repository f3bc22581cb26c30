"""Listing and showing chambers: the registry's row beside what the chamber says of itself."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from collector.domain.cadence import Grid
from collector.domain.chamber import Pause
from collector.domain.errors import ChamberlogError, ConflictError, NotFoundError
from collector.domain.health import Status
from collector.messages import ChamberStatus
from collector.ports import ChamberFilter, ChamberRecord, Clock, FleetControl, Page, Registry

LIVE_WITHIN_S = 1.0
"""A chamber that cannot be asked within this is shown by its row alone: people wait for the page."""
SEEN_FROM_OUTSIDE = frozenset({Status.STALE, Status.RETIRING, Status.RETIRED})
"""What the row knows better than the chamber."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ChamberView:
    """A chamber as people see it.

    Attributes:
        record: the registry's row.
        status: one of `Status`.
        pause: in force now, or None.
        next_slot_ms: the next slot that will be collected; None while paused without end, retiring or retired.
    """

    record: ChamberRecord
    status: str
    pause: Pause | None
    next_slot_ms: int | None


def view_of(record: ChamberRecord, now_ms: int, live: ChamberStatus | None = None) -> ChamberView:
    """Join the row with what the chamber says, if it could be asked."""
    if record.status in (Status.RETIRING, Status.RETIRED):
        return ChamberView(record, record.status, None, None)
    if live is None:
        return ChamberView(record, record.status, record.pause, _expected_slot(record, now_ms))
    status = record.status if record.status in SEEN_FROM_OUTSIDE else live.status
    return ChamberView(record, status, live.pause, _coming_slot(live, now_ms))


def _coming_slot(live: ChamberStatus, now_ms: int) -> int | None:
    """While a round runs the chamber knows its first slot only; those of it that are over were collected meanwhile."""
    if live.next_slot_ms is None or live.next_slot_ms > now_ms:
        return live.next_slot_ms
    return Grid(live.interval_ms, live.next_slot_ms % live.interval_ms).after(now_ms)


def _expected_slot(record: ChamberRecord, now_ms: int) -> int | None:
    earliest = max(now_ms + 1, record.first_slot_ms)
    if record.pause is not None:
        if record.pause.until_ms is None:
            return None
        earliest = max(earliest, record.pause.until_ms)
    return record.spec.grid.at_or_after(earliest)


class ListChambers:
    """Chambers of an organization by their rows: asking each workflow would make a list as slow as its slowest."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry, self._clock = registry, clock

    async def __call__(
        self, organization: str, wanted: ChamberFilter, *, limit: int, cursor: str | None
    ) -> Page[ChamberView]:
        """One page, by id.

        Raises:
            InvalidFieldError: field `cursor`.
            AwayError: the registry cannot be reached.
        """
        page = await self._registry.page(organization, wanted, limit, cursor)
        now_ms = self._clock.now_ms()
        return Page([view_of(record, now_ms) for record in page.items], page.next_cursor)


class ShowChamber:
    """One chamber, with its live status when it can be asked."""

    def __init__(self, registry: Registry, fleet: FleetControl, clock: Clock) -> None:
        self._registry, self._fleet, self._clock = registry, fleet, clock

    async def __call__(self, organization: str, chamber_id: str) -> ChamberView:
        """The chamber; Temporal being away is no error here.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the registry cannot be reached.
        """
        record = await self._registry.find(organization, chamber_id)
        live = None if record.status == Status.RETIRED else await self._ask(chamber_id)
        return view_of(record, self._clock.now_ms(), live)

    async def _ask(self, chamber_id: str) -> ChamberStatus | None:
        try:
            async with asyncio.timeout(LIVE_WITHIN_S):
                return await self._fleet.status(chamber_id)
        except (TimeoutError, ChamberlogError):
            return None


async def while_running(fleet: FleetControl, record: ChamberRecord, request: Callable[[], Awaitable[T]]) -> T:
    """Ask the chamber; if its workflow is gone (terminated, never started), start it from the row and ask again.

    Raises:
        EngineAwayError, RejectedError: as of the request.
        NotFoundError: it ended again at once.
    """
    try:
        return await request()
    except NotFoundError:
        await fleet.start(record)
        return await request()


def refuse_retired(record: ChamberRecord) -> None:
    """Refuse what only a chamber that is read can do.

    Raises:
        ConflictError: it retires or retired.
    """
    if record.status in (Status.RETIRING, Status.RETIRED):
        raise ConflictError(
            f"chamber {record.spec.id} is {record.status}",
            "its history stays readable; once it is retired, enrol the id again to read it again",
            "id",
        )


def at_slot(view: ChamberView, next_slot_ms: int) -> ChamberView:
    """The same view with the next slot that the chamber itself has answered."""
    return replace(view, next_slot_ms=next_slot_ms)
