"""What signals told a chamber reaches the audit events: once, whichever activity is next, and however long it takes."""

import asyncio
from dataclasses import asdict, dataclass, field

from temporalio.testing import WorkflowEnvironment

from adapters.memory import InMemoryEvents, InMemoryLedger
from collector import wire
from collector.domain.signals import WAITING_LIMIT_BYTES, SignalEvent
from collector.messages import RetireRequest
from collector.ports.events import Source
from collector.usecases.events import RecordEvent
from collector.usecases.signal_events import RecordSignals
from tests.workflow.stage import Doubles, Stage, spec, staged


async def told(stage: Stage, count: int) -> list[SignalEvent]:
    """What is told, as soon as it is so many."""
    for _ in range(400):
        if len(stage.doubles.told) >= count:
            break
        await asyncio.sleep(0.05)
    return list(stage.doubles.told.values())


@dataclass
class Recording(Doubles):
    """Workers with the real use case over a ledger in memory, each of whose answers is lost once."""

    ledger: InMemoryLedger = field(default_factory=InMemoryLedger)
    lost_answers: int = 0

    async def _tell(self, signals: list[SignalEvent]) -> list[str]:
        record = RecordSignals(RecordEvent(InMemoryEvents(self.ledger)))
        told = await record("default", "recorded", signals)
        if told and not self.lost_answers:
            self.lost_answers = len(told)
            return []
        return told


def words(event: SignalEvent) -> tuple[str, str, str, bool]:
    return event.signal, event.by, event.reason, event.ignored


async def test_each_signal_is_told_with_who_claims_it_and_what_came_of_it(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("told", 60), soon=False) as stage:
        await stage.pass_slot()
        began_ms = await stage.now_ms()
        order = {"reason": "door", "by": "lab", "operation": "drill-7"}
        await stage.handle.signal(wire.SIGNAL_PAUSE, order)
        await stage.pass_s(120)
        await stage.handle.signal(wire.SIGNAL_RESUME, {"by": "guard"})
        await stage.pass_slot()
        await stage.handle.signal(wire.SIGNAL_SET_INTERVAL, 90)
        await stage.pass_slot()
        events = await told(stage, 3)
        assert [words(event) for event in events] == [
            ("pause", "lab", "door", False),
            ("resume", "guard", "", False),
            ("set_interval", "", "", False),
        ]
        assert (events[0].operation, events[2].detail) == ("drill-7", "90 s")
        assert began_ms <= events[0].at_ms < events[1].at_ms < events[2].at_ms
        assert [event.key.split("/")[2] for event in events] == ["1", "2", "3"]


async def test_signals_become_audit_events_as_claimed_each_once(env: WorkflowEnvironment) -> None:
    doubles = Recording()
    async with staged(env, spec("recorded", 60), doubles, soon=False) as stage:
        await stage.pass_slot()
        at_ms = await stage.now_ms()
        order = {"reason": "drill", "by": "key/0123456789ab", "operation": "drill-7"}
        await stage.handle.signal(wire.SIGNAL_PAUSE, order)
        await stage.handle.signal(wire.SIGNAL_SET_INTERVAL, "soon")
        await stage.pass_s(300)
        await stage.handle.signal(wire.SIGNAL_RESUME, {"by": "guard"})
        await stage.pass_s(300)
    events = sorted(doubles.ledger.events, key=lambda event: event.at_ms)
    assert doubles.lost_answers > 0, "some were handed over twice"
    seen = [(event.action, event.subject, event.outcome.value, event.reason) for event in events]
    assert seen == [
        ("chambers.pause", "key/0123456789ab", "done", "drill"),
        ("chambers.change", "", "refused", ""),
        ("chambers.resume", "guard", "done", ""),
    ]
    assert {(event.source, event.claimed, event.target) for event in events} == {
        (Source.SIGNAL, True, "chamber/recorded")
    }
    assert events[0].detail == {"signal": "pause", "operation": "drill-7"}
    assert "is not a number of seconds" in str(events[1].detail["said"])
    assert events[0].at_ms >= at_ms


async def test_what_is_ignored_is_told_at_once_though_nothing_else_waits(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("ignored", 86_400), soon=False) as stage:
        await stage.handle.signal(wire.SIGNAL_PAUSE, {"until": "yesterday", "by": "lab"})
        await stage.handle.signal(wire.SIGNAL_RESUME)
        await stage.handle.signal("nonsense", "x")
        events = await told(stage, 3)
        assert [words(event) for event in events] == [
            ("pause", "lab", "", True),
            ("resume", "", "", True),
            ("nonsense", "", "", True),
        ]
        assert "not an instant" in events[0].detail
        assert stage.doubles.rounds == [], "a day's interval: no round was waited for"


async def test_a_paused_chamber_tells_what_changes_nothing(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("held", 60), soon=False) as stage:
        for _ in range(2):
            await stage.handle.signal(wire.SIGNAL_PAUSE, {"reason": "door", "by": "lab"})
            await stage.pass_s(120)
        events = await told(stage, 2)
        assert [words(event) for event in events] == [("pause", "lab", "door", False)] * 2


async def test_what_cannot_be_stored_travels_over_runs_and_is_told_once(env: WorkflowEnvironment) -> None:
    doubles = Doubles(deaf=True)
    async with staged(env, spec("outage", 60), doubles, cycles_per_run=2, soon=False) as stage:
        await stage.pass_slot()
        await stage.handle.signal(wire.SIGNAL_SET_INTERVAL, "soon")
        await stage.handle.signal(wire.SIGNAL_SET_INTERVAL, 30)
        await stage.pass_s(300)
        latest = env.client.get_workflow_handle(wire.workflow_id("outage"))
        assert (await latest.describe()).run_id != stage.handle.first_execution_run_id
        assert doubles.told == {}
        doubles.deaf = False
        for _ in range(5):  # where the clock skipped past what a busy worker did, the next round is up to a slot away
            if not doubles.told:
                await stage.pass_slot()
        events = await told(stage, 2)
        assert [words(event) for event in events] == [("set_interval", "", "", True), ("set_interval", "", "", False)]
        assert {event.key.split("/")[1] for event in events} == {stage.handle.first_execution_run_id}


async def test_past_the_bound_signals_are_counted_and_the_count_is_told(env: WorkflowEnvironment) -> None:
    doubles = Doubles(refuse=True)
    sent = 40
    async with staged(env, spec("flooded", 60), doubles, soon=False) as stage:
        await stage.pass_slot()
        for number in range(sent):
            text = f"{number} " + "ü" * 500
            await stage.handle.signal(wire.SIGNAL_PAUSE, {"by": text, "reason": text, "until": "never"})
        await stage.pass_s(60)
        doubles.refuse = False
        await stage.pass_s(240)
        kept = [event for event in await told(stage, 2) if event.signal == "pause"]
        (overflow,) = (event for event in await told(stage, len(kept) + 1) if event.signal == "overflow")
        assert overflow.detail.startswith(f"{sent - len(kept)} signals were not kept one by one")
        assert 0 < len(kept) < sent
        assert sum(len(str(asdict(event))) for event in kept) < WAITING_LIMIT_BYTES


async def test_workers_of_a_former_release_are_not_asked_without_end(env: WorkflowEnvironment) -> None:
    doubles = Doubles(deaf=True)
    async with staged(env, spec("deaf", 60), doubles, soon=False) as stage:
        await stage.handle.signal("nonsense")
        await stage.pass_s(300)
        assert doubles.told == {}
        assert [len(request.signals) for request in doubles.rounds].count(1) >= 3, "it goes on travelling"
        doubles.deaf = False
        await stage.pass_s(90)
        assert [words(event) for event in await told(stage, 1)] == [("nonsense", "", "", True)]
        doubles.deaf = True
        await stage.handle.signal("nonsense")
        await stage.ask(wire.UPDATE_RETIRE, RetireRequest("moved out", "key/1"))
        await asyncio.wait_for(stage.handle.result(), 20)


async def test_a_chamber_that_ends_tells_all_first(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("ending", 60), soon=False) as stage:
        await stage.pass_slot()
        await stage.handle.signal(wire.SIGNAL_PAUSE, {"by": "lab", "reason": "door"})
        await stage.handle.cancel(reason="moved out")
        await asyncio.wait_for(stage.handle.result(), 20)
        assert ("cancel", "", "moved out", False) in [words(event) for event in stage.doubles.told.values()]
        assert len(stage.doubles.told) == 2
