"""The clock of a real Temporal server, and a whole worker whose own clock is set wrong and right again."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client

from adapters.clock import SystemClock
from adapters.temporal_clock import TemporalServerClock
from adapters.temporal_rounds import TemporalRounds
from collector import wire
from collector.domain.errors import EngineAwayError
from collector.messages import ChamberState
from stack.ports import free_port
from stack.server import Server
from stack.temporal import start_temporal
from tests.unit.round_stage import chamber
from workers.__main__ import _poll
from workers.settings import WorkerSettings
from workflows.chamber import ChamberWorkflow

NOWHERE = SecretStr("postgresql://nobody@127.0.0.1:1/none")
pytestmark = pytest.mark.timeout(120)


class SetClock(SystemClock):
    """The machine's clock, and somebody who sets it."""

    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


@pytest_asyncio.fixture
async def client(server: Server) -> Client:
    return await Client.connect(server.address)


async def test_each_look_at_the_servers_clock_is_a_new_one_and_bounded(client: Client) -> None:
    clock = SystemClock()
    server_clock = TemporalServerClock(client, clock)
    wall_ms = clock.now_ms() - clock.monotonic_ms()  # the server runs on this machine, and so on this clock
    seen = [await server_clock.read() for _ in range(5)]
    for look in seen:
        assert look.after_ms + wall_ms - 5 <= look.server_ms <= look.before_ms + wall_ms + 5
        assert look.before_ms - look.after_ms < 2_000
    instants = [look.server_ms for look in seen]
    assert instants == sorted(set(instants))


async def test_looks_at_once_are_told_apart_and_start_nothing(client: Client) -> None:
    server_clock = TemporalServerClock(client, SystemClock())
    await asyncio.gather(*(server_clock.read() for _ in range(5)))
    assert (await client.count_workflows('TaskQueue="chamberlog-clock"')).count == 0


async def test_a_server_that_is_away_is_said_to_be_within_seconds(tmp_path: Path) -> None:
    passing = start_temporal(tmp_path / "temporal")
    client = await Client.connect(passing.address)
    passing.stop()
    began = time.monotonic()
    with pytest.raises(EngineAwayError, match="the server's clock"):
        await TemporalServerClock(client, SystemClock()).read()
    assert time.monotonic() - began < 10


# ---- a whole worker


@pytest_asyncio.fixture
async def worker(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator["RunningWorker"]:
    for name in [name for name in os.environ if name.startswith(("TEMPORAL_", "CHAMBERLOG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    running = RunningWorker()
    yield running
    running.stop.set()
    await running.work


class RunningWorker:
    """`python -m workers` in this process, with a clock that can be set; its database is away."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.stop, self.polls = asyncio.Event(), asyncio.Event()
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        settings = WorkerSettings(postgres=NOWHERE, metrics_port=port)
        self.work = asyncio.create_task(_poll(settings, ChamberWorkflow, self.clock, self.stop, self.polls))

    async def says(self, expected: Callable[[str], bool], within_s: float = 20.0) -> str:
        """The first such answer of `/readyz`."""
        deadline = time.monotonic() + within_s
        async with httpx.AsyncClient() as http:
            while True:
                answer = await self._ask(http)
                if expected(answer):
                    return answer
                assert time.monotonic() < deadline, f"it still says {answer!r}"
                assert not self.work.done(), self.work.result()
                await asyncio.sleep(0.1)

    async def skew_s(self) -> float:
        """As `/metrics` shows it."""
        async with httpx.AsyncClient() as http:
            text = (await http.get(self._url + "/metrics")).text
        return float(next(x for x in text.splitlines() if x.startswith("chamberlog_clock_skew_seconds")).split()[-1])

    async def _ask(self, http: httpx.AsyncClient) -> str:
        try:
            return (await http.get(self._url + "/readyz")).text
        except httpx.ConnectError:
            return "nothing"


def ready(answer: str) -> bool:
    return answer == "ready\n"


def wrong(answer: str) -> bool:
    return "clock is" in answer


class RunningChamber:
    """A chamber whose device is nowhere: every slot becomes a gap that travels."""

    def __init__(self, client: Client) -> None:
        self._handle = client.get_workflow_handle(wire.workflow_id(SPEC.id))

    async def in_hand(self) -> bool:
        """Whether a worker carries a round of it."""
        described = await self._handle.describe()
        return any(pending.last_worker_identity for pending in described.raw_description.pending_activities)

    async def at_rest(self) -> bool:
        return not await self.in_hand()

    async def details(self) -> str:
        found: WorkflowMetadata = await self._handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return found.current_details


SPEC = chamber(5, url="http://127.0.0.1:1/now")


async def start_chamber(client: Client) -> RunningChamber:
    state = ChamberState(SPEC, SPEC.grid.at_or_after(SystemClock().now_ms()))
    await client.start_workflow(ChamberWorkflow.run, state, id=wire.workflow_id(SPEC.id), task_queue=wire.TASK_QUEUE)
    return RunningChamber(client)


async def beats_after(client: Client, instant_ms: int) -> bool:
    """Whether a worker gave a sign of life since."""
    return max((await TemporalRounds(client).signs_of_life()).beats.values(), default=0) > instant_ms


async def eventually(what: Callable[[], Awaitable[bool]], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not await what():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.1)


async def test_a_worker_hands_its_rounds_back_while_its_clock_is_wrong_and_goes_on_when_it_is_right(
    client: Client, worker: RunningWorker, caplog: pytest.LogCaptureFixture
) -> None:
    await worker.says(ready)
    room = await start_chamber(client)
    await eventually(room.in_hand)

    worker.clock.ahead_ms = 7_200
    said = await worker.says(wrong)  # a busy machine takes its time between the two clocks
    assert re.fullmatch(r"not ready: this machine's clock is 7\.[1-4] s ahead of Temporal's\n", said), said
    assert 7.0 < await worker.skew_s() < 7.5
    await eventually(room.at_rest)

    async def refused() -> bool:
        return bool(errors())

    def errors() -> list[str]:
        return [r.getMessage() for r in caplog.records if r.name == "workers.polling" and r.levelname == "ERROR"]

    await eventually(refused)
    assert len(errors()) == 1
    assert errors()[0].startswith("this machine's clock is 7.2 s ahead of Temporal's: this worker takes no rounds")

    worker.clock.ahead_ms = 0
    await worker.says(ready)
    right_ms = SystemClock().now_ms()
    await eventually(room.in_hand)
    await eventually(lambda: beats_after(client, right_ms))
    assert -0.5 < await worker.skew_s() < 0.5
    assert "the worker's clock is 7.2 s ahead of Temporal's" in await room.details()


async def test_a_worker_that_starts_with_a_wrong_clock_takes_nothing_and_can_be_stopped(
    client: Client, worker: RunningWorker
) -> None:
    worker.clock.ahead_ms = -60_000
    assert await worker.says(wrong) == "not ready: this machine's clock is 60.0 s behind Temporal's\n"
    assert not worker.polls.is_set()
    worker.stop.set()
    await asyncio.wait_for(worker.work, 10)
