"""Who enrols a chamber within a trace leaves its context with the row; who enrols it again changes nothing."""

from dataclasses import replace

import httpx

from adapters.memory import InMemoryTracing
from api.app import create_app
from api.services import make_services
from tests.unit.api_world import ENROLMENT, KEYS, World


async def test_the_enrolments_span_is_kept_with_the_chamber() -> None:
    world, tracing = World(), InMemoryTracing()
    app = create_app(make_services(replace(world.ports(), tracing=tracing)))
    headers = {"Authorization": f"Bearer {KEYS['default']}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api", headers=headers) as client:
        created = await client.post("/v1/chambers", json=ENROLMENT)
        again = await client.post("/v1/chambers", json=ENROLMENT)
    assert (created.status_code, again.status_code) == (201, 200)
    [kept] = world.ledger.chambers.values()
    first, second = tracing.named("POST /v1/chambers")
    assert kept.enrolment_trace == first.context != second.context


async def test_without_a_trace_there_is_none() -> None:
    world = World()
    async with world.client() as client:
        assert (await client.post("/v1/chambers", json=ENROLMENT)).status_code == 201
    [kept] = world.ledger.chambers.values()
    assert kept.enrolment_trace == ""
