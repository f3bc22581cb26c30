"""Trace contexts that travel through a chamber: its enrolment's with every round, a caller's with its collection."""

from temporalio.testing import WorkflowEnvironment

from collector import wire
from collector.messages import BeginAgainRequest, ChamberState, CollectRequest, ConfigureRequest, SlotAnswer
from tests.workflow.stage import ANSWERS, spec, staged

ANSWERS[wire.UPDATE_BEGIN_AGAIN] = SlotAnswer
ENROLMENT = f"00-{'e' * 32}-{'e' * 16}-01"
ANOTHER = f"00-{'d' * 32}-{'d' * 16}-01"
CALLER = f"00-{'c' * 32}-{'c' * 16}-01"


async def test_every_round_names_the_enrolment_over_continue_as_new_and_a_move(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("traced", 60), enrolment=ENROLMENT, cycles_per_run=2) as stage:
        await stage.pass_s(5 * 60)
        latest = env.client.get_workflow_handle(wire.workflow_id("traced"))
        moved = ConfigureRequest(spec("traced", 60, section="cold", version=2))
        await latest.execute_update(wire.UPDATE_CONFIGURE, moved, result_type=SlotAnswer)
        await stage.pass_s(5 * 60)
        rounds = stage.doubles.rounds
        assert len(rounds) >= 6
        assert {request.spec.section for request in rounds} == {"default", "cold"}
        assert {request.enrolment for request in rounds} == {ENROLMENT}
        assert (await latest.describe()).run_id != stage.handle.first_execution_run_id


async def test_a_chamber_that_begins_again_has_the_rows_or_keeps_its_own(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("again", 60), soon=False, enrolment=ENROLMENT) as stage:
        await stage.pass_slot()
        row = ChamberState(spec("again", 60), stage.state.next_ms)  # as an API of a former release tells it
        await stage.ask(wire.UPDATE_BEGIN_AGAIN, BeginAgainRequest(row))
        await stage.pass_s(3 * 60)
        assert {request.enrolment for request in stage.doubles.rounds} == {ENROLMENT}
        latest = env.client.get_workflow_handle(wire.workflow_id("again"))
        row = ChamberState(spec("again", 60), stage.state.next_ms, enrolment=ANOTHER)
        await latest.execute_update(wire.UPDATE_BEGIN_AGAIN, BeginAgainRequest(row), result_type=SlotAnswer)
        await stage.pass_s(3 * 60)
        assert stage.doubles.rounds[-1].enrolment == ANOTHER


async def test_a_collection_has_its_callers_trace(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("asked", 60), soon=False, enrolment=ENROLMENT) as stage:
        await stage.pass_slot()
        await stage.ask(wire.UPDATE_COLLECT, CollectRequest("r1", trace=CALLER))
        await stage.pass_s(2)
        await stage.handle.execute_update(wire.UPDATE_COLLECT, {"request_id": "r2"})  # as a former release asks
        assert [(asked.request_id, asked.trace) for asked in stage.doubles.adhoc] == [("r1", CALLER), ("r2", "")]


async def test_a_chamber_of_a_former_release_has_none(env: WorkflowEnvironment) -> None:
    async with staged(env, spec("before", 60)) as stage:
        await stage.pass_slot()
        assert stage.doubles.rounds[0].enrolment == ""
