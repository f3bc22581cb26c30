"""Connections to Valkey that end while they are used: whoever asks is told that the server is away."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
import uvloop
from redis.exceptions import RedisError

from adapters.redis.pool import lazy_client

AT_ONCE = struct.pack("ii", 1, 0)
TIMES = 200


@pytest.fixture
def slamming() -> Iterator[int]:
    """The port of a server that accepts and resets each connection, as one does that is killed just then."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                accepted, _ = server.accept()
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                accepted.close()

    serving = threading.Thread(target=serve)
    serving.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    serving.join()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_connection_that_is_reset_at_any_moment_is_a_server_that_is_away(
    slamming: int, loop: type[asyncio.AbstractEventLoop]
) -> None:
    async def asked() -> None:
        client = lazy_client(f"redis://:password@127.0.0.1:{slamming}", 0.5)
        try:
            with pytest.raises((RedisError, OSError)):
                await client.ping()
        finally:
            await client.aclose()

    async def asked_again_and_again() -> None:
        for _ in range(TIMES):
            await asked()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asked_again_and_again())
