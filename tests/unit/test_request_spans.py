"""Which requests leave a span, whose decision counts, and what a span says."""

from dataclasses import replace

import grpc
import httpx
import pytest
from fastapi import FastAPI

from adapters.memory import InMemoryTracing
from adapters.memory.tracing import KeptSpan
from api.app import create_app
from api.grpc.call import Call
from api.grpc.spans import call_span, note_call
from api.services import make_services
from api.streams import Streams
from collector.domain.access_table import of_grpc, of_http
from collector.usecases.admit import Admission
from edge.tracing import gateway_traces
from tests.unit.api_world import ENROLMENT, KEYS, World
from tests.unit.gate_world import GateWorld

CALLER = f"00-{'a' * 32}-{'b' * 16}-01"
UNKEPT = f"00-{'a' * 32}-{'b' * 16}-00"
BY_CHANCE, NOT_TRACED = "686e86c9-8c8e-989d-9d3c-3a282de81bee", "686e86c9-8c8e-489d-9d3c-3a282de81bee"


@pytest.fixture
def tracing() -> InMemoryTracing:
    return InMemoryTracing()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def app(world: World, tracing: InMemoryTracing) -> FastAPI:
    return create_app(make_services(replace(world.ports(), tracing=tracing)))


def client(app: FastAPI, *, known: bool = True, **headers: str) -> httpx.AsyncClient:
    key = {"Authorization": f"Bearer {KEYS['default']}"} if known else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api", headers=key | headers)


def only(tracing: InMemoryTracing) -> KeptSpan:
    (span,) = [span for span in tracing.spans if span.kind.value == "server"]
    return span


async def test_a_span_says_what_was_asked_and_how_it_was_answered(app: FastAPI, tracing: InMemoryTracing) -> None:
    await client(app, traceparent=CALLER).get("/v1/chambers/incubator-9?token=hush")
    span = only(tracing)
    assert (span.name, span.trace, span.parent, span.error) == ("GET /v1/chambers/{chamber_id}", "a" * 32, CALLER, "")
    subject = span.attributes.pop("chamberlog.subject")
    assert str(subject).startswith("key/")
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/v1/chambers/{chamber_id}",
        "http.response.status_code": 422,
        "chamberlog.operation": "chambers.show",
        "chamberlog.organization": "default",
        "chamberlog.chamber": "incubator-9",
    }


async def test_what_nobody_decided_is_decided_here(app: FastAPI, tracing: InMemoryTracing) -> None:
    await client(app).get("/v1/chambers")
    assert only(tracing).parent == ""


async def test_a_known_caller_who_keeps_no_trace_leaves_none(app: FastAPI, tracing: InMemoryTracing) -> None:
    await client(app, traceparent=UNKEPT).get("/v1/chambers")
    assert tracing.spans == []


@pytest.mark.parametrize(
    "path", ["/v1/chambers", "/v1/nothing", "/healthz", "/readyz", "/metrics", "/docs", "/v1/live"]
)
async def test_who_is_refused_probes_pages_and_streams_leave_no_span(
    app: FastAPI, tracing: InMemoryTracing, path: str
) -> None:
    await client(app, known=False, traceparent=CALLER).get(path)
    assert tracing.spans == []


async def test_of_nobody_the_flag_is_not_believed(app: FastAPI, tracing: InMemoryTracing) -> None:
    """A sign-in takes nobody; the trace that it begins is kept by chance, and names the caller's."""
    body = {"email": "nobody@example.org", "password": "wrong-and-long-enough"}
    forged = {"traceparent": CALLER, "x-request-id": BY_CHANCE}
    answer = await client(app, known=False, **forged).post("/v1/auth/sign-in", json=body)
    span = only(tracing)
    assert answer.status_code == 401
    assert (span.parent, span.links) == ("", (CALLER,))
    assert span.trace != "a" * 32
    assert "chamberlog.subject" not in span.attributes


async def test_a_failure_of_ours_is_an_error_and_a_wrong_request_is_none(
    app: FastAPI, world: World, tracing: InMemoryTracing
) -> None:
    await client(app).get("/v1/chambers?limit=all")
    assert only(tracing).error == ""
    tracing.spans.clear()
    assert (await client(app).post("/v1/chambers", json=ENROLMENT)).status_code == 201
    tracing.spans.clear()
    world.fleet.away = True
    assert (await client(app).post("/v1/chambers/incubator-3/collect", json={})).status_code == 503
    assert only(tracing).error == "503"


@pytest.mark.parametrize(
    ("request_id", "traced"),
    [
        (BY_CHANCE, True),
        (BY_CHANCE.replace("-989d", "-a89d"), True),
        (NOT_TRACED, False),
        ("9" * 20, False),
        ("", False),
        (None, False),
    ],
)
def test_the_gateways_decision_stands_in_its_request_id(request_id: str | None, traced: bool) -> None:
    assert gateway_traces(request_id) is traced


async def test_the_gate_tells_of_what_the_gateway_traces_only() -> None:
    world, tracing = GateWorld(), InMemoryTracing()
    world.authz._services = replace(world.authz._services, tracing=tracing)
    async with world.gateway() as envoy:
        for request_id in (NOT_TRACED, BY_CHANCE):
            headers = {"traceparent": CALLER, "x-request-id": request_id}
            assert (await envoy.get("/authz/v1/chambers", headers=headers)).status_code == 200
    span = only(tracing)
    assert (span.name, span.parent) == ("authorize", CALLER)
    assert span.attributes["http.response.status_code"] == 200
    assert span.attributes["chamberlog.operation"] == "chambers.list"
    assert span.attributes["chamberlog.organization"] == "default"


async def test_a_refusal_of_the_gate_is_no_error() -> None:
    world, tracing = GateWorld(), InMemoryTracing()
    world.authz._services = replace(world.authz._services, tracing=tracing)
    async with world.gateway(None) as envoy:
        headers = {"traceparent": CALLER, "x-request-id": BY_CHANCE}
        assert (await envoy.get("/authz/v1/chambers", headers=headers)).status_code == 401
    span = only(tracing)
    assert (span.error, span.attributes["http.response.status_code"]) == ("", 401)
    assert "chamberlog.subject" not in span.attributes


def a_call(app: FastAPI, admission: Admission) -> Call:
    return Call(use=app.state.services, streams=app.state.streams, admission=admission)


@pytest.mark.parametrize(
    ("code", "error"),
    [(grpc.StatusCode.OK, ""), (grpc.StatusCode.NOT_FOUND, ""), (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")],
)
async def test_a_call_says_its_code(app: FastAPI, tracing: InMemoryTracing, code: grpc.StatusCode, error: str) -> None:
    name = "/chamberlog.v1.Chambers/GetChamber"
    operation = of_grpc(name)
    key = await app.state.services.authenticate(KEYS["default"])
    call = a_call(app, Admission(operation=operation, principal=key))
    request = type("Request", (), {"chamber_id": "incubator-3"})()
    with call_span(tracing, name, call, [("traceparent", CALLER)]) as span:
        note_call(span, name, call, request, code)
    kept = only(tracing)
    assert (kept.name, kept.parent, kept.error) == ("chamberlog.v1.Chambers/GetChamber", CALLER, error)
    assert kept.attributes["rpc.response.status_code"] == code.name
    assert kept.attributes["rpc.system.name"] == "grpc"
    assert kept.attributes["chamberlog.chamber"] == "incubator-3"


async def test_a_call_says_no_more_of_a_chamber_than_an_id_can_have(app: FastAPI, tracing: InMemoryTracing) -> None:
    name = "/chamberlog.v1.Chambers/GetChamber"
    call = a_call(
        app, Admission(operation=of_grpc(name), principal=await app.state.services.authenticate(KEYS["default"]))
    )
    request = type("Request", (), {"chamber_id": "x" * 1_000_000})()
    with call_span(tracing, name, call, [("traceparent", CALLER)]) as span:
        note_call(span, name, call, request, grpc.StatusCode.INVALID_ARGUMENT)
    assert only(tracing).attributes["chamberlog.chamber"] == "x" * 200


def test_health_and_what_stands_in_no_row_leave_no_span(app: FastAPI, tracing: InMemoryTracing) -> None:
    for name, operation in (
        ("/grpc.health.v1.Health/Check", of_grpc("/grpc.health.v1.Health/Check")),
        ("/x.Y/Z", None),
    ):
        call = a_call(app, Admission(operation=operation))
        with call_span(tracing, name, call, [("traceparent", CALLER)]):
            pass
    assert tracing.spans == []
    assert of_http("GET", "/v1/chambers") is not None
    assert isinstance(app.state.streams, Streams)
