"""A caller's trace on its way through Temporal: from the API's span to the worker that reads the device."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.worker import Worker

from adapters.temporal_control import TemporalFleet
from collector import wire
from collector.domain.errors import NotFoundError
from collector.messages import AdhocOutcome, AdhocRequest, CollectRequest, RoundOutcome, RoundRequest
from collector.packing import pack
from collector.ports import NO_TRACING
from stack.server import Server
from tests.contract.fleet_rooms import collect, reading_of, record, registered, store
from tests.unit.span_rooms import otel_spans
from workflows.chamber import ChamberWorkflow

ENROLMENT = f"00-{'e' * 32}-{'e' * 16}-01"


class Heard:
    """A worker's activity that notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[AdhocRequest] = []
        self.rounds: list[RoundRequest] = []

    @activity.defn(name=wire.COLLECT_ADHOC)
    async def collect_adhoc(self, request: AdhocRequest) -> AdhocOutcome:
        self.asked.append(request)
        reading = reading_of(request.spec)
        assert reading is not None
        return AdhocOutcome(pack(reading), stored=True)

    @activity.defn(name=wire.COLLECT)
    async def collect(self, request: RoundRequest) -> RoundOutcome:
        self.rounds.append(request)
        outcome: RoundOutcome = await collect(request)
        return outcome


async def test_a_collection_continues_the_span_that_asked_for_it(server: Server) -> None:
    client, heard, spans, name = await registered(server), Heard(), otel_spans(), f"c-{uuid4().hex[:12]}"
    fleet = TemporalFleet(client, tracing=spans.tracing)
    activities: list[Callable[..., Any]] = [heard.collect, store, heard.collect_adhoc]
    async with Worker(client, task_queue=wire.TASK_QUEUE, workflows=[ChamberWorkflow], activities=activities):
        await fleet.start(replace(record(name), enrolment_trace=ENROLMENT))
        with spans.tracing.span("POST /v1/chambers/{chamber_id}/collect"):
            caller = spans.tracing.here()
            await fleet.collect(name, CollectRequest(uuid4().hex), 10_000)
        with pytest.raises(NotFoundError):
            await fleet.collect("nobody", CollectRequest(uuid4().hex), 10_000)
        await TemporalFleet(client, tracing=NO_TRACING).collect(name, CollectRequest(uuid4().hex), 10_000)
    asked, failed = spans.named("UpdateWorkflow collect_reading")
    assert (asked.parent, asked.kind, asked.error) == (caller, "client", "")
    assert asked.attributes == {"temporal.workflow.id": f"chamber/{name}"}
    assert [request.trace for request in heard.asked] in ([asked.context], [asked.context, ""])
    assert failed.error == "NotFoundError"
    handle = client.get_workflow_handle(wire.workflow_id(name))
    [begun] = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes.input.payloads
    assert f'"enrolment":"{ENROLMENT}"'.encode() in begun.data
    await handle.terminate()
