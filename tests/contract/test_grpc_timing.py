"""How long calls of gRPC take: by method and status, streams until they begin, methods that there are not as one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from adapters.telemetry import OtelEdgeMetrics
from tests.contract.grpc_client import Client, serving
from tests.contract.test_grpc_watching import watching
from tests.unit.api_world import World
from tests.unit.metric_points import Attributes, Points, at

DURATION = "rpc.server.call.duration"


@asynccontextmanager
async def measured(points: Points) -> AsyncIterator[Client]:
    """The gRPC API of a world, with its calls measured."""
    async with serving(World(), OtelEdgeMetrics(points.provider)) as client:
        yield client


def call(method: str, code: str) -> Attributes:
    return at(rpc__system__name="grpc", rpc__method=method, rpc__response__status_code=code)


async def settled(points: Points, wanted: dict[Attributes, float], within_s: float = 5.0) -> None:
    """A client may have its answer before the server's handler has ended."""
    deadline = asyncio.get_running_loop().time() + within_s
    while (found := points.values(DURATION)) != wanted:
        assert asyncio.get_running_loop().time() < deadline, found
        await asyncio.sleep(0.02)


async def test_calls_are_told_apart_by_method_and_status() -> None:
    points = Points()
    async with measured(points) as client:
        await client.ask("Chambers/ListChambers")
        await client.ask("Chambers/ListChambers")
        assert (await client.refused("Chambers/GetChamber", {"chamber_id": "nowhere"})).code == "NOT_FOUND"
        assert (await client.refused("Chambers/ListChambers", whose=None)).code == "UNAUTHENTICATED"
        await settled(
            points,
            {
                call("chamberlog.v1.Chambers/ListChambers", "OK"): 2,
                call("chamberlog.v1.Chambers/GetChamber", "NOT_FOUND"): 1,
                call("chamberlog.v1.Chambers/ListChambers", "UNAUTHENTICATED"): 1,
            },
        )
    assert 0 < points.sum(DURATION) < 30


async def test_methods_that_there_are_not_are_one() -> None:
    points = Points()
    async with measured(points) as client:
        for number in range(10):
            method: Any = client.channel.unary_unary(f"/chamberlog.v1.Nothing/Method{number}")
            with pytest.raises(grpc.aio.AioRpcError):
                await method(b"", timeout=5)
        await asyncio.sleep(0.1)
    found = points.values(DURATION)
    assert sum(found.values()) == 10
    assert {dict(where)["rpc.method"] for where in found} == {"_OTHER"}


async def test_a_stream_counts_as_soon_as_it_begins() -> None:
    points = Points()
    async with measured(points) as client:
        async with watching(client):
            await settled(points, {call("chamberlog.v1.Readings/WatchReadings", "OK"): 1})
        await asyncio.sleep(0.2)
    assert points.values(DURATION) == {call("chamberlog.v1.Readings/WatchReadings", "OK"): 1}
    assert points.sum(DURATION) < 5
