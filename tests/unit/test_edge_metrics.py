"""How long requests take: by route and status, bounded whatever clients ask for, streams until they begin."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from adapters.telemetry import OtelEdgeMetrics, observe_streams
from api.app import create_app
from api.services import make_services
from api.timing import RequestTiming
from tests.unit.api_world import ENROLMENT, KEYS, World
from tests.unit.live_client import streaming
from tests.unit.metric_points import Points, at

DURATION = "http.server.request.duration"


class Edge:
    """The API over a world, with its requests measured."""

    def __init__(self) -> None:
        self.points, self.world = Points(), World()
        metrics = OtelEdgeMetrics(self.points.provider)
        self.app: FastAPI = create_app(make_services(self.world.ports()), metrics=metrics)
        observe_streams(self.points.provider, lambda: self.app.state.streams.open)

    def client(self, whose: str | None = "default") -> httpx.AsyncClient:
        headers = {} if whose is None else {"Authorization": f"Bearer {KEYS[whose]}"}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers)


def request(method: str, status: int, route: str = "", **more: object) -> frozenset[tuple[str, object]]:
    where = {"http__route": route} if route else {}
    return at(http__request__method=method, http__response__status_code=status, **where, **more)


async def test_requests_are_told_apart_by_route_method_and_status() -> None:
    edge = Edge()
    async with edge.client() as client:
        await client.post("/v1/chambers", json=ENROLMENT)
        await client.get("/v1/chambers/incubator-3")
        await client.get("/v1/chambers/incubator-3")
        await client.get("/v1/chambers/nowhere")
        await client.get("/healthz")
    assert edge.points.values(DURATION) == {
        request("POST", 201, "/v1/chambers"): 1,
        request("GET", 200, "/v1/chambers/{chamber_id}"): 2,
        request("GET", 404, "/v1/chambers/{chamber_id}"): 1,
        request("GET", 200, "/healthz"): 1,
    }
    assert 0 < edge.points.sum(DURATION) < 60


async def test_whoever_is_refused_is_measured_at_the_route_that_he_asked_for() -> None:
    edge = Edge()
    async with edge.client(None) as client:
        await client.get("/v1/chambers/incubator-3")
    assert edge.points.values(DURATION) == {request("GET", 401, "/v1/chambers/{chamber_id}"): 1}


async def test_paths_and_methods_that_there_are_not_make_no_series_of_their_own() -> None:
    edge = Edge()
    async with edge.client() as client:
        for number in range(30):
            await client.get(f"/nowhere/{number}")
            await client.request(f"FETCH{number}", "/nowhere")
    found = edge.points.values(DURATION)
    assert sum(found.values()) == 60
    assert {dict(where)["http.request.method"] for where in found} == {"GET", "_OTHER"}
    assert not any("http.route" in dict(where) for where in found)
    assert len(found) <= 4


async def test_a_bug_is_a_500_with_the_class_of_what_was_raised() -> None:
    points = Points()

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    timing = RequestTiming(broken, OtelEdgeMetrics(points.provider))
    transport = httpx.ASGITransport(timing, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        await client.get("/v1/latest")
    assert points.values(DURATION) == {request("GET", 500, "/v1/latest", error__type="ZeroDivisionError"): 1}


async def test_an_answer_of_500_and_more_has_its_status_as_error() -> None:
    points = Points()
    timing = RequestTiming(Response("away", 503), OtelEdgeMetrics(points.provider))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(timing), base_url="http://api") as client:
        await client.get("/readyz")
    assert points.values(DURATION) == {request("GET", 503, "/readyz", error__type="503"): 1}


async def test_whoever_leaves_before_an_answer_is_not_measured() -> None:
    points = Points()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    async def never() -> Message:
        return {"type": "http.disconnect"}

    async def nowhere(message: Message) -> None:
        pytest.fail("nobody answered")

    scope = {"type": "http", "method": "GET", "path": "/v1/latest", "headers": []}
    running = asyncio.create_task(RequestTiming(slow, OtelEdgeMetrics(points.provider))(scope, never, nowhere))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert points.values(DURATION) == {}


async def test_a_stream_counts_until_it_begins_and_is_open_until_it_ends() -> None:
    edge = Edge()
    assert edge.points.values("chamberlog.live.streams") == {at(): 0}
    async with streaming(edge.app):
        assert edge.points.values(DURATION) == {request("GET", 200, "/v1/live"): 1}
        assert edge.points.values("chamberlog.live.streams") == {at(): 1}
    assert edge.points.values(DURATION) == {request("GET", 200, "/v1/live"): 1}
    assert edge.points.values("chamberlog.live.streams") == {at(): 0}
