"""A chamber that is taken back to its row: what was handed out and forgotten is lost, what only it has is kept."""

import asyncio
from dataclasses import replace

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from collector import wire
from collector.domain.chamber import Pause
from collector.domain.outcome import Gap, GapReason
from collector.messages import BeginAgainRequest, ChamberState, ChamberStatus, CollectRequest, SlotAnswer
from tests.workflow.stage import ANSWERS, Doubles, Stage, spec, staged

ANSWERS[wire.UPDATE_BEGIN_AGAIN] = SlotAnswer


async def status_of(stage: Stage) -> ChamberStatus:
    """What the chamber says of itself, whichever run it is."""
    latest = stage.env.client.get_workflow_handle(wire.workflow_id(stage.state.spec.id))
    status: ChamberStatus = await latest.query(wire.QUERY_STATUS, result_type=ChamberStatus)
    return status


async def test_forgotten_slots_are_lost_and_the_rest_goes_on(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("restored", 60)) as stage:
        await stage.pass_s(20 * 60)
        await stage.pass_slot()
        first, handed_out = stage.state.next_ms, stage.doubles.slots[-1]
        row = ChamberState(spec("restored", 60, name="as in the dump"), first + 5 * 60_000)

        answer = await stage.ask(wire.UPDATE_BEGIN_AGAIN, BeginAgainRequest(row))
        await stage.pass_s(10 * 60)

        assert answer.first_slot_ms == row.next_ms
        lost = [o for o in stage.doubles.saved if isinstance(o, Gap)]
        assert [(g.first_ms, g.reason) for g in lost] == [(row.next_ms, GapReason.LOST)]
        assert lost[0].last_ms in (handed_out, handed_out - 60_000), "the last one may still be open: it is read again"
        assert set(stage.doubles.slots) == {first + i * 60_000 for i in range(len(set(stage.doubles.slots)))}
        assert len(set(stage.doubles.slots)) >= 29
        again = next(r for r in stage.doubles.rounds if r.first_ms > lost[0].last_ms and r.verify)
        assert again.before, "the ledger is asked first, and told what was lost"
        status = await status_of(stage)
        assert (status.run_number, status.status) == (1, "collecting")


async def test_the_rows_pause_holds(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("held", 60)) as stage:
        await stage.pass_s(5 * 60)
        await stage.pass_slot()
        row = ChamberState(spec("held", 60), stage.state.next_ms, Pause(stage.state.next_ms, "door"))
        await stage.ask(wire.UPDATE_BEGIN_AGAIN, BeginAgainRequest(row))
        await stage.pass_s(5 * 60)
        assert (await status_of(stage)).status == "paused"
        assert Gap(row.next_ms, None, GapReason.PAUSED, "door") in stage.doubles.saved


async def test_a_round_that_runs_ends_at_the_slot_in_hand(env: WorkflowEnvironment) -> None:
    doubles = Doubles(held=True)
    async with staged(env, spec("cut", 1), doubles) as stage:
        await asyncio.wait_for(doubles.begun.wait(), 10)
        asking = asyncio.create_task(stage.ask(wire.UPDATE_COLLECT, CollectRequest("r1")))
        await stage.ask(
            wire.UPDATE_BEGIN_AGAIN, BeginAgainRequest(replace(stage.state, next_ms=stage.state.next_ms + 1_000))
        )
        await asyncio.wait_for(asking, 20)
        for _ in range(100):
            if (await status_of(stage)).run_number == 1 and len(doubles.rounds) > 1:
                break
            await asyncio.sleep(0.1)
        assert doubles.rounds[-1].first_ms >= doubles.slots[0]
        assert doubles.rounds[0].first_ms == doubles.slots[0]


async def test_another_chambers_row_is_refused(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("mine", 60), soon=False) as stage:
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await stage.ask(wire.UPDATE_BEGIN_AGAIN, BeginAgainRequest(ChamberState(spec("other", 60), 0)))
        assert "another chamber's row" in str(refused.value.cause)
