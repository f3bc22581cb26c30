"""Devices that cost next to nothing: one process, an address of loopback for each, an answer made beforehand.

`python -m bench.devices --devices N --port P`: device n listens on `127.1.x.y:P`. Every device has an address of its
own, because the client asks one host at a time. Each answer has five numbers, the last one its serial: no two answers
of a process have the same.
"""

import argparse
import asyncio
import itertools
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import cast

import uvloop

CEILING = 60_000
NETWORK = "127.1.0.0/16"
READY_HOST = "127.0.0.1"
"""Opened last: who can connect here finds every device."""
BACKLOG = 64
BODY = b'{"temperature": 21.53, "humidity": 44.8, "co2": 612, "pressure": 1013.2, "serial": %-15d}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
ANSWER = HEAD % len(BODY % 1) + BODY


def device_host(number: int) -> str:
    """Address of a device, counted from 0."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


class Device(asyncio.Protocol):
    """One connection: whatever is asked, the next answer is sent and the connection closed.

    Args:
        serials: shared by all devices of the process.
    """

    def __init__(self, serials: Iterator[int]) -> None:
        self._serials, self._head = serials, b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client came."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not subclasses of asyncio's

    def data_received(self, data: bytes) -> None:
        """A piece of the request; the answer follows its last line."""
        self._head += data
        if self._head.endswith(b"\r\n\r\n") and self._transport is not None:
            self._transport.write(ANSWER % next(self._serials))
            self._transport.close()


async def serve(devices: int, port: int) -> None:
    """Answer until SIGTERM or SIGINT.

    Raises:
        OSError: an address is taken.
    """
    loop, stopped, serials = asyncio.get_running_loop(), asyncio.Event(), itertools.count(1)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    hosts = [*(device_host(n) for n in range(devices)), READY_HOST]
    servers = [await loop.create_server(lambda: Device(serials), host, port, backlog=BACKLOG) for host in hosts]
    await stopped.wait()
    for server in servers:
        server.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal; 1 with a line on standard error when an address is taken."""
    parser = argparse.ArgumentParser(prog="python -m bench.devices", description="The devices of the bench.")
    parser.add_argument("--devices", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(argv)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(options.devices, options.port))
    except OSError as error:
        sys.stderr.write(f"the devices cannot listen: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
