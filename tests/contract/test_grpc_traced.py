"""Spans of real calls: whose trace they continue, what is in them, and what leaves none."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.memory import InMemoryTracing
from api.app import create_app
from api.services import make_services
from tests.contract.grpc_client import Client, serving
from tests.unit.api_world import World

CALLER = f"00-{'a' * 32}-{'b' * 16}-01"
ENROLMENT = {"id": "incubator-3", "url": "http://192.168.1.20", "profile": "airgradient", "interval": "60s"}


@pytest.fixture
def tracing() -> InMemoryTracing:
    return InMemoryTracing()


@pytest.fixture
def world(tracing: InMemoryTracing) -> World:
    world = World()
    world.app = create_app(make_services(replace(world.ports(), tracing=tracing)))
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    async with serving(world) as client:
        yield client


def ends(tracing: InMemoryTracing) -> list[tuple[str, str, str, str]]:
    """Name, parent, code and error of each call's span."""
    return [
        (span.name, span.parent, str(span.attributes["rpc.response.status_code"]), span.error)
        for span in tracing.spans
        if span.kind.value == "server"
    ]


async def test_reads_changes_and_refusals_leave_a_span(client: Client, world: World, tracing: InMemoryTracing) -> None:
    await client.ask("Chambers/EnrolChamber", ENROLMENT, traceparent=CALLER)
    await client.ask("Chambers/GetChamber", {"chamber_id": "incubator-3"}, traceparent=CALLER)
    await client.refused("Chambers/GetChamber", {"chamber_id": "nobody"}, traceparent=CALLER)
    world.fleet.away = True
    await client.refused("Chambers/CollectReading", {"chamber_id": "incubator-3"}, traceparent=CALLER)
    assert ends(tracing) == [
        ("chamberlog.v1.Chambers/EnrolChamber", CALLER, "OK", ""),
        ("chamberlog.v1.Chambers/GetChamber", CALLER, "OK", ""),
        ("chamberlog.v1.Chambers/GetChamber", CALLER, "NOT_FOUND", ""),
        ("chamberlog.v1.Chambers/CollectReading", CALLER, "UNAVAILABLE", "UNAVAILABLE"),
    ]
    assert {
        span.attributes.get("chamberlog.organization") for span in tracing.spans if span.kind.value == "server"
    } == {"default"}


async def test_who_is_refused_at_the_gate_leaves_none(client: Client, tracing: InMemoryTracing) -> None:
    refusal = await client.refused("Chambers/ListChambers", {}, whose=None, traceparent=CALLER)
    assert refusal.code == "UNAUTHENTICATED"
    assert tracing.spans == []
