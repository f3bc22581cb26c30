"""What one GET costs the worker's process, by transport: `python -m bench.transports`.

Each transport reads the same devices (a connection for each answer, as small devices have it) so many at a time, one
after the other in one process, and the CPU time of the process alone counts. Those that are not installed are left out.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import httpx
import uvloop

from bench.bootstrap import device_client
from bench.devices import NETWORK, device_host
from collector.domain.egress import EgressPolicy, parse_rule
from collector.ports import DeviceRequest
from stack.ports import free_port
from stack.readiness import accepts

DEVICES, BUDGET_MS = 200, 5_000
START_S, LOOK_S = 20.0, 0.1
Get = Callable[[str], Awaitable[bytes]]
CLOSE = {"Connection": "close"}


@asynccontextmanager
async def ours() -> AsyncIterator[Get]:
    """The device client, egress policy, budget and limit included."""
    policy = EgressPolicy((parse_rule(NETWORK),))
    async with device_client() as client:

        async def get(url: str) -> bytes:
            return (await client.fetch(DeviceRequest(url, BUDGET_MS, policy))).body

        yield get


@asynccontextmanager
async def httpx_client() -> AsyncIterator[Get]:
    """`httpx.AsyncClient` as it comes."""
    async with httpx.AsyncClient(trust_env=False, headers=CLOSE) as client:

        async def get(url: str) -> bytes:
            return (await client.get(url)).content

        yield get


@asynccontextmanager
async def httpx_transport() -> AsyncIterator[Get]:
    """The transport of httpx below the client's cookies, redirects and authentication."""
    async with httpx.AsyncHTTPTransport(trust_env=False) as transport:

        async def get(url: str) -> bytes:
            response = await transport.handle_async_request(httpx.Request("GET", url, headers=CLOSE))
            try:
                return await response.aread()
            finally:
                await response.aclose()

        yield get


@asynccontextmanager
async def aiohttp_session() -> AsyncIterator[Get]:
    """Bare aiohttp, whose parser is written in C."""
    aiohttp: Any = import_module("aiohttp")  # not among our dependencies: measured where somebody installed it
    async with aiohttp.ClientSession(headers=CLOSE) as session:

        async def get(url: str) -> bytes:
            async with session.get(url) as response:
                body: bytes = await response.read()
                return body

        yield get


TRANSPORTS = {
    "ours": ours,
    "httpx client": httpx_client,
    "httpx transport": httpx_transport,
    "aiohttp": aiohttp_session,
}


async def cost_ms(get: Get, urls: Sequence[str], rounds: int, at_once: int) -> float:
    """CPU milliseconds of this process for one GET; the first round warms up and does not count."""
    began = 0.0
    for turn in range(rounds + 1):
        if turn == 1:
            began = time.process_time()
        for first in range(0, len(urls), at_once):
            await asyncio.gather(*(get(url) for url in urls[first : first + at_once]))
    return 1000 * (time.process_time() - began) / (rounds * len(urls))


async def _measure(port: int, rounds: int, at_once: int) -> dict[str, float]:
    for _ in range(round(START_S / LOOK_S)):
        if await accepts(port):
            break
        await asyncio.sleep(LOOK_S)
    urls = [f"http://{device_host(number)}:{port}/" for number in range(DEVICES)]
    found: dict[str, float] = {}
    for name, transport in TRANSPORTS.items():
        if name != "aiohttp" or find_spec("aiohttp"):
            async with transport() as get:
                found[name] = await cost_ms(get, urls, rounds, at_once)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for each transport: CPU of one GET, and its ratio to ours."""
    parser = argparse.ArgumentParser(prog="python -m bench.transports", description="CPU of one GET, by transport.")
    parser.add_argument("--rounds", type=int, default=20, help=f"of {DEVICES} GETs each (default 20)")
    parser.add_argument("--at-once", type=int, default=4, help="GETs in flight (default 4)")
    options = parser.parse_args(argv)
    port = free_port()
    program = [sys.executable, "-m", "bench.devices", "--devices", str(DEVICES), "--port", str(port)]
    with subprocess.Popen(program) as devices, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            found = runner.run(_measure(port, options.rounds, options.at_once))
        finally:
            devices.terminate()
    for name, cost in found.items():
        sys.stdout.write(f"{name:<16} {cost:6.3f} ms  {cost / found['ours']:5.2f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
