"""What could end a slot without outcome, or twice, in the chamber itself: cancels, backlogs, orders while it ends."""

import asyncio
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.testing import WorkflowEnvironment

from collector import wire
from collector.backlog import CHANGES_LIMIT_BYTES
from collector.domain.instants import iso
from collector.domain.outcome import Change, Epoch, EpochEnd, Gap, GapReason
from collector.messages import ChamberStatus, CollectRequest, RetireRequest
from tests.workflow.stage import Doubles, Stage, spec, staged


@dataclass
class Slow(Doubles):
    """A round that is cancelled takes until `go_on` for its slot in hand."""

    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def _until_cancelled(self) -> int:
        done = await super()._until_cancelled()
        self.cancelled.set()
        while not self.go_on.is_set():
            activity.heartbeat()
            await asyncio.sleep(0.02)
        return done


async def status_of(stage: Stage) -> ChamberStatus:
    """What the chamber says of itself."""
    latest = stage.env.client.get_workflow_handle(wire.workflow_id(stage.state.spec.id))
    status: ChamberStatus = await latest.query(wire.QUERY_STATUS, result_type=ChamberStatus)
    return status


async def test_a_cancel_while_the_slot_in_hand_ends_is_not_forgotten(env: WorkflowEnvironment) -> None:
    doubles = Slow(held=True)
    async with staged(env, spec("cut", 1), doubles) as stage:
        await asyncio.wait_for(doubles.begun.wait(), 10)
        await stage.handle.signal(wire.SIGNAL_PAUSE)
        await asyncio.wait_for(doubles.cancelled.wait(), 10)
        await stage.handle.cancel()
        await asyncio.sleep(0.3)  # the workflow has the cancel while it waits for the round
        doubles.go_on.set()

        assert (await asyncio.wait_for(stage.handle.result(), 20)).startswith("cancelled")
        assert EpochEnd(doubles.slots[-1]) in doubles.saved


async def test_a_cancel_during_collect_now_is_not_forgotten(env: WorkflowEnvironment) -> None:
    begun = asyncio.Event()

    @dataclass
    class Patient(Doubles):
        @activity.defn(name=wire.COLLECT_ADHOC)
        async def collect_adhoc(self, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as its base
            begun.set()
            await asyncio.sleep(1)
            return await super().collect_adhoc(request)

    async with staged(env, spec("asked", 60), Patient(), soon=False) as stage:
        asking = asyncio.create_task(stage.ask(wire.UPDATE_COLLECT, CollectRequest("r1")))
        await asyncio.wait_for(begun.wait(), 10)
        await stage.handle.cancel()

        assert (await asyncio.wait_for(stage.handle.result(), 20)).startswith("cancelled")
        await asyncio.gather(asking, return_exceptions=True)
        assert isinstance(stage.doubles.saved[-1], EpochEnd)


async def test_a_new_grid_during_an_outage_waits_once_and_in_its_place(env: WorkflowEnvironment) -> None:
    doubles = Doubles(refuse=True)
    async with staged(env, spec("outage", 60), doubles) as stage:
        await stage.pass_s(90)
        await stage.pass_slot()
        await stage.handle.signal(wire.SIGNAL_SET_INTERVAL, 90)
        await stage.pass_s(25 * 60)
        status = await status_of(stage)
        assert len(doubles.slots) <= status.unsaved <= len(doubles.slots) + 2, "one epoch and one change beside them"
        doubles.refuse = False
        await stage.pass_s(10 * 60)

        assert (await status_of(stage)).unsaved == 0
        slots = [o.slot_ms for o in doubles.saved if hasattr(o, "slot_ms")]
        assert slots == sorted(set(slots))
        assert [type(o) for o in doubles.saved if isinstance(o, Epoch | Change)].count(Change) == 1


async def test_nothing_follows_the_end_of_the_epoch(env: WorkflowEnvironment) -> None:
    doubles = Slow(held=True)
    async with staged(env, spec("ending", 1), doubles) as stage:
        await asyncio.wait_for(doubles.begun.wait(), 10)
        retiring = asyncio.create_task(stage.ask(wire.UPDATE_RETIRE, RetireRequest("moved")))
        await asyncio.wait_for(doubles.cancelled.wait(), 10)
        await stage.handle.signal(wire.SIGNAL_PAUSE)
        await stage.handle.signal(wire.SIGNAL_SET_INTERVAL, 5)
        await asyncio.sleep(0.3)
        doubles.go_on.set()

        last = (await retiring).last_slot_ms
        assert await stage.handle.result() == "moved"
        assert doubles.saved[-1] == EpochEnd(last)
        assert not [o for o in doubles.saved if isinstance(o, Gap) and o.reason is GapReason.PAUSED]


async def test_more_changes_than_a_state_may_hold_are_ignored_and_said_so(env: WorkflowEnvironment) -> None:
    doubles = Doubles(refuse=True)
    async with staged(env, spec("flooded", 60), doubles, soon=False) as stage:
        with env.auto_time_skipping_disabled():
            for number in range(60):
                await stage.handle.signal(wire.SIGNAL_PAUSE, {"reason": f"{number} " + "ü" * 1_000})
            status = await status_of(stage)
        assert CHANGES_LIMIT_BYTES < status.unsaved_bytes < 2 * CHANGES_LIMIT_BYTES
        assert "too many changes wait for the store" in status.notes[-1]
        assert status.status == "paused"


async def test_a_pause_that_ends_within_a_second_is_slept_through(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("brief", 60), soon=False) as stage:
        with env.auto_time_skipping_disabled():
            until_ms = await stage.now_ms() + 900
            await stage.handle.signal(wire.SIGNAL_PAUSE, {"until": iso(until_ms)})
            assert (await status_of(stage)).status == "paused"
        await stage.pass_s(300)
        assert (await status_of(stage)).status == "collecting"
        assert len(stage.doubles.slots) >= 4
