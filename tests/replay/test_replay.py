"""Stored histories replay with today's workflow, and a changed order of commands is noticed."""

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from collector import wire
from collector.domain.cadence import RoundPlan
from collector.messages import ChamberState
from tests.e2e.upgraded_worker import NextChamber, SecondChamber, UndoneChamber, UnpatchedChamber
from tests.replay.scenarios import SCENARIOS
from workflows.chamber import ChamberWorkflow

FOLDER = Path(__file__).with_name("histories")
STORED = sorted(FOLDER.glob("*.json"))


def history_of(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(wire.workflow_id(path.stem), path.read_text())


def test_every_shape_has_a_stored_history() -> None:
    assert {path.stem for path in STORED} >= set(SCENARIOS)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
async def test_a_stored_history_replays(path: Path) -> None:
    await Replayer(workflows=[ChamberWorkflow]).replay_workflow(history_of(path))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_history_names_no_machine(path: Path) -> None:
    identities = {
        value
        for event in json.loads(path.read_text())["events"]
        for attributes in event.values()
        if isinstance(attributes, dict) and (value := attributes.get("identity"))
    }
    assert identities <= {"test"}


@workflow.defn(name=wire.CHAMBER_WORKFLOW)
class ReorderedChamber(ChamberWorkflow):
    """A chamber that sleeps between plan and round: another order of commands."""

    @workflow.init
    def __init__(self, state: ChamberState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: ChamberState) -> str:
        return await super().run(state)

    async def _round(self, plan: RoundPlan) -> None:
        await workflow.sleep(5)
        await super()._round(plan)


@pytest.mark.parametrize("name", ["slow", "fast", "paused"])
async def test_a_planted_reordering_fails(name: str) -> None:
    replayer = Replayer(workflows=[ReorderedChamber], workflow_runner=UnsandboxedWorkflowRunner())
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(history_of(FOLDER / f"{name}.json"))


@pytest.mark.parametrize("release", [NextChamber, SecondChamber, UndoneChamber], ids=lambda kind: kind.__name__)
async def test_a_new_command_behind_a_patch_replays_every_stored_history(release: type[ChamberWorkflow]) -> None:
    replayer = Replayer(workflows=[release], workflow_runner=UnsandboxedWorkflowRunner())
    for path in STORED:
        await replayer.replay_workflow(history_of(path))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
async def test_a_new_command_without_a_patch_fails_on_every_stored_history(path: Path) -> None:
    replayer = Replayer(workflows=[UnpatchedChamber], workflow_runner=UnsandboxedWorkflowRunner())
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(history_of(path))
