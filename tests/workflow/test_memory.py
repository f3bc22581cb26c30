"""What a chamber remembers of its readings: from round to round, over continue-as-new, and when it is forgotten."""

from dataclasses import replace
from typing import Any

from temporalio.testing import WorkflowEnvironment

from collector.domain.memory import Memory
from collector.messages import CollectRequest, ConfigureRequest, PauseRequest, ResumeRequest, RoundOutcome, RoundRequest
from tests.workflow.stage import Doubles, spec, staged
from workflows.chamber import ChamberWorkflow


def left_by(request: RoundRequest) -> Memory:
    """What the round of that slot leaves: 21.5 is good since then."""
    when_ms = request.first_ms
    values: dict[str, list[float | None]] = {"t": [21.5, when_ms, None, None], "h": [None, None, 40.0, when_ms]}
    return Memory(request.spec.version, "A-17", when_ms, when_ms, values, when_ms)


def answer(request: RoundRequest, **changes: Any) -> RoundOutcome:
    """The round is collected."""
    next_ms = request.first_ms + request.count * request.spec.interval_ms
    whole = RoundOutcome(next_ms, [], request.health.succeeded(request.first_ms), 1, memory=left_by(request))
    return replace(whole, **changes)


async def test_each_round_gets_what_the_one_before_left_also_in_a_new_run(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("remembers", 60), Doubles(answer=answer), cycles_per_run=3) as stage:
        await stage.pass_s(600)
        rounds = stage.doubles.rounds
        assert len(rounds) >= 8
        assert [request.memory for request in rounds] == [None, *(left_by(request) for request in rounds[:-1])]
        assert (await stage.handle.query(ChamberWorkflow.status)).run_number >= 3


async def test_what_an_older_worker_does_not_tell_stands(env: WorkflowEnvironment) -> None:
    def mixed(request: RoundRequest) -> RoundOutcome:
        told = len(doubles.rounds) == 1
        return answer(request) if told else answer(request, memory=None)

    doubles = Doubles(answer=mixed)
    async with staged(env, spec("mixed", 60), doubles) as stage:
        await stage.pass_s(240)
        assert [request.memory for request in doubles.rounds[1:4]] == [left_by(doubles.rounds[0])] * 3


async def test_a_pause_keeps_it_another_spec_begins_anew(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("changed", 60), Doubles(answer=answer), soon=False) as stage:
        rounds = stage.doubles.rounds
        await stage.pass_slot()
        await stage.pass_slot()
        await stage.ask("pause_chamber", PauseRequest("door", version=2))
        await stage.ask("resume_chamber", ResumeRequest("key/1", 3))
        before = rounds[-1]
        await stage.pass_slot()
        assert rounds[-1].spec.version == 3
        assert rounds[-1].memory == replace(left_by(before), spec_version=3)
        await stage.ask("configure", ConfigureRequest(replace(rounds[-1].spec, serial_number="A-18", version=4)))
        count = len(rounds)
        await stage.pass_slot()
        assert (rounds[count].spec.version, rounds[count].memory) == (4, None)


async def test_collecting_now_is_judged_by_it_and_changes_nothing(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("now", 60), Doubles(answer=answer), soon=False) as stage:
        await stage.pass_slot()
        before = stage.doubles.rounds[-1]
        await stage.ask("collect_reading", CollectRequest("update-1"))
        assert [request.memory for request in stage.doubles.adhoc] == [left_by(before)]
        await stage.pass_slot()
        assert stage.doubles.rounds[-1].memory == left_by(before)
