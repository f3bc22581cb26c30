"""Streams over real sockets: a client that does not read, and the API's stop, which waits for neither kind."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import grpc
import pytest
import uvicorn

from api.__main__ import GRACE_S, LEAVE_S, _Server
from api.grpc.server import GrpcApi
from collector.domain.outcome import Measurement
from collector.ports import Origin
from tests.contract.grpc_client import Client
from tests.contract.test_grpc_watching import watching
from tests.unit.api_world import KEYS, NOON_MS, World, a_reading, enrolled

REQUEST = f"GET /v1/live HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {KEYS['default']}\r\n\r\n".encode()


@asynccontextmanager
async def serving(
    world: World, grpc_api: GrpcApi | None = None
) -> AsyncIterator[tuple[int, "_Server", "asyncio.Task[None]"]]:
    """The API of the world on a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(world.app, log_config=None, lifespan="off", timeout_graceful_shutdown=GRACE_S)
    server = _Server(config, world.app.state.services.live, grpc_api)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1], server, running
    finally:
        server.should_exit = True
        await running


def publish(world: World, at_ms: int, measurements: int = 1) -> None:
    spec = world.ledger.chambers["incubator-3"].spec
    wide = tuple(Measurement(f"temperature_{n}", 21.5, "Cel") for n in range(measurements))
    assert world.live is not None
    world.live.publish(Origin("default", "default", spec.id), [replace(a_reading(spec, at_ms), measurements=wide)])


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    writer.write(REQUEST)
    await reader.readuntil(b"retry: 3000")
    return reader, writer


@pytest.mark.parametrize("stalled", [False, True])
async def test_a_stop_waits_for_no_stream(stalled: bool) -> None:
    world = World()
    async with enrolled(world), serving(world) as (port, server, running):
        reads, writer = await connected(port)
        silent = socket.create_connection(("127.0.0.1", port))
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        silent.sendall(REQUEST)
        await asyncio.sleep(0.2)
        assert world.app.state.streams.open == 2
        if stalled:
            for number in range(300):  # some megabytes: more than the buffers on the way hold
                publish(world, NOON_MS + number, measurements=300)
                await asyncio.sleep(0)
        started = time.monotonic()
        server.should_exit = True
        text = await asyncio.wait_for(reads.read(), 15)
        await running
        took_s = time.monotonic() - started
        assert b"event: closed\n" in text
        assert took_s < LEAVE_S + 2 < GRACE_S
        silent.close()
        writer.close()


async def test_a_client_that_does_not_read_holds_up_nobody() -> None:
    world = World()
    async with enrolled(world), serving(world) as (port, _, _):
        silent = socket.create_connection(("127.0.0.1", port))
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        silent.sendall(REQUEST)
        reads, writer = await connected(port)
        await asyncio.sleep(0.2)
        for number in range(2_000):
            publish(world, NOON_MS + number, measurements=60)
            await asyncio.wait_for(reads.readuntil(b"event: reading"), 5)
        silent.close()
        writer.close()


async def test_a_stop_ends_both_kinds_of_streams_at_once() -> None:
    world = World()
    grpc_api = GrpcApi(world.app.state.services, world.app.state.streams)
    rpc = grpc_api.listen("127.0.0.1", 0)
    await grpc_api.start()
    async with enrolled(world), serving(world, grpc_api) as (port, server, running):
        reads, writer = await connected(port)
        async with (
            grpc.aio.insecure_channel(f"127.0.0.1:{rpc}") as channel,
            watching(Client(channel, grpc_api, rpc)) as stream,
        ):
            assert world.app.state.streams.open == 2
            started = time.monotonic()
            server.should_exit = True
            text = await asyncio.wait_for(reads.read(), 15)
            _, end = await stream.end()
            await running
        assert b"event: closed\n" in text
        assert end.code == "UNAVAILABLE"
        assert time.monotonic() - started < LEAVE_S + 2 < GRACE_S
        writer.close()
