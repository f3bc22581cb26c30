"""Changed workflows are rolled out under a running fleet, one worker after the other, and no slot is left out."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from collector import wire
from stack.fleet import now_ms
from tests.e2e.running_fleet import RunningFleet, running_fleet, until
from tests.e2e.running_stack import code_lines
from tests.e2e.upgraded_worker import FIRST_PATCH, MEMO_FIRST, MEMO_SECOND, UndoneChamber
from workflows.chamber import ChamberWorkflow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/upgrades.md"
WORKER = "tests.e2e.upgraded_worker"
SHORT_RUNS = "limit.historyCount.suggestContinueAsNew=25"
"""A run takes up a change when it begins: here each after some rounds, and not after a day."""
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.xdist_group("upgrade")]


@pytest_asyncio.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[RunningFleet]:
    async with running_fleet(tmp_path / ".chamberlog", 8, [SHORT_RUNS]) as running:
        yield running


async def test_two_changed_workflows_are_rolled_out_without_a_gap(fleet: RunningFleet, tmp_path: Path) -> None:
    """Half of the chambers run through many runs and take both changes up, half are in the midst of a long round."""
    client = await Client.connect(fleet.layout.temporal)
    short = await fleet.enrol([1, 2, 5, 10], span_s=5)
    await fleet.enrol([1, 2, 5, 10])
    await fleet.until_collected_since(now_ms())
    from_ms = now_ms()
    assert "fits" in await replayed_as_documented(fleet, short[0], tmp_path)

    await fleet.roll(WORKER, "1")
    await until(lambda: all_run(client, short, MEMO_FIRST))
    await only_its_undoing_takes_back(await patched_history(client, short[0]))
    await fleet.roll(WORKER, "2")
    await until(lambda: all_run(client, short, MEMO_SECOND))
    await fleet.until_collected_since(now_ms())

    to_ms = now_ms()
    proof = await fleet.settled(from_ms, to_ms)
    assert proof["unaccounted"] == 0
    assert sum(proof["gaps"].values()) == 0, await fleet.gaps(from_ms, to_ms)
    assert proof["stored"] == proof["expected"] > 100
    assert "TMPRL1100" not in fleet.log("worker") + fleet.log("worker-2"), "a history did not fit its workflow"


async def replayed_as_documented(fleet: RunningFleet, chamber: str, folder: Path) -> str:
    """What docs/upgrades.md has people do with a history of their own fleet."""
    (show,), (replay,) = code_lines(PAGE, "temporal workflow show"), code_lines(PAGE, ".venv/bin/python")
    await fleet.shell(show.replace("incubator-3", chamber), folder)
    return await fleet.shell(replay.replace(".venv/bin/python tests", f"{sys.executable} {ROOT}/tests"), folder)


async def patched_history(client: Client, chamber: str) -> WorkflowHistory:
    """Of a run that has taken up the first change; the newest one may have just begun."""
    found: list[WorkflowHistory] = []

    async def marked() -> bool:
        run_id = (await chamber_handle(client, chamber).describe()).run_id
        found.append(await client.get_workflow_handle(wire.workflow_id(chamber), run_id=run_id).fetch_history())
        marks = [event for event in found[-1].events if event.HasField("marker_recorded_event_attributes")]
        return any(FIRST_PATCH.encode() in mark.SerializeToString() for mark in marks)

    await until(marked)
    return found[-1]


async def only_its_undoing_takes_back(history: WorkflowHistory) -> None:
    """What the next release has begun the former one cannot go on with, a release that undoes it can."""
    former, undoing = (
        Replayer(workflows=[workflow], workflow_runner=UnsandboxedWorkflowRunner())
        for workflow in (ChamberWorkflow, UndoneChamber)
    )
    async with asyncio.timeout(20):
        with pytest.raises(NondeterminismError):
            await former.replay_workflow(history)
        await undoing.replay_workflow(history)


async def all_run(client: Client, chambers: list[str], change: str) -> bool:
    """Whether the newest run of each has made the command of the change."""
    return all([change in await (await chamber_handle(client, id_).describe()).memo() for id_ in chambers])


def chamber_handle(client: Client, chamber: str) -> WorkflowHandle[object, object]:
    return client.get_workflow_handle(wire.workflow_id(chamber))
