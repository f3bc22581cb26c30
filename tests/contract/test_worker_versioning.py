"""Worker versioning on a real Temporal server: a running chamber moves from build to build, and no slot is left out."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
from pydantic import SecretStr
from temporalio import activity
from temporalio.api.enums.v1 import VersioningBehavior
from temporalio.client import Client

from activities.collection import CollectionActivities
from adapters.temporal_client import register_search_attributes
from collector import wire
from collector.domain.chamber import ChamberSpec
from collector.messages import ChamberState, RoundOutcome, RoundRequest
from stack.binaries import temporal_cli
from stack.server import Server
from stack.temporal import start_temporal
from tests.contract.fleet_rooms import collect_adhoc, now_ms, store
from workers.chamber_worker import make_worker
from workers.settings import WorkerSettings

DEPLOYMENT = "lab"
PAGE = (Path(__file__).parents[2] / "docs/upgrades.md").read_text()
(COMMAND,) = re.findall(r"^temporal worker deployment set-current-version .*--build-id 2\.0.*$", PAGE, re.MULTILINE)
(LEAVE,) = re.findall(r"`(temporal worker deployment set-current-version .*--unversioned.*?)`", PAGE)
SPEC = ChamberSpec(
    id="moving",
    organization="default",
    section="default",
    url="http://192.0.2.7/",
    profile="generic-json",
    interval_ms=1_000,
    timeout_ms=500,
    round_span_ms=2_000,
)
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the test's own: which build is the current one belongs to its only task queue."""
    running = start_temporal(tmp_path_factory.mktemp("versioning") / "temporal")
    yield running
    running.stop()


class Build:
    """A worker's activities: they answer at the end of the round, and remember the slots that this build was given."""

    def __init__(self) -> None:
        self.slots: list[int] = []
        self.store, self.collect_adhoc = store, collect_adhoc

    @activity.defn(name=wire.COLLECT)
    async def collect(self, request: RoundRequest) -> RoundOutcome:
        slots = [request.first_ms + place * request.spec.interval_ms for place in range(request.count)]
        await asyncio.sleep(max(0, slots[-1] - now_ms()) / 1000)
        self.slots += slots
        return RoundOutcome(slots[-1] + request.spec.interval_ms, [], request.health.succeeded(slots[-1]), len(slots))


@asynccontextmanager
async def working(server: Server, build_id: str | None) -> AsyncIterator[Build]:
    """The real worker over the double of its activities, as that build; None = without versioning."""
    build, client = Build(), await Client.connect(server.address)
    settings = WorkerSettings(
        postgres=SecretStr("postgresql://nobody@127.0.0.1:1/none"),
        deployment=None if build_id is None else DEPLOYMENT,
        build_id=build_id,
    )
    async with make_worker(client, cast("CollectionActivities", build), settings):
        yield build


async def make_current(client: Client, build_id: str | None) -> None:
    """Run the command of docs/upgrades.md; None = workers without versioning."""
    give_up = asyncio.get_running_loop().time() + 20
    while said := await refusal(client, build_id):  # its workers have begun to poll a moment ago
        assert asyncio.get_running_loop().time() < give_up, said
        await asyncio.sleep(0.2)


async def refusal(client: Client, build_id: str | None) -> str:
    """What the command said; empty when it has done it."""
    documented = (COMMAND if build_id else LEAVE).replace("2.0", build_id or "").split()
    assert documented[0] == "temporal"
    address = ["--address", client.service_client.config.target_host]
    process = await asyncio.create_subprocess_exec(
        temporal_cli(), *documented[1:], *address, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        _, errors = await process.communicate()
    return errors.decode() if process.returncode else ""


async def start_chamber(client: Client) -> None:
    await register_search_attributes(client)
    state = ChamberState(SPEC, SPEC.grid.after(now_ms()))
    await client.start_workflow(
        wire.CHAMBER_WORKFLOW, state, id=wire.workflow_id(SPEC.id), task_queue=wire.TASK_QUEUE, result_type=str
    )


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while True:
            if what():
                return
            await asyncio.sleep(0.1)


async def behavior(client: Client) -> "VersioningBehavior.ValueType":
    described = await client.get_workflow_handle(wire.workflow_id(SPEC.id)).describe()
    return described.raw_description.workflow_execution_info.versioning_info.behavior


async def test_a_running_chamber_moves_from_build_to_build_without_a_gap_and_leaves_versioning(server: Server) -> None:
    """It leaves as soon as the workers of its last build are gone, not before."""
    client = await Client.connect(server.address)
    async with working(server, None) as unversioned:
        await start_chamber(client)
        await until(lambda: len(unversioned.slots) >= 2)
        async with working(server, "1") as first:
            await make_current(client, "1")
            await until(lambda: len(first.slots) >= 4)
            assert await behavior(client) == VersioningBehavior.VERSIONING_BEHAVIOR_AUTO_UPGRADE
            async with working(server, "2") as second:
                before = len(first.slots)
                await until(lambda: len(first.slots) >= before + 4)
                assert second.slots == [], "it is not the current build yet"
                await make_current(client, "2")
                await until(lambda: len(second.slots) >= 4)
                slots = sorted(unversioned.slots + first.slots + second.slots)
                await make_current(client, None)
        left_at = max(unversioned.slots)
        await until(lambda: max(unversioned.slots) > left_at)
    assert {later - earlier for earlier, later in pairwise(slots)} == {SPEC.interval_ms}


async def test_a_current_build_of_which_no_worker_is_left_holds_its_chambers_until_another_one_is(
    server: Server,
) -> None:
    client = await Client.connect(server.address)
    async with working(server, "1") as first:
        await make_current(client, "1")
        await start_chamber(client)
        await until(lambda: first.slots != [])
        async with working(server, "2") as second:
            await make_current(client, "2")
            await until(lambda: second.slots != [])
        before = len(first.slots)
        await asyncio.sleep(3)
        assert len(first.slots) == before
        await make_current(client, "1")
        await until(lambda: len(first.slots) > before)


async def test_before_the_first_build_is_made_the_current_one_nobody_is_served(server: Server) -> None:
    client = await Client.connect(server.address)
    async with working(server, "1") as first:
        await start_chamber(client)
        await asyncio.sleep(4)
        assert first.slots == []
        await make_current(client, "1")
        await until(lambda: len(first.slots) >= 2)


async def test_a_build_that_nobody_runs_cannot_become_the_current_one(server: Server) -> None:
    client = await Client.connect(server.address)
    async with working(server, "1"):
        await make_current(client, "1")
        assert "not found" in await refusal(client, "2")
