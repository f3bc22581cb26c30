"""`FleetControl`: one suite over the twin and over a real Temporal server."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.worker import Worker

from adapters.clock import SystemClock
from adapters.memory_fleet import InMemoryFleet
from adapters.temporal_client import connect, connect_lazily, register_search_attributes
from adapters.temporal_control import TemporalFleet
from adapters.temporal_runs import TemporalRuns
from collector import wire
from collector.domain.chamber import Pause
from collector.domain.errors import (
    DeviceTimeoutError,
    EngineAwayError,
    InvalidFieldError,
    NotFoundError,
    RejectedError,
)
from collector.domain.outcome import Gap, GapReason, Outcome
from collector.messages import (
    CollectRequest,
    ConfigureRequest,
    PauseRequest,
    ResumeRequest,
    RetireRequest,
    RoundOutcome,
    RoundRequest,
    StoreOutcome,
    StoreRequest,
)
from collector.packing import Packed, unpack
from collector.ports import ChamberRun, FleetControl
from stack.server import Server
from tests.contract.fleet_rooms import (
    DUMB,
    HOUR_MS,
    Room,
    memory_room,
    now_ms,
    reading_of,
    record,
    registered,
    temporal_room,
)
from workflows.chamber import ChamberWorkflow

Ask = Callable[[FleetControl, str], Awaitable[object]]
TO_ONE_CHAMBER: dict[str, Ask] = {
    "pause": lambda fleet, name: fleet.pause(name, PauseRequest("door")),
    "resume": lambda fleet, name: fleet.resume(name, ResumeRequest()),
    "configure": lambda fleet, name: fleet.configure(name, ConfigureRequest(record(name, version=2).spec)),
    "collect": lambda fleet, name: fleet.collect(name, CollectRequest(uuid4().hex), 5_000),
    "retire": lambda fleet, name: fleet.retire(name, RetireRequest()),
    "status": lambda fleet, name: fleet.status(name),
    "begin again": lambda fleet, name: fleet.begin_again(record(name)),
}
TO_ANY: dict[str, Ask] = {
    **TO_ONE_CHAMBER,
    "start": lambda fleet, name: fleet.start(record(name)),
    "ping": lambda fleet, _: fleet.ping(),
}


@pytest_asyncio.fixture
async def client(server: Server) -> Client:
    return await registered(server)


@pytest_asyncio.fixture(params=["memory", "temporal"])
async def room(request: pytest.FixtureRequest) -> AsyncIterator[Room]:
    if request.param == "memory":
        yield memory_room()
        return
    server: Server = request.getfixturevalue("server")
    client = await registered(server)
    async with temporal_room(client) as opened:
        yield opened


@pytest.fixture
def name() -> str:
    """A chamber that no other test has met."""
    return f"c-{uuid4().hex[:12]}"


async def test_a_started_chamber_waits_for_its_first_slot(room: Room, name: str) -> None:
    row = record(name)
    await room.fleet.start(row)
    status = await room.fleet.status(name)
    assert (status.id, status.status, status.next_slot_ms) == (name, "starting", row.first_slot_ms)
    assert (status.version, status.interval_ms, status.pause, status.unsaved) == (1, HOUR_MS, None, 0)


async def test_starting_again_leaves_the_running_one_alone(room: Room, name: str) -> None:
    await room.fleet.start(record(name))
    await room.fleet.start(record(name, version=7, interval_ms=2 * HOUR_MS))
    status = await room.fleet.status(name)
    assert (status.version, status.interval_ms) == (1, HOUR_MS)


async def test_a_chamber_starts_behind_what_is_settled_and_with_the_pause_of_its_row(room: Room, name: str) -> None:
    row = record(name)
    settled_ms = row.first_slot_ms + 5 * HOUR_MS
    await room.fleet.start(replace(row, settled_through_ms=settled_ms))
    assert (await room.fleet.status(name)).next_slot_ms == settled_ms + HOUR_MS

    other, pause = f"{name}-b", Pause(row.first_slot_ms, "door", "key/1")
    await room.fleet.start(replace(record(other), pause=pause))
    status = await room.fleet.status(other)
    assert (status.status, status.next_slot_ms) == ("paused", None)
    assert status.pause is not None
    assert (status.pause.reason, status.pause.by) == ("door", "key/1")


async def test_pause_and_resume_answer_with_the_slots_they_take_effect_at(room: Room, name: str) -> None:
    row = record(name)
    await room.fleet.start(row)
    until_ms = now_ms() + 10 * HOUR_MS
    answer = await room.fleet.pause(name, PauseRequest("door", "key/1", until_ms, 2))
    assert answer.since_ms == row.first_slot_ms
    status = await room.fleet.status(name)
    assert status.status == "paused"
    assert status.pause is not None
    assert (status.pause.reason, status.pause.by, status.pause.until_ms) == ("door", "key/1", until_ms)
    again = await room.fleet.pause(name, PauseRequest("door", "key/1", until_ms, 2))
    assert again == answer

    resumed = await room.fleet.resume(name, ResumeRequest("key/1", 3))
    assert resumed.first_slot_ms == row.first_slot_ms
    status = await room.fleet.status(name)
    assert (status.status, status.pause, status.next_slot_ms) == ("starting", None, row.first_slot_ms)


async def test_configure_answers_with_the_first_slot_of_the_new_grid_and_an_old_version_changes_nothing(
    room: Room, name: str
) -> None:
    row = record(name)
    await room.fleet.start(row)
    wanted = replace(row.spec, interval_ms=HOUR_MS // 2, version=2)
    answer = await room.fleet.configure(name, ConfigureRequest(wanted))
    assert wanted.grid.at_or_after(answer.first_slot_ms) == answer.first_slot_ms > now_ms()
    again = await room.fleet.configure(name, ConfigureRequest(replace(wanted, interval_ms=2 * HOUR_MS, version=1)))
    assert again == answer
    status = await room.fleet.status(name)
    assert (status.version, status.interval_ms) == (2, HOUR_MS // 2)


async def test_another_chambers_spec_is_invalid(room: Room, name: str) -> None:
    await room.fleet.start(record(name))
    with pytest.raises(RejectedError) as refused:
        await room.fleet.configure(name, ConfigureRequest(record("somebody-else", version=2).spec))
    assert refused.value.kind == wire.INVALID


async def test_collect_answers_with_the_reading_and_the_same_request_with_the_same_one(room: Room, name: str) -> None:
    await room.fleet.start(record(name))
    request = CollectRequest(uuid4().hex)
    first = await room.fleet.collect(name, request, 10_000)
    assert first.stored
    assert first.outcome["kind"] == "reading"
    assert first.outcome["values"] == [21.5]
    assert await room.fleet.collect(name, request, 10_000) == first


async def test_a_paused_chamber_collects_only_by_force(room: Room, name: str) -> None:
    await room.fleet.start(record(name))
    await room.fleet.pause(name, PauseRequest("door"))
    with pytest.raises(RejectedError) as refused:
        await room.fleet.collect(name, CollectRequest(uuid4().hex), 10_000)
    assert refused.value.kind == wire.CONFLICT
    assert (await room.fleet.collect(name, CollectRequest(uuid4().hex, force=True), 10_000)).stored


async def test_a_device_that_does_not_answer_in_time_is_a_time_out(room: Room) -> None:
    await room.fleet.start(record(DUMB))
    with pytest.raises(DeviceTimeoutError):
        await room.fleet.collect(DUMB, CollectRequest(uuid4().hex), 500)


async def test_a_retired_chamber_answers_with_its_last_slot_and_is_gone(room: Room, name: str) -> None:
    row = record(name)
    await room.fleet.start(row)
    answer = await room.fleet.retire(name, RetireRequest("sold", "key/1"))
    assert answer.last_slot_ms == row.first_slot_ms - HOUR_MS
    with pytest.raises((NotFoundError, RejectedError)):
        await room.fleet.pause(name, PauseRequest("door"))


async def test_a_chamber_marked_as_retiring_ends_once_it_is_started(room: Room, name: str) -> None:
    await room.fleet.start(replace(record(name), status="retiring"))
    with pytest.raises((NotFoundError, RejectedError)):
        await room.fleet.pause(name, PauseRequest("door"))


@pytest.mark.parametrize("ask", TO_ONE_CHAMBER.values(), ids=TO_ONE_CHAMBER)
async def test_a_chamber_that_does_not_run_is_not_found(room: Room, name: str, ask: Ask) -> None:
    with pytest.raises(NotFoundError):
        await ask(room.fleet, name)
    await room.fleet.start(record(name))
    await room.terminate(name)
    with pytest.raises(NotFoundError):
        await ask(room.fleet, name)


async def test_a_terminated_chamber_can_be_started_again(room: Room, name: str) -> None:
    await room.fleet.start(record(name))
    await room.terminate(name)
    await room.fleet.start(record(name, version=4))
    assert (await room.fleet.status(name)).version == 4


@pytest.mark.parametrize("ask", TO_ANY.values(), ids=TO_ANY)
@pytest.mark.parametrize("kind", ["memory", "temporal"])
async def test_temporal_away_is_said_so(kind: str, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "memory":
        twin = InMemoryFleet(SystemClock(), reading_of)
        twin.away = True
        fleet: FleetControl = twin
    else:
        monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{closed_port()}")
        fleet = TemporalFleet(await connect_lazily())
    with pytest.raises(EngineAwayError):
        await ask(fleet, "anyone")


async def test_who_lists_chambers_sees_their_versions(room: Room, name: str) -> None:
    await room.fleet.start(record(name, version=3))
    await room.fleet.configure(name, ConfigureRequest(record(name, version=5).spec))
    await eventually(room, ChamberRun(name, 5))
    assert await room.runs.trouble(name) == ""
    await room.terminate(name)
    await eventually(room, None, name)
    assert await room.runs.trouble(name) is None


async def test_a_chamber_begins_again_from_its_row(room: Room, name: str) -> None:
    await room.fleet.start(record(name, version=7, interval_ms=2 * HOUR_MS))
    row = replace(record(name, version=2), pause=Pause(now_ms() + HOUR_MS, "door", "key/1"))

    answer = await room.fleet.begin_again(row)

    assert answer.first_slot_ms == row.first_slot_ms
    await eventually(room, ChamberRun(name, 2))
    status = await room.fleet.status(name)
    assert (status.version, status.interval_ms, status.status) == (2, HOUR_MS, "paused")
    assert status.settled_ms is not None
    assert status.settled_ms <= row.settled_through_ms


async def eventually(room: Room, wanted: ChamberRun | None, name: str = "") -> None:
    """Temporal's list is a little behind."""
    for _ in range(100):
        listed = await room.runs.open()
        found = next((r for r in listed if r.chamber_id == (name or (wanted and wanted.chamber_id))), None)
        if found == wanted:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{found} is listed instead of {wanted}")


async def test_without_a_worker_a_status_is_away_within_seconds(client: Client, name: str) -> None:
    fleet = TemporalFleet(client)
    await fleet.start(record(name))
    with pytest.raises(EngineAwayError):
        await fleet.status(name)
    await client.get_workflow_handle(wire.workflow_id(name)).terminate()


@pytest.mark.parametrize("ask", [v for k, v in TO_ONE_CHAMBER.items() if k in ("pause", "status", "collect")])
async def test_a_natively_paused_chamber_is_refused_with_its_remedy(client: Client, name: str, ask: Ask) -> None:
    async with temporal_room(client) as room:
        await room.fleet.start(record(name))
        await room.fleet.status(name)
        request = PauseWorkflowExecutionRequest(namespace="default", workflow_id=wire.workflow_id(name), reason="x")
        await client.workflow_service.pause_workflow_execution(request)
        with pytest.raises(RejectedError, match="temporal workflow unpause") as refused:
            await ask(room.fleet, name)
        assert refused.value.kind == wire.CONFLICT
        await room.terminate(name)


async def test_slots_up_to_the_end_of_the_run_before_are_lost(client: Client, name: str) -> None:
    began_ms = now_ms() - 5 * HOUR_MS
    row = replace(record(name), settled_through_ms=began_ms, first_slot_ms=began_ms)

    @activity.defn(name=wire.COLLECT)
    async def collect(request: RoundRequest) -> RoundOutcome:
        take(request.before)  # where a slot is due just now, what came before it travels with its round
        return RoundOutcome(request.first_ms + request.count * request.spec.interval_ms)

    @activity.defn(name=wire.STORE)
    async def store(request: StoreRequest) -> StoreOutcome:
        take(request.outcomes)
        return StoreOutcome()

    def take(outcomes: Sequence[Packed]) -> None:
        stored.extend(map(unpack, outcomes))
        if any(isinstance(outcome, Gap) and outcome.reason is GapReason.LOST for outcome in stored):
            lost_is_told.set()

    stored: list[Outcome] = []
    lost_is_told = asyncio.Event()
    fleet = TemporalFleet(client)
    async with Worker(client, task_queue=wire.TASK_QUEUE, workflows=[ChamberWorkflow], activities=[collect, store]):
        await fleet.start(row)
        await client.get_workflow_handle(wire.workflow_id(name)).terminate()
        await fleet.start(row)
        async with asyncio.timeout(30):  # a task that went to a poll of a worker that is gone is given again after 10 s
            await lost_is_told.wait()
        await client.get_workflow_handle(wire.workflow_id(name)).terminate()
    first, last = row.spec.grid.after(began_ms), row.spec.grid.at_or_before(now_ms())
    lost = [o for o in stored if isinstance(o, Gap) and o.reason is GapReason.LOST]
    assert {(o.first_ms, o.last_ms) for o in lost} <= {(first, last), (first, last - HOUR_MS)}


async def test_a_natively_paused_chamber_is_listed_as_held(client: Client, name: str) -> None:
    await TemporalFleet(client).start(record(name))
    request = PauseWorkflowExecutionRequest(namespace="default", workflow_id=wire.workflow_id(name), reason="a test")
    await client.workflow_service.pause_workflow_execution(request)
    room = Room(TemporalFleet(client), TemporalRuns(client), _nobody)
    await eventually(room, ChamberRun(name, 1, held=True))


async def _nobody(name: str) -> None:
    raise AssertionError(name)


async def test_operators_find_a_chamber_by_its_attributes_and_its_summary(client: Client, name: str) -> None:
    await TemporalFleet(client).start(record(name, interval_ms=90_000))
    described = await client.get_workflow_handle(wire.workflow_id(name)).describe()
    found = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert found == {
        wire.SEARCH_ORGANIZATION: "default",
        wire.SEARCH_SECTION: "cold-store",
        wire.SEARCH_STATUS: "starting",
        wire.SEARCH_PROFILE: "generic-json",
        wire.SEARCH_INTERVAL_SECONDS: 90,
    }
    assert await described.static_summary() == "Incubator ä: generic-json, section cold-store of default"
    assert "- a slot every 90 s" in (await described.static_details() or "")
    await client.get_workflow_handle(wire.workflow_id(name)).terminate()


async def test_search_attributes_are_registered_once_and_another_type_is_refused(client: Client) -> None:
    await register_search_attributes(client)
    namespace = f"n-{uuid4().hex[:8]}"
    request = RegisterNamespaceRequest(namespace=namespace)
    request.workflow_execution_retention_period.FromSeconds(86_400)
    await client.workflow_service.register_namespace(request)
    elsewhere = Client(client.service_client, namespace=namespace)
    text = {wire.SEARCH_SECTION: IndexedValueType.INDEXED_VALUE_TYPE_TEXT}
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=namespace, search_attributes=text), retry=True
    )
    with pytest.raises(InvalidFieldError, match=f"{wire.SEARCH_SECTION}.*another type"):
        await register_search_attributes(elsewhere)


async def test_connecting_takes_its_address_from_the_environment_and_gives_up_in_time(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    await TemporalFleet(await connect(retry_for_s=10)).ping()
    await TemporalFleet(await connect_lazily()).ping()
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{closed_port()}")
    with pytest.raises(EngineAwayError, match="cannot be reached"):
        await connect(retry_for_s=0.5)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:99999")
    with pytest.raises(InvalidFieldError, match="TEMPORAL_ADDRESS"):
        await connect(retry_for_s=None)


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
