"""Two real instances of the API behind the real gateway and the real authz service: one is killed under load."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio

from api.grpc.generated.chamberlog.v1 import sections_pb2
from edge.addresses import Address
from edge.ingress import IngressSettings, render_ingress
from stack.bootstrap import ensure_api_key, ensure_assertion_keys
from stack.environment import part_environment
from stack.envoy import start_envoy
from stack.home import Home
from stack.ports import free_port
from stack.process import Child, Command, spawn
from stack.server import HOST, await_ready
from stack.temporal import accepts

READY_S = 45.0
NOWHERE = f"{HOST}:9"
"""In place of Temporal: what is asked for here needs the database only."""


@dataclass
class Served:
    """What runs: the gateway's address, the key of the local stack, and the API's instances."""

    port: int
    key: str
    instances: list[Child]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@pytest_asyncio.fixture
async def key(database: str, tmp_path: Path) -> str:
    return await ensure_api_key(database, tmp_path / "api_key")


@pytest.fixture
def served(database: str, key: str, tmp_path: Path) -> Iterator[Served]:
    home = Home(tmp_path)
    ensure_assertion_keys(home)
    settings = IngressSettings(
        listen=Address(HOST, free_port()),
        admin=Address(HOST, free_port()),
        api=(Address(HOST, free_port()), Address(HOST, free_port())),
        authz=(Address(HOST, free_port()),),
        grpc=(Address(HOST, free_port()), Address(HOST, free_port())),
    )
    with ExitStack() as closing:

        def program(module: str, **variables: str) -> Child:
            environment = part_environment({f"CHAMBERLOG_{name}": value for name, value in variables.items()})
            environment |= {"TEMPORAL_ADDRESS": NOWHERE}
            child = spawn(Command([sys.executable, "-P", "-m", module], tmp_path / f"{module}.log", environment))
            closing.callback(child.stop)
            return child

        instances = [
            program(
                "api",
                POSTGRES=database,
                API_PORT=str(rest.port),
                GRPC_PORT=str(rpc.port),
                ASSERTION_KEYS_FILE=str(home.assertion_keys_file),
            )
            for rest, rpc in zip(settings.api, settings.grpc, strict=True)
        ]
        signing = str(home.assertion_key_file)
        gate = program("gateway", POSTGRES=database, AUTHZ_PORT=str(settings.authz[0].port), ASSERTION_KEY_FILE=signing)
        for child, where in zip((*instances, gate), (*settings.api, *settings.authz), strict=True):
            await_ready(child, lambda where=where: accepts(where.port), READY_S, "a part")  # type: ignore[misc]
        for child, where in zip(instances, settings.grpc, strict=True):
            await_ready(child, lambda where=where: accepts(where.port), READY_S, "gRPC")  # type: ignore[misc]
        text, admin = render_ingress(settings), settings.admin.port
        envoy = start_envoy(tmp_path / "gateway.yaml", text, admin, log=tmp_path / "envoy.log")
        envoy.drain_s = 0.0
        closing.callback(envoy.stop)
        await_ready(envoy.child, lambda: accepts(settings.listen.port), READY_S, "Envoy")
        yield Served(settings.listen.port, key, instances)


async def readings(served: Served, seconds: float) -> Counter[str]:
    """What four readers get of REST who ask again and again."""
    found, end = Counter[str](), time.monotonic() + seconds

    async def reader(client: httpx.AsyncClient) -> None:
        while time.monotonic() < end:
            try:
                found[str((await client.get("/v1/sections")).status_code)] += 1
            except httpx.TransportError as error:
                found[type(error).__name__] += 1

    url = f"http://{HOST}:{served.port}"
    async with httpx.AsyncClient(base_url=url, headers=served.headers, timeout=30.0) as client:
        await asyncio.gather(*(reader(client) for _ in range(4)))
    return found


async def calls(served: Served, seconds: float) -> Counter[str]:
    """The same of gRPC."""
    found, end = Counter[str](), time.monotonic() + seconds
    metadata = [("authorization", f"Bearer {served.key}"), ("x-chamberlog-subject", "root")]
    request = sections_pb2.ListSectionsRequest().SerializeToString()
    async with grpc.aio.insecure_channel(f"{HOST}:{served.port}") as channel:
        method: Any = channel.unary_unary("/chamberlog.v1.Sections/ListSections")
        while time.monotonic() < end:
            try:
                await method(request, metadata=metadata, timeout=30)
                found["OK"] += 1
            except grpc.aio.AioRpcError as error:
                found[f"{error.code().name} {error.details()}"] += 1
    return found


async def test_a_killed_instance_of_the_api_under_reads_costs_no_request(served: Served) -> None:
    reading, calling = (asyncio.create_task(ask(served, 8.0)) for ask in (readings, calls))
    await asyncio.sleep(3.0)
    os.kill(served.instances[0].pid, signal.SIGKILL)
    rest, rpc = await asyncio.gather(reading, calling)
    assert set(rest) == {"200"}, rest
    assert set(rpc) == {"OK"}, rpc
    assert rest["200"] > 40
    assert rpc["OK"] > 10


async def test_who_is_denied_a_call_is_told_why_in_words(served: Served) -> None:
    async with grpc.aio.insecure_channel(f"{HOST}:{served.port}") as channel:
        method: Any = channel.unary_unary("/chamberlog.v1.Sections/ListSections")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await method(b"", timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert (caught.value.details() or "").startswith("there is no API key; send ")


async def test_a_headless_identity_is_nobodys(served: Served) -> None:
    """Spoofed by both ways of coming: the gateway takes it away, an instance refuses it."""
    forged = {"x-chamberlog-subject": "root", "X-Chamberlog-Assertion": "e30.e30.e30"}
    async with httpx.AsyncClient(timeout=30.0) as client:
        assert (await client.get(f"http://{HOST}:{served.port}/v1/sections", headers=forged)).status_code == 401
        known = await client.get(f"http://{HOST}:{served.port}/v1/sections", headers=served.headers | forged)
        assert known.status_code == 200
