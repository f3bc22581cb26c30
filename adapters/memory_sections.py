"""The in-memory twin of telling sections: chambers that are told obey at once."""

from dataclasses import dataclass, replace

from adapters.memory_fleet import InMemoryFleet
from collector.domain.section_order import (
    OperationState,
    OrderKind,
    SectionOperation,
    SectionOrder,
    check_operation,
)
from collector.messages import PauseRequest, ResumeRequest
from collector.ports import Clock

Key = tuple[str, str, str]


@dataclass(slots=True)
class _Kept:
    order: SectionOrder
    chambers: frozenset[str]
    operation: SectionOperation


class InMemorySections:
    """Implements `collector.ports.SectionControl` over the twin of the fleet, and is away with it.

    Attributes:
        slow: while True an operation that begins tells nobody and stays `running`, until `end` is called.
    """

    def __init__(self, fleet: InMemoryFleet, clock: Clock) -> None:
        self.slow = False
        self._fleet, self._clock = fleet, clock
        self._kept: dict[Key, _Kept] = {}

    async def begin(self, order: SectionOrder, chambers: frozenset[str]) -> SectionOperation:
        """See `SectionControl.begin`; unless `slow`, everybody was told when it returns."""
        key = _key(order.organization, order.section, order.operation_id)
        await self._fleet.ping()
        if key not in self._kept:
            begun = SectionOperation(
                id=order.operation_id,
                section=order.section,
                kind=order.kind,
                reason=order.reason,
                until_ms=order.until_ms,
                state=OperationState.RUNNING,
                total=len(chambers),
                done=0,
                failed=0,
                paused=0,
                started_ms=self._clock.now_ms(),
                ended_ms=None,
            )
            self._kept[key] = _Kept(order, chambers, begun)
            if not self.slow:
                await self.end(order.organization, order.section, order.operation_id)
        return await self._shown(key)

    async def end(self, organization: str, section: str, operation_id: str) -> None:
        """Tell everybody: what Temporal does in the background."""
        kept = self._kept[organization, section, operation_id]
        order = kept.order
        for chamber_id in kept.chambers & await self.running(organization, section):
            if order.kind is OrderKind.PAUSE:
                await self._fleet.pause(chamber_id, PauseRequest(order.reason, order.by, order.until_ms))
            else:
                await self._fleet.resume(chamber_id, ResumeRequest(order.by))
        done = kept.operation.total
        kept.operation = replace(
            kept.operation, state=OperationState.COMPLETED, done=done, ended_ms=self._clock.now_ms()
        )

    async def progress(self, organization: str, section: str, operation_id: str) -> SectionOperation | None:
        """See `SectionControl.progress`."""
        await self._fleet.ping()
        key = _key(organization, section, operation_id)
        return await self._shown(key) if key in self._kept else None

    async def under_way(self, organization: str, section: str) -> str | None:
        """See `SectionControl.under_way`."""
        await self._fleet.ping()
        check_operation(organization, section)
        mine = (kept.operation for key, kept in self._kept.items() if key[:2] == (organization, section))
        return next((operation.id for operation in mine if operation.state is OperationState.RUNNING), None)

    async def running(self, organization: str, section: str, obeying: OrderKind | None = None) -> frozenset[str]:
        """See `SectionControl.running`."""
        await self._fleet.ping()
        check_operation(organization, section)
        return frozenset(
            chamber_id
            for chamber_id, chamber in self._fleet.running.items()
            if (chamber.spec.organization, chamber.spec.section, chamber.held) == (organization, section, False)
            and (obeying is None or (chamber.pause is not None) is (obeying is OrderKind.PAUSE))
        )

    async def _shown(self, key: Key) -> SectionOperation:
        paused = await self.running(key[0], key[1], OrderKind.PAUSE)
        return replace(self._kept[key].operation, paused=len(paused))


def _key(organization: str, section: str, operation_id: str) -> Key:
    check_operation(organization, section, operation_id)
    return organization, section, operation_id
