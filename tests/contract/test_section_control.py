"""`SectionControl`: one suite over the twin and over a real Temporal server with the real chamber workflow."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest
from temporalio.client import Client

from adapters.clock import SystemClock
from adapters.memory_fleet import InMemoryFleet
from adapters.memory_sections import InMemorySectionControl
from adapters.temporal_client import connect_lazily
from adapters.temporal_sections import TemporalSections
from collector import wire
from collector.domain.errors import EngineAwayError, InvalidFieldError
from collector.domain.section_order import OperationState, OrderKind, SectionOperation, SectionOrder
from collector.messages import ResumeRequest
from collector.ports import FleetControl, SectionControl
from stack.ports import free_port
from stack.server import Server
from tests.contract.fleet_rooms import now_ms, reading_of, record, registered, temporal_room

pytestmark = pytest.mark.timeout(90)
PAUSE, RESUME = OrderKind.PAUSE, OrderKind.RESUME
Ask = Callable[[SectionControl, str, str, str], Awaitable[object]]
ASKS: dict[str, Ask] = {
    "begin": lambda control, o, s, i: control.begin(order_of(s, i, organization=o), frozenset({"c"})),
    "progress": lambda control, o, s, i: control.progress(o, s, i),
    "under way": lambda control, o, s, _: control.under_way(o, s),
    "running": lambda control, o, s, _: control.running(o, s),
}


@dataclass(frozen=True)
class Room:
    """Sections that are told, the chambers of it, and an operation that does not end at once."""

    control: SectionControl
    fleet: FleetControl
    hold: Callable[[str], Awaitable[None]]
    slowly: Callable[[], None]

    async def enrol(self, section: str, count: int, organization: str = "default") -> list[str]:
        """Start so many chambers there; answers with their ids once they are listed."""
        names = [f"c-{uuid4().hex[:12]}" for _ in range(count)]
        for name in names:
            row = record(name)
            await self.fleet.start(replace(row, spec=replace(row.spec, section=section, organization=organization)))
        await eventually(lambda: self.lists(organization, section, {*names}))
        return names

    async def begin(self, order: SectionOrder) -> SectionOperation:
        """As the use case does."""
        return await self.control.begin(order, await self.control.running(order.organization, order.section))

    async def lists(self, organization: str, section: str, wanted: set[str]) -> bool:
        return wanted <= await self.control.running(organization, section)

    async def pauses(self, names: list[str]) -> list[tuple[str, str, int | None] | None]:
        """Reason, author and end of each chamber's pause."""
        held = [(await self.fleet.status(name)).pause for name in names]
        return [None if pause is None else (pause.reason, pause.by, pause.until_ms) for pause in held]

    async def ended(self, order: SectionOrder, paused: int) -> SectionOperation:
        """The operation, once it has ended and so many chambers of the section are paused."""
        seen: list[SectionOperation] = []

        async def over() -> bool:
            operation = await self.control.progress(order.organization, order.section, order.operation_id)
            assert operation is not None
            seen.append(operation)
            return operation.state is not OperationState.RUNNING and operation.paused == paused

        await eventually(over)
        assert [now.done for now in seen] == sorted(now.done for now in seen), "what is done stays done"
        return seen[-1]


async def eventually(what: Callable[[], Awaitable[bool]], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not await what():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.1)


@pytest_asyncio.fixture
async def client(server: Server) -> Client:
    return await registered(server)


@pytest_asyncio.fixture(params=["memory", "temporal"])
async def room(request: pytest.FixtureRequest) -> AsyncIterator[Room]:
    if request.param == "memory":
        twin = InMemoryFleet(SystemClock(), reading_of)
        sections = InMemorySectionControl(twin, SystemClock())

        async def hold(name: str) -> None:
            twin.running[name].held = True

        yield Room(sections, twin, hold, lambda: setattr(sections, "slow", True))
        return
    server: Server = request.getfixturevalue("server")
    client = await registered(server)

    async def hold_natively(name: str) -> None:
        request = PauseWorkflowExecutionRequest(namespace="default", workflow_id=wire.workflow_id(name), reason="x")
        await client.workflow_service.pause_workflow_execution(request)

    async with temporal_room(client) as fleet:
        yield Room(TemporalSections(client), fleet.fleet, hold_natively, lambda: None)


@pytest.fixture
def section() -> str:
    """A section that no other test has met."""
    return f"s-{uuid4().hex[:12]}"


def order_of(
    section: str, operation_id: str = "", kind: OrderKind = PAUSE, organization: str = "default"
) -> SectionOrder:
    return SectionOrder(
        organization=organization,
        section=section,
        operation_id=operation_id or uuid4().hex,
        kind=kind,
        by="key/1",
        reason='power "test": ä\nuntil: noon' if kind is PAUSE else "",
    )


async def test_everybody_in_the_section_is_told_and_nobody_else(room: Room, section: str) -> None:
    mine = await room.enrol(section, 3)
    others = [*await room.enrol(f"{section}-b", 1), *await room.enrol(section, 1, "other")]
    until_ms = now_ms() + 3_600_000
    order = replace(order_of(section), until_ms=until_ms)
    begun = await room.begin(order)
    assert (begun.id, begun.section, begun.kind, begun.reason, begun.until_ms) == (
        order.operation_id,
        section,
        PAUSE,
        order.reason,
        until_ms,
    )
    assert begun.total == 3
    ended = await room.ended(order, paused=3)
    assert (ended.state, ended.total, ended.done, ended.failed) == (OperationState.COMPLETED, 3, 3, 0)
    assert ended.started_ms <= (ended.ended_ms or 0)
    assert await room.pauses(mine) == 3 * [(order.reason, "key/1", until_ms)]
    assert await room.pauses(others) == [None, None]


async def test_a_section_is_resumed(room: Room, section: str) -> None:
    mine = await room.enrol(section, 2)
    pause, resume = order_of(section), order_of(section, kind=RESUME)
    await room.begin(pause)
    await room.ended(pause, paused=2)
    assert await room.control.running("default", section, PAUSE) == {*mine}
    assert await room.control.running("default", section, RESUME) == frozenset()
    begun = await room.begin(resume)
    assert (begun.kind, begun.reason, begun.until_ms) == (RESUME, "", None)
    ended = await room.ended(resume, paused=0)
    assert (ended.total, ended.done, ended.failed) == (2, 2, 0)
    assert await room.pauses(mine) == [None, None]
    assert await room.control.running("default", section, RESUME) == {*mine}


async def test_the_same_id_again_is_the_same_operation(room: Room, section: str) -> None:
    [name] = await room.enrol(section, 1)
    order = order_of(section)
    begun = await room.begin(order)
    again = await room.begin(order)
    assert (again.id, again.started_ms) == (begun.id, begun.started_ms)
    ended = await room.ended(order, paused=1)
    await room.fleet.resume(name, ResumeRequest())
    assert (await room.begin(order)).ended_ms == ended.ended_ms
    assert await room.pauses([name]) == [None], "nobody was told again"


async def test_an_empty_section_is_told_as_well(room: Room, section: str) -> None:
    order = order_of(section)
    assert (await room.begin(order)).total == 0
    ended = await room.ended(order, paused=0)
    assert (ended.state, ended.total, ended.done, ended.failed) == (OperationState.COMPLETED, 0, 0, 0)


async def test_an_operation_is_found_in_its_own_section_only(room: Room, section: str) -> None:
    order = order_of(section)
    await room.begin(order)
    assert await room.control.progress("default", section, "no-such-one") is None
    assert await room.control.progress("other", section, order.operation_id) is None
    assert await room.control.progress("default", f"{section}-b", order.operation_id) is None
    assert await room.control.progress("default", section, order.operation_id) is not None


async def test_who_asks_sees_an_operation_that_still_runs(room: Room, section: str) -> None:
    room.slowly()
    order = order_of(section)
    assert await room.control.under_way("default", section) is None
    begun = await room.begin(order)
    assert (begun.state, begun.ended_ms) == (OperationState.RUNNING, None)
    await eventually(lambda: is_under_way(room, section, order.operation_id), 2)
    assert await room.control.under_way("default", section[:-1]) is None
    assert await room.control.under_way("other", section) is None


async def is_under_way(room: Room, section: str, operation_id: str) -> bool:
    return await room.control.under_way("default", section) == operation_id


async def test_a_chamber_that_is_paused_in_temporal_itself_is_not_told(room: Room, section: str) -> None:
    held, free = await room.enrol(section, 2)
    await room.fleet.status(held)
    await room.hold(held)
    await eventually(lambda: only(room, section, {free}))
    order = order_of(section)
    await room.begin(order)
    ended = await room.ended(order, paused=1)
    assert (ended.total, ended.done) == (1, 1)


async def only(room: Room, section: str, wanted: set[str]) -> bool:
    return await room.control.running("default", section) == wanted


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
@pytest.mark.parametrize("name", ['x" OR ChamberSection="y', "X", "", "a b", "a" * 64, "ä", "x\n"])
async def test_a_name_that_could_end_its_quotes_is_refused(room: Room, ask: Ask, name: str) -> None:
    for organization, section in ((name, "a"), ("a", name)):
        with pytest.raises(InvalidFieldError):
            await ask(room.control, organization, section, "1")


@pytest.mark.parametrize("name", ["", "a/b", 'a"', "a" * 65, "ä"])
async def test_an_operation_id_that_cannot_be_one_is_refused(room: Room, section: str, name: str) -> None:
    order = replace(order_of(section), operation_id=name)
    with pytest.raises(InvalidFieldError, match="operation_id"):
        await room.begin(order)
    with pytest.raises(InvalidFieldError, match="operation_id"):
        await room.control.progress("default", section, name)


async def test_a_server_that_is_full_is_away_until_it_is_not(client: Client, section: str) -> None:
    control = TemporalSections(client)
    begun: list[SectionOrder] = []

    async def begin_many() -> None:
        for number in range(11):
            begun.append(order_of(f"{section}-{number}"))
            for _ in range(2):
                await control.begin(begun[-1], frozenset())

    with pytest.raises(EngineAwayError, match="as many as it may"):
        await begin_many()
    assert len(begun) > 1
    late = begun[-1]
    await eventually(lambda: has_begun(control, late))


async def test_a_workflow_that_somebody_else_gave_such_an_id_is_none(client: Client, section: str) -> None:
    await client.start_workflow("Nobodys", id=f"section/default/{section}/1", task_queue="nobody")
    assert await TemporalSections(client).progress("default", section, "1") is None


async def has_begun(control: SectionControl, order: SectionOrder) -> bool:
    try:
        return (await control.begin(order, frozenset())).state is OperationState.COMPLETED
    except EngineAwayError:
        return False


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
@pytest.mark.parametrize("kind", ["memory", "temporal"])
async def test_temporal_away_is_said_so(kind: str, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "memory":
        twin = InMemoryFleet(SystemClock(), reading_of)
        twin.away = True
        control: SectionControl = InMemorySectionControl(twin, SystemClock())
    else:
        monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
        control = TemporalSections(await connect_lazily())
    with pytest.raises(EngineAwayError):
        await ask(control, "default", "anywhere", "1")
