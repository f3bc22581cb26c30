"""The chamber workflow on the time-skipping server: slots, pauses, new grids, continue-as-new, retirement."""

import asyncio
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from collector import wire
from collector.domain.instants import iso
from collector.domain.outcome import Change, Epoch, EpochEnd, Gap, GapReason, PauseEnd
from collector.messages import (
    ChamberStatus,
    CollectRequest,
    ConfigureRequest,
    PauseRequest,
    ResumeRequest,
    RetireRequest,
    RoundOutcome,
    RoundRequest,
)
from tests.workflow.stage import Doubles, Stage, spec, staged
from workflows.chamber import ChamberWorkflow
from workflows.presentation import STATUS


async def events_between_rounds(stage: Stage) -> list[int]:
    """Numbers of events from one round's end to the next one's."""
    ends: list[int] = []
    scheduled: set[int] = set()
    async for event in stage.handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            attributes = event.activity_task_scheduled_event_attributes
            if attributes.activity_type.name == wire.COLLECT:
                scheduled.add(event.event_id)
        if event.activity_task_completed_event_attributes.scheduled_event_id in scheduled:
            ends.append(event.event_id)
    return [b - a for a, b in pairwise(ends)]


async def test_a_slow_chamber_collects_every_slot_for_eleven_events_each(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("slow", 60)) as stage:
        await stage.pass_s(20 * 60)
        slots = stage.doubles.slots
        assert len(slots) >= 20
        assert slots == [stage.state.next_ms + i * 60_000 for i in range(len(slots))]
        costs = await events_between_rounds(stage)
        assert set(costs[1:]) == {11}


async def test_a_fast_chamber_costs_far_below_an_event_a_reading(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("fast", 1)) as stage:
        await stage.pass_s(1500)
        slots, rounds = stage.doubles.slots, stage.doubles.rounds
        assert slots == [stage.state.next_ms + i * 1000 for i in range(len(slots))]
        whole = [r.count for r in rounds[1:]]
        assert set(whole) == {300}
        assert max(await events_between_rounds(stage)) / 300 <= 0.3


async def test_a_long_round_follows_the_one_before_without_a_timer(env: WorkflowEnvironment) -> None:
    def one_slot(request: RoundRequest) -> RoundOutcome:
        next_ms = request.first_ms + request.spec.interval_ms
        return RoundOutcome(next_ms, [], request.health.succeeded(request.first_ms), 1)

    async with staged(env, spec("following", 5), Doubles(answer=one_slot)) as stage:
        await stage.pass_s(60)
        firsts = [r.first_ms for r in stage.doubles.rounds]
        assert [b - a for a, b in pairwise(firsts)] == [5_000] * (len(firsts) - 1)
        # the doubles do not wait for their slots: each second round is an interval early, and has to sleep
        assert {6, 11} <= set((await events_between_rounds(stage))[2:])


async def test_pause_by_signal_stops_and_resume_goes_on_on_the_same_grid(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("paused", 60)) as stage:
        await stage.pass_s(140)
        await stage.pass_slot()
        await stage.handle.signal(wire.SIGNAL_PAUSE, {"reason": "door", "by": "lab"})
        await stage.pass_s(600)
        before = list(stage.doubles.slots)
        status = await stage.handle.query(wire.QUERY_STATUS, result_type=ChamberStatus)
        assert (status.status, status.next_slot_ms) == ("paused", None)
        assert status.pause is not None
        assert (status.pause.reason, status.pause.by) == ("door", "lab")
        described = await stage.handle.describe()
        assert described.typed_search_attributes[STATUS] == "paused"
        run = Gap(before[-1] + 60_000, None, GapReason.PAUSED, "door", "lab")
        assert run in stage.doubles.saved
        assert Change(1, "pause", "door", "lab", None, run.first_ms) in stage.doubles.saved
        await stage.handle.signal(wire.SIGNAL_RESUME)
        await stage.pass_s(200)
        after = stage.doubles.slots[len(before) :]
        assert (after[0] - before[-1]) % 60_000 == 0
        assert after[0] - before[-1] >= 600_000
        assert PauseEnd(run.first_ms, after[0] - 60_000) in stage.doubles.saved
        assert (await stage.handle.describe()).typed_search_attributes[STATUS] == "collecting"


async def test_a_pause_ends_by_itself(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("until", 60)) as stage:
        await stage.pass_slot()
        await stage.pass_slot()
        until = await stage.now_ms() + 300_000
        await stage.handle.signal(wire.SIGNAL_PAUSE, {"until": iso(until)})
        await stage.pass_s(600)
        slots = stage.doubles.slots
        steps = Counter(b - a for a, b in pairwise(slots))
        assert max(steps) in (300_000, 360_000)
        assert all(step % 60_000 == 0 for step in steps)
        assert not [s for s in slots if stage.state.next_ms + 120_000 < s < until]


async def test_an_update_cuts_a_running_round_at_the_slot_in_hand(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("cut", 5), Doubles(held=True)) as stage:
        with env.auto_time_skipping_disabled():
            async with asyncio.timeout(20):
                await stage.doubles.begun.wait()
                answer = await stage.ask("pause_chamber", PauseRequest("door", "key/1", None, version=2))
        first = stage.doubles.rounds[0].first_ms
        assert answer.since_ms == first + 5_000
        status = await stage.handle.query(ChamberWorkflow.status)
        assert (status.status, status.version) == ("paused", 2)


async def test_a_new_interval_opens_an_epoch_and_no_slot_repeats(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("regrid", 60)) as stage:
        await stage.pass_s(240)
        await stage.pass_slot()
        wanted = spec("regrid", 90, version=2)
        answer = await stage.ask("configure", ConfigureRequest(wanted))
        again = await stage.ask("configure", ConfigureRequest(wanted))
        assert again == answer
        old = list(stage.doubles.slots)
        await stage.pass_s(600)
        new = stage.doubles.slots[len(old) :]
        assert new[0] == answer.first_slot_ms == wanted.grid.after(answer.first_slot_ms - 1)
        assert all(b - a == 90_000 for a, b in pairwise(new))
        assert new[0] > old[-1]
        epochs = [o for o in stage.doubles.saved if isinstance(o, Epoch)]
        grid = wanted.grid
        assert [replace(e, decided_ms=0) for e in epochs] == [Epoch(new[0], 90_000, grid.phase_ms, 2, old[-1])]


async def test_a_refused_configuration_leaves_no_event(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("refused", 60)) as stage:
        await stage.pass_slot()
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await stage.ask("configure", ConfigureRequest(spec("refused", 0.2, version=2)))
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.type == wire.INVALID
        assert "interval_s" in str(refused.value.cause)
        history = await stage.handle.fetch_history()
        assert not [e for e in history.events if e.HasField("workflow_execution_update_accepted_event_attributes")]


async def test_an_interval_by_signal_is_written_back(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("signalled", 60)) as stage:
        await stage.pass_slot()
        await stage.handle.signal(wire.SIGNAL_SET_INTERVAL, 120)
        await stage.pass_s(600)
        assert Change(1, "set_interval", interval_ms=120_000) in stage.doubles.saved
        status = await stage.handle.query(ChamberWorkflow.status)
        assert (status.interval_ms, status.version) == (120_000, 2)


async def test_a_change_that_lost_is_shown_and_keeps_the_version(env: WorkflowEnvironment) -> None:
    lost = "pause lost: the row is at version 7"
    async with staged(env, spec("loser", 60), Doubles(lost=[lost]), soon=False) as stage:
        await stage.handle.signal(wire.SIGNAL_PAUSE)
        await stage.pass_s(30)
        status = await stage.handle.query(ChamberWorkflow.status)
        assert status.version == 1
        assert any(lost in note for note in status.notes)


async def test_collect_now_is_off_the_grid_and_two_callers_share_it(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("adhoc", 60), soon=False) as stage:
        await stage.pass_slot()
        asked = [stage.ask("collect_reading", CollectRequest(f"r{n}")) for n in range(2)]
        first, second = await asyncio.gather(*asked)
        assert first == second
        assert first.stored
        assert len(stage.doubles.adhoc) == 1
        await stage.pass_s(300)
        slots = stage.doubles.slots
        assert slots == [stage.state.next_ms + i * 60_000 for i in range(len(slots))]


async def test_collect_now_while_paused_needs_force(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("forced", 60), soon=False) as stage:
        await stage.ask("pause_chamber", PauseRequest("door", version=2))
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await stage.ask("collect_reading", CollectRequest("a"))
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.type == wire.CONFLICT
        answer = await stage.ask("collect_reading", CollectRequest("b", force=True))
        assert answer.stored


async def test_continue_as_new_carries_everything(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("long", 60), cycles_per_run=5) as stage:
        await stage.pass_s(25 * 60)
        await stage.pass_slot()
        await stage.handle.signal(wire.SIGNAL_PAUSE, {"reason": "door"})
        await stage.pass_s(600)
        await stage.handle.signal(wire.SIGNAL_RESUME)
        await stage.pass_s(10 * 60)
        slots = stage.doubles.slots
        assert len(slots) == len(set(slots)) >= 30
        assert all((s - stage.state.next_ms) % 60_000 == 0 for s in slots)
        latest = env.client.get_workflow_handle(wire.workflow_id("long"))
        status = await latest.query(ChamberWorkflow.status)
        assert status.run_number >= 5
        assert status.status == "collecting"
        await latest.terminate("the test is over")


async def test_what_the_store_refused_is_drained_beside_the_loop(env: WorkflowEnvironment) -> None:
    doubles = Doubles(refuse=True)
    async with staged(env, spec("backlog", 60), doubles) as stage:
        await stage.pass_s(10 * 60)
        latest = env.client.get_workflow_handle(wire.workflow_id("backlog"))
        status = await latest.query(ChamberWorkflow.status)
        assert status.unsaved >= 9
        doubles.refuse = False
        await stage.pass_s(10 * 60)
        status = await latest.query(ChamberWorkflow.status)
        assert status.unsaved == 0
        kept = {o.slot_ms for o in doubles.saved if not isinstance(o, Gap) and hasattr(o, "slot_ms")}
        refused = {s for s in doubles.slots if s <= max(kept)}
        assert refused == kept
        await latest.terminate("the test is over")


async def test_slots_that_nobody_collected_travel_as_one_missed_run(env: WorkflowEnvironment) -> None:
    now = round((await env.get_current_time()).timestamp() * 1000)
    old = spec("late", 60).grid.at_or_before(now - 3_600_000)
    doubles = Doubles()
    async with staged(env, spec("late", 60), doubles, first_ms=old, lost_through_ms=old + 600_000) as stage:
        await stage.pass_s(200)
    gaps = [o for o in doubles.saved if isinstance(o, Gap)]
    assert [g.reason for g in gaps] == [GapReason.LOST, GapReason.MISSED]
    assert (gaps[0].first_ms, gaps[0].last_ms) == (old, old + 600_000)
    assert (gaps[1].first_ms, gaps[1].last_ms) == (old + 660_000, doubles.slots[0] - 60_000)


async def test_retiring_ends_epoch_and_workflow_once_all_is_stored(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("retired", 60)) as stage:
        await stage.pass_s(140)
        await stage.pass_slot()
        answer = await stage.ask("retire", RetireRequest("moved out", "key/1"))
        reason = await stage.handle.result()
        assert reason == "moved out key/1"
        assert stage.doubles.saved[-1] == EpochEnd(answer.last_slot_ms)
        assert answer.last_slot_ms == stage.doubles.slots[-1]
        assert stage.doubles.settled[-1] >= answer.last_slot_ms


async def test_a_cancel_from_the_web_ui_becomes_a_retirement(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("cancelled", 60)) as stage:
        await stage.pass_s(140)
        await stage.pass_slot()
        await stage.handle.cancel()
        assert (await stage.handle.result()).startswith("cancelled")
        assert isinstance(stage.doubles.saved[-1], EpochEnd)


async def test_a_round_that_ends_without_an_answer_is_asked_for_again(env: WorkflowEnvironment) -> None:
    seen: list[bool] = []

    def answer(request: RoundRequest) -> RoundOutcome:
        seen.append(request.verify)
        if len(seen) == 1:
            raise ApplicationError("a defect of the worker", non_retryable=True)
        return RoundOutcome(request.first_ms + 60_000, [], request.health.succeeded(request.first_ms), 1)

    async with staged(env, spec("verify", 60), Doubles(answer=answer)) as stage:
        await stage.pass_s(300)
        rounds = stage.doubles.rounds
        assert seen[:3] == [False, True, False]
        assert rounds[0].first_ms == rounds[1].first_ms
        status = await stage.handle.query(ChamberWorkflow.status)
        assert any("ended without an answer" in note for note in status.notes)


async def test_resume_by_update_answers_with_the_first_slot(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("resumed", 60), soon=False) as stage:
        await stage.ask("pause_chamber", PauseRequest("door", version=2))
        await stage.pass_s(500)
        before = len(stage.doubles.slots)  # the first slot may have been in hand when the pause came
        answer = await stage.ask("resume_chamber", ResumeRequest("key/1", 3))
        await stage.pass_s(100)
        assert stage.doubles.slots[before] == answer.first_slot_ms
        assert (await stage.handle.query(ChamberWorkflow.status)).version == 3
