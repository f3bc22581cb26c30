"""Pausing and resuming all chambers of a section: one operation in Temporal tells those that run.

The rows are not written first: each would be ahead of its chamber until the signal arrives, and `Reconcile` stops when
a tenth of the fleet is. A chamber that is told writes its row itself. What the operation cannot reach is told singly.
"""

import asyncio
from dataclasses import dataclass

from collector.domain.errors import AwayError, ChamberlogError, ConflictError, NotFoundError
from collector.domain.health import Status
from collector.domain.section_order import OperationState, OrderKind, SectionOperation, SectionOrder
from collector.ports import (
    ChamberFilter,
    ChamberRecord,
    Clock,
    FleetControl,
    Principal,
    Registry,
    SectionControl,
    Sections,
)
from collector.usecases.change import PauseChamber, PauseWish, ResumeChamber, refuse_past

PAGE = 1_000
AT_ONCE = 8
"""Chambers that are told singly at a time: there are hardly ever any."""


@dataclass(frozen=True, slots=True)
class Unreached:
    """A chamber that was not told, and why."""

    chamber_id: str
    problem: str


@dataclass(frozen=True, slots=True)
class Begun:
    """An operation, and the chambers that it cannot reach and that could not be told singly either."""

    operation: SectionOperation
    unreached: tuple[Unreached, ...] = ()


class TellSection:
    """Tells all chambers of a section to pause or to resume.

    A second run with the same operation id begins nothing. It tells singly whoever runs there and does not obey once
    the operation has ended.
    """

    def __init__(
        self, sections: Sections, registry: Registry, control: SectionControl, fleet: FleetControl, clock: Clock
    ) -> None:
        self._sections, self._registry, self._control, self._clock = sections, registry, control, clock
        self._pause, self._resume = PauseChamber(registry, fleet, clock), ResumeChamber(registry, fleet, clock)

    async def __call__(self, principal: Principal, order: SectionOrder) -> Begun:
        """Begin, and tell singly those whose workflow does not run.

        Raises:
            NotFoundError: the organization has no such section.
            InvalidFieldError: field `until`, when it is not in the future.
            ConflictError: another operation still runs there, or the id was used for another order.
            AwayError: PostgreSQL or Temporal cannot be reached. If that was after the operation had begun, the same
                call again tells the rest.
        """
        refuse_past(order.until_ms, self._clock.now_ms())
        await self._sections.find(order.organization, order.section)
        before = await self._former(order)
        rows = await self._rows(order)
        reached = await self._reached(order, before)
        operation = before or await self._control.begin(order, reached)
        missing = [row for row in rows if row.spec.id not in reached]
        return Begun(operation, await self._tell_singly(principal, order, missing))

    async def _former(self, order: SectionOrder) -> SectionOperation | None:
        """The operation that has begun under this id already."""
        former = await self._control.progress(order.organization, order.section, order.operation_id)
        if former is None:
            other = await self._control.under_way(order.organization, order.section)
            if other is not None:
                problem = f"the operation {other} still runs in section {order.section}"
                raise ConflictError(problem, "wait until it is completed", "section")
        elif (former.kind, former.reason, former.until_ms) != (order.kind, order.reason, order.until_ms):
            problem = f"it was used for another order: {former.kind.value} {former.reason}".rstrip()
            raise ConflictError(problem, "use a new one for each order", "Idempotency-Key")
        return former

    async def _reached(self, order: SectionOrder, former: SectionOperation | None) -> frozenset[str]:
        """Chambers that the operation will tell, or that have obeyed it."""
        ended = former is not None and former.state != OperationState.RUNNING
        return await self._control.running(order.organization, order.section, order.kind if ended else None)

    async def _rows(self, order: SectionOrder) -> list[ChamberRecord]:
        """Rows of the section that somebody has to be told of."""
        rows: list[ChamberRecord] = []
        now_ms, cursor = self._clock.now_ms(), None
        while True:
            wanted = ChamberFilter(section=order.section)
            page = await self._registry.page(order.organization, wanted, PAGE, cursor)
            rows += [row for row in page.items if _concerned(row, order, now_ms)]
            cursor = page.next_cursor
            if cursor is None:
                return rows

    async def _tell_singly(
        self, principal: Principal, order: SectionOrder, rows: list[ChamberRecord]
    ) -> tuple[Unreached, ...]:
        """All of them, unless a server is away: then the others would only wait for it as well."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def tell(chamber_id: str) -> Unreached | None:
            async with gate:
                return await self._tell_one(principal, order, chamber_id)

        try:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(tell(row.spec.id)) for row in rows]
        except* AwayError as away:
            raise away.exceptions[0] from None
        return tuple(answer for task in asked if (answer := task.result()) is not None)

    async def _tell_one(self, principal: Principal, order: SectionOrder, chamber_id: str) -> Unreached | None:
        try:
            if order.kind is OrderKind.PAUSE:
                await self._pause(principal, chamber_id, PauseWish(order.reason, order.until_ms))
            else:
                await self._resume(principal, chamber_id)
        except AwayError:
            raise
        except ChamberlogError as error:
            return Unreached(chamber_id, str(error))
        return None


class ShowOperation:
    """How far an operation on a section is."""

    def __init__(self, control: SectionControl) -> None:
        self._control = control

    async def __call__(self, organization: str, section: str, operation_id: str) -> SectionOperation:
        """The operation.

        Raises:
            NotFoundError: there is none of that id in the section, or Temporal has forgotten it.
            EngineAwayError: Temporal cannot be reached.
        """
        operation = await self._control.progress(organization, section, operation_id)
        if operation is None:
            remedy = "the header Location of a pause or resume names it; Temporal forgets those that ended long ago"
            raise NotFoundError(f"there is no operation {operation_id[:80]!r} on section {section[:80]!r}", remedy)
        return operation


def _concerned(row: ChamberRecord, order: SectionOrder, now_ms: int) -> bool:
    """Whether the row is not as the order wants it, or only a run of this order made it so; no one that retires."""
    if row.status in (Status.RETIRING, Status.RETIRED):
        return False
    pause = row.pause
    paused = pause is not None and (pause.until_ms is None or pause.until_ms > now_ms)
    if order.kind is OrderKind.RESUME or pause is None or not paused:
        return paused is (order.kind is OrderKind.RESUME)
    return (pause.reason, pause.by, pause.until_ms) == (order.reason, order.by, order.until_ms)
