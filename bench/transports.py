"""What one GET costs the worker's process, by transport: `python -m bench.transports`.

Each transport reads the same devices (a connection for each answer, as small devices have it) so many at a time, one
after the other in one process: the CPU time of this process counts, and how long a GET takes. Those that are not
installed are left out. Through the egress proxy Envoy's own CPU time is not counted: it is another process.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import uvloop

from bench.bootstrap import device_client
from bench.devices import NETWORK, device_host
from collector.domain.egress import EgressPolicies, EgressPolicy, parse_rule
from collector.domain.egress_proxy import EgressProxy
from collector.ports import DeviceRequest
from edge.addresses import Address
from edge.egress import EgressSettings, render_egress
from stack.binaries import scripts
from stack.ports import free_port
from stack.process import Command, spawn
from stack.readiness import accepts

DEVICES, BUDGET_MS = 200, 5_000
HOST, SECTION = "127.0.0.1", "bench/bench"
POLICY = EgressPolicy((parse_rule(NETWORK),))
START_S, LOOK_S = 20.0, 0.1
Get = Callable[[str], Awaitable[bytes]]
CLOSE = {"Connection": "close"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one GET costs: CPU of this process and how long it takes (median), milliseconds."""

    cpu_ms: float
    took_ms: float


@asynccontextmanager
async def ours(proxy: EgressProxy | None = None) -> AsyncIterator[Get]:
    """The device client, egress policy, budget and limit included."""
    async with device_client(proxy) as client:

        async def get(url: str) -> bytes:
            return (await client.fetch(DeviceRequest(url, BUDGET_MS, POLICY, section=SECTION))).body

        yield get


@asynccontextmanager
async def through_envoy() -> AsyncIterator[Get]:
    """The same through the egress proxy, as workers have it."""
    with TemporaryDirectory() as folder, envoy(Path(folder)) as proxy:
        await _once_it_accepts(proxy.port)
        async with ours(proxy) as get:
            yield get


@contextmanager
def envoy(folder: Path) -> Iterator[EgressProxy]:
    """The egress proxy, with one thread."""
    port, config = free_port(), folder / "egress.yaml"
    settings = EgressSettings(
        listen=Address(HOST, port),
        admin=Address(HOST, free_port()),
        policies=EgressPolicies(default=POLICY),
        access_log=str(folder / "access.log"),
    )
    config.write_text(render_egress(settings))
    arguments: list[str | Path] = [scripts() / "envoy", "-c", config, "--disable-hot-restart", "--concurrency", "1"]
    child = spawn(Command([*arguments, "-l", "warn"], folder / "envoy.log"))
    try:
        yield EgressProxy(HOST, port)
    finally:
        child.stop()


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
    "ours by Envoy": through_envoy,
    "httpx client": httpx_client,
    "httpx transport": httpx_transport,
    "aiohttp": aiohttp_session,
}


async def cost_of(get: Get, urls: Sequence[str], rounds: int, at_once: int) -> Cost:
    """What one GET costs; the first round warms up and does not count."""
    began, took = 0.0, list[float]()

    async def timed(url: str) -> None:
        started = time.perf_counter()
        await get(url)
        took.append(time.perf_counter() - started)

    for turn in range(rounds + 1):
        if turn == 1:
            began = time.process_time()
            took.clear()
        for first in range(0, len(urls), at_once):
            await asyncio.gather(*(timed(url) for url in urls[first : first + at_once]))
    return Cost(1000 * (time.process_time() - began) / (rounds * len(urls)), 1000 * statistics.median(took))


async def _once_it_accepts(port: int) -> None:
    for _ in range(round(START_S / LOOK_S)):
        if await accepts(port):
            return
        await asyncio.sleep(LOOK_S)


def _installed(name: str) -> bool:
    if name == "aiohttp":
        return find_spec("aiohttp") is not None
    return name != "ours by Envoy" or (scripts() / "envoy").exists()


async def _measure(port: int, rounds: int, at_once: int) -> dict[str, Cost]:
    await _once_it_accepts(port)
    urls = [f"http://{device_host(number)}:{port}/" for number in range(DEVICES)]
    found: dict[str, Cost] = {}
    for name, transport in TRANSPORTS.items():
        if _installed(name):
            async with transport() as get:
                found[name] = await cost_of(get, urls, rounds, at_once)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for each transport: CPU of one GET, how long it took, and the ratios of both to ours."""
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
        cpu, took = cost.cpu_ms / found["ours"].cpu_ms, cost.took_ms / found["ours"].took_ms
        sys.stdout.write(f"{name:<16} {cost.cpu_ms:6.3f} ms CPU {cpu:5.2f}  {cost.took_ms:7.3f} ms {took:5.2f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
