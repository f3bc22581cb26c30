"""The fleet at a glance: how each chamber stands, the ones in trouble first."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import nsmallest
from typing import Any

from collector.domain.health import Status
from collector.domain.outcome import Reading
from collector.ports import ChamberFilter, Clock, LedgerReader, Registry, Standing
from collector.usecases.detectors import without_inactive

FIRST = (Status.STALE, Status.FAILING, Status.STARTING, Status.RETIRING, Status.PAUSED, Status.COLLECTING)
"""Whom somebody has to look after comes first."""
RANKS = {status.value: rank for rank, status in enumerate(FIRST)}


class Order(StrEnum):
    """What comes first: trouble, or the largest of a figure; `next` the slot that comes first, the others A to Z."""

    TROUBLE = "trouble"
    ID = "id"
    SECTION = "section"
    AGE = "age"
    NEXT = "next"
    LATENESS = "lateness"
    FAILURES = "failures"
    BACKLOG = "backlog"


@dataclass(frozen=True, slots=True)
class ChamberGlance:
    """A chamber at a glance.

    Attributes:
        standing: what row and ledger say.
        next_slot_ms: the next slot that will be collected; None while paused without end or retiring.
        failures: settled slots in a row without a reading, since the last reading, pause or change of the grid.
        backlog: slots since the oldest that is past its deadline and has no outcome in the store.
        reading: the newest one, without switched-off detectors; None before the first.
    """

    standing: Standing
    next_slot_ms: int | None
    failures: int
    backlog: int
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class FleetGlance:
    """The fleet at a glance.

    Attributes:
        at_ms: when.
        statuses: chambers by status, of all that were looked for, those of other statuses than the wanted one too.
        backlog: sum over them.
        fitting: how many are of the wanted status.
        chambers: the wanted ones, the first so many.
    """

    at_ms: int
    statuses: Mapping[str, int]
    backlog: int
    fitting: int
    chambers: Sequence[ChamberGlance]


class ShowFleet:
    """Looks at all chambers of an organization by three questions to the store, however many there are.

    No workflow is asked: a chamber that cannot answer is one of those that are looked for.
    """

    def __init__(self, registry: Registry, ledger: LedgerReader, clock: Clock) -> None:
        self._registry, self._ledger, self._clock = registry, ledger, clock

    async def __call__(self, organization: str, wanted: ChamberFilter, order: Order, limit: int) -> FleetGlance:
        """The first `limit` chambers in that order; retired ones are none.

        Raises:
            AwayError: the store cannot be reached.
        """
        standings = await self._registry.standings(organization, wanted.section, wanted.text)
        now_ms = self._clock.now_ms()
        glances = [glance_of(standing, now_ms) for standing in standings]
        fitting = [g for g in glances if wanted.status in (None, g.standing.status)]
        shown = nsmallest(limit, fitting, key=ORDERS[order])
        readings = await self._readings(organization, [g.standing.id for g in shown])
        counted = Counter(g.standing.status for g in glances)
        return FleetGlance(
            at_ms=now_ms,
            statuses={status: counted[status] for status in RANKS},
            backlog=sum(g.backlog for g in glances),
            fitting=len(fitting),
            chambers=[replace(g, reading=readings.get(g.standing.id)) for g in shown],
        )

    async def _readings(self, organization: str, ids: Sequence[str]) -> Mapping[str, Reading]:
        if not ids:
            return {}
        stored = await self._ledger.latest_of(organization, ids)
        shown = await without_inactive(self._ledger, organization, list(stored.values()))
        return {one.chamber_id: one.reading for one in shown}


def glance_of(standing: Standing, now_ms: int) -> ChamberGlance:
    """What the figures of a standing come to now."""
    return ChamberGlance(standing, _next_slot_ms(standing, now_ms), _failures(standing), _backlog(standing, now_ms))


def _failures(standing: Standing) -> int:
    grid = standing.grid
    settled = grid.at_or_before(standing.settled_ms)
    before_first = standing.first_slot_ms - grid.interval_ms
    good = max(before_first, standing.last_reading_ms or before_first, standing.resumed_ms or before_first)
    return max(0, (settled - grid.at_or_before(good)) // grid.interval_ms)


def _backlog(standing: Standing, now_ms: int) -> int:
    if standing.status in (Status.PAUSED, Status.RETIRING):
        return 0  # slots of a pause have their gap when it ends; a chamber that retires is given no more
    grid = standing.grid
    open_ms = max(grid.first_open(now_ms), standing.first_slot_ms)
    return max(0, (open_ms - grid.after(standing.settled_ms)) // grid.interval_ms)


def _next_slot_ms(standing: Standing, now_ms: int) -> int | None:
    if standing.status == Status.RETIRING or (standing.paused and standing.until_ms is None):
        return None
    earliest = max(now_ms + 1, standing.first_slot_ms, standing.until_ms or 0)
    return standing.grid.at_or_after(earliest)


def _trouble(glance: ChamberGlance) -> tuple[Any, ...]:
    rank = RANKS.get(glance.standing.status, len(RANKS))
    late_s = max(0, glance.standing.late_ms or 0) // 1000  # whole ones: milliseconds would shuffle a fleet that is well
    return (rank, -glance.failures, -glance.backlog, -late_s, glance.standing.id)


def _age(glance: ChamberGlance) -> tuple[Any, ...]:
    newest_ms = glance.standing.last_reading_ms
    return (newest_ms is not None, newest_ms or 0, glance.standing.id)


def _next(glance: ChamberGlance) -> tuple[Any, ...]:
    return (glance.next_slot_ms is None, glance.next_slot_ms or 0, glance.standing.id)


ORDERS: Mapping[Order, Callable[[ChamberGlance], tuple[Any, ...]]] = {
    Order.TROUBLE: _trouble,
    Order.ID: lambda glance: (glance.standing.id,),
    Order.SECTION: lambda glance: (glance.standing.section, glance.standing.id),
    Order.AGE: _age,
    Order.NEXT: _next,
    Order.LATENESS: lambda glance: (-(glance.standing.late_ms or 0), glance.standing.id),
    Order.FAILURES: lambda glance: (-glance.failures, *_trouble(glance)),
    Order.BACKLOG: lambda glance: (-glance.backlog, *_trouble(glance)),
}
"""Every order ends with the id: two looks show the same rows in the same order."""
