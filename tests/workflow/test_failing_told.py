"""A chamber that starts failing is told once, and once that it has recovered."""

import logging
from dataclasses import dataclass, field, replace

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from collector.domain.health import Health
from collector.domain.instants import iso
from collector.messages import PauseRequest, ResumeRequest, RoundOutcome, RoundRequest
from tests.workflow.stage import Doubles, spec, staged
from workflows.chamber import ChamberWorkflow
from workflows.telling import RECOVERED, STARTS_FAILING

INTERVAL_MS = 60_000


@dataclass
class Device:
    """Says of each slot, in their order, whether it has a reading; the last word holds on."""

    says: list[bool]
    first_ms: list[int] = field(default_factory=list)

    def answer(self, request: RoundRequest) -> RoundOutcome:
        health: Health = request.health
        for number in range(request.count):
            slot = request.first_ms + number * request.spec.interval_ms
            self.first_ms.append(slot)
            good = self.says.pop(0) if len(self.says) > 1 else self.says[0]
            health = health.succeeded(slot) if good else health.failed(slot, "timeout: no whole answer in 10 s")
        return RoundOutcome(request.first_ms + request.count * request.spec.interval_ms, [], health)


def told(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [r for r in caplog.records if r.getMessage() in (STARTS_FAILING, RECOVERED)]


async def test_one_line_when_it_starts_failing_and_one_when_it_recovers(
    env: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "temporalio.workflow")
    device = Device([True, False, False, False, False, False, True])
    async with staged(env, spec("told", 60), Doubles(answer=device.answer), cycles_per_run=2) as stage:
        await stage.pass_s(720)
        history = await stage.handle.fetch_history()
    failing, recovered = told(caplog)
    assert (failing.levelname, failing.getMessage()) == ("WARNING", STARTS_FAILING)
    assert vars(failing) | {
        "chamberlog.chamber": "told",
        "chamberlog.organization": "default",
        "chamberlog.section": "default",
        "temporal.workflow.id": "chamber/told",
        "chamberlog.gap.reason": "timeout",
        "chamberlog.gap.detail": "no whole answer in 10 s",
        "chamberlog.failures": 3,
        "chamberlog.slot": iso(device.first_ms[3]),
    } == vars(failing)
    assert (recovered.levelname, recovered.getMessage()) == ("INFO", RECOVERED)
    assert vars(recovered) | {
        "chamberlog.chamber": "told",
        "chamberlog.slot": iso(device.first_ms[6]),
        "chamberlog.failing.since": iso(device.first_ms[1]),
        "chamberlog.failing.duration_s": 300.0,
        "chamberlog.failing.slots": 5,
    } == vars(recovered)

    caplog.clear()
    await Replayer(workflows=[ChamberWorkflow]).replay_workflow(history)
    assert told(caplog) == [], "a replay is silent"


async def test_hiccups_are_not_told_nor_a_long_time_without_change(
    env: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "temporalio.workflow")
    device = Device([False, False, True, False, False, True])
    async with staged(env, spec("hiccups", 60), Doubles(answer=device.answer)) as stage:
        await stage.pass_s(600)
    assert told(caplog) == []


async def test_a_pause_neither_ends_it_nor_begins_it_anew(
    env: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "temporalio.workflow")
    device = Device([False])
    async with staged(env, spec("held", 60), Doubles(answer=device.answer), soon=False) as stage:
        for _ in range(4):
            await stage.pass_slot()
        await stage.ask("pause_chamber", PauseRequest("door", version=2))
        await stage.ask("resume_chamber", ResumeRequest("key/1", 3))
        for _ in range(2):
            await stage.pass_slot()
        assert [r.getMessage() for r in told(caplog)] == [STARTS_FAILING]
        device.says = [True]
        await stage.pass_slot()
    assert [r.getMessage() for r in told(caplog)] == [STARTS_FAILING, RECOVERED]


async def test_an_older_worker_s_counting_leaves_out_how_long_it_lasted(
    env: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "temporalio.workflow")
    before = Health(5, None, "timeout: x", 1)
    device = Device([True])
    async with staged(env, spec("older", 60), Doubles(answer=device.answer), health=before) as stage:
        await stage.pass_s(90)
    [recovered] = told(caplog)
    assert not {"chamberlog.failing.since", "chamberlog.failing.slots"} & set(vars(recovered))
    assert replace(before, failures=2).status.value == "starting"
