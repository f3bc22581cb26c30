"""gRPC by the gateway's one port: without TLS, with it, denied, limited, and as a stream."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
import trustme

from edge.addresses import Address
from edge.ingress import Tls
from stack.ports import free_port
from stack.server import HOST
from tests.contract.gateway_room import Room, ingress_settings, opened

HEALTH, SERVING = "/grpc.health.v1.Health/Check", b"\x08\x01"
HEALTH_STREAM = "/grpc.health.v1.Health/Watch"
"""The one message of that service that says something, as its bytes."""
KEY = (("authorization", "Bearer good"),)


class Methods(grpc.GenericRpcHandler):
    """Answers with the metadata that came, as `name=value` lines; `Watch...` says three things."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        if details.method == HEALTH:
            return grpc.unary_unary_rpc_method_handler(lambda *_: SERVING)
        if details.method == HEALTH_STREAM:
            return grpc.unary_stream_rpc_method_handler(self.watch_health)
        if not details.method.startswith("/chamberlog.v1."):
            return None
        self.calls.append(details.method)
        if details.method.endswith("WatchReadings"):
            return grpc.unary_stream_rpc_method_handler(self.watch)
        return grpc.unary_unary_rpc_method_handler(self.answer)

    def answer(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        if request == b"slow":
            time.sleep(1.0)
        if request == b"unknown":
            context.abort(grpc.StatusCode.NOT_FOUND, "no chamber x")
        return "\n".join(f"{name}={value!s}" for name, value in context.invocation_metadata()).encode()

    def watch_health(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        del request
        yield SERVING
        while context.is_active():
            time.sleep(0.1)

    def watch(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        del context
        for number in range(3):
            yield b"%s %d" % (request, number)
            time.sleep(0.4)


@contextmanager
def served(methods: Methods) -> Iterator[int]:
    with ThreadPoolExecutor(8) as threads:
        server = grpc.server(threads, handlers=[methods])
        port = server.add_insecure_port(f"{HOST}:{free_port()}")
        server.start()
        try:
            yield port
        finally:
            server.stop(0.1).wait()


@pytest.fixture(scope="module")
def methods() -> Methods:
    return Methods()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, methods: Methods) -> Iterator[Room]:
    with served(methods) as port:
        settings = ingress_settings(apis=1, grpc=(Address(HOST, port),))
        with opened(tmp_path_factory.mktemp("gateway"), settings) as opened_room:
            yield opened_room


@pytest_asyncio.fixture
async def channel(room: Room) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"{HOST}:{room.port}") as opened_channel:
        yield opened_channel


def unary(channel: grpc.aio.Channel, method: str) -> Any:
    """A method whose messages are bytes."""
    return channel.unary_unary(method)


async def metadata_of(channel: grpc.aio.Channel, *metadata: tuple[str, str]) -> list[str]:
    answer = await unary(channel, "/chamberlog.v1.Chambers/ListChambers")(b"x", metadata=metadata, timeout=10)
    return sorted(answer.decode().splitlines())


async def denied(channel: grpc.aio.Channel, method: str, *metadata: tuple[str, str]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await unary(channel, method)(b"x", metadata=metadata, timeout=10)
    return caught.value


async def test_the_service_sees_who_asks_and_never_the_credential(channel: grpc.aio.Channel) -> None:
    forged = (("x-chamberlog-subject", "root"), ("x-chamberlog-assertion", "forged"), ("x-chamberlog-any", "1"))
    seen = await metadata_of(channel, *KEY, *forged)
    assert [line for line in seen if line.startswith("x-chamberlog")] == [
        "x-chamberlog-assertion=signed",
        "x-chamberlog-organization=default",
        "x-chamberlog-role=operator",
        "x-chamberlog-subject=user/ada",
    ]
    assert not [line for line in seen if line.startswith("authorization")]


async def test_metadata_with_an_underscore_is_refused(channel: grpc.aio.Channel) -> None:
    error = await denied(channel, "/chamberlog.v1.Chambers/ListChambers", *KEY, ("x_chamberlog_subject", "root"))
    assert error.code() in {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE}


@pytest.mark.parametrize(
    ("method", "metadata", "code"),
    [
        ("Chambers/ListChambers", (), grpc.StatusCode.UNAUTHENTICATED),
        ("Sections/GetSection", KEY, grpc.StatusCode.NOT_FOUND),
        ("Sections/ListSections", KEY, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
async def test_a_denial_has_the_status_that_clients_of_grpc_know(
    channel: grpc.aio.Channel, methods: Methods, method: str, metadata: tuple[tuple[str, str], ...], code: object
) -> None:
    before = len(methods.calls)
    error = await denied(channel, f"/chamberlog.v1.{method}", *metadata)
    assert error.code() is code
    assert "the authz service says so" in (error.details() or "")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        trailing = dict(error.trailing_metadata() or ()) | dict(error.initial_metadata() or ())
        assert trailing["retry-after"] == "3"
    assert len(methods.calls) == before


async def test_an_error_of_the_service_is_its_own(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await unary(channel, "/chamberlog.v1.Chambers/GetChamber")(b"unknown", metadata=KEY, timeout=10)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.NOT_FOUND, "no chamber x")


async def test_a_deadline_of_the_client_holds(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await unary(channel, "/chamberlog.v1.Chambers/GetChamber")(b"slow", metadata=KEY, timeout=0.3)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_stream_arrives_as_it_is_sent(channel: grpc.aio.Channel) -> None:
    began = time.monotonic()
    watch: Any = channel.unary_stream("/chamberlog.v1.Readings/WatchReadings")
    call = watch(b"r", metadata=KEY, timeout=10)
    arrived = [(message, time.monotonic() - began) async for message in call]
    assert [message for message, _ in arrived] == [b"r 0", b"r 1", b"r 2"]
    assert arrived[2][1] - arrived[0][1] > 0.5


async def test_health_needs_no_key(channel: grpc.aio.Channel) -> None:
    assert await unary(channel, HEALTH)(b"", timeout=10) == SERVING


async def test_whoever_nobody_knows_holds_no_stream_that_others_then_wait_for(tmp_path: Path, methods: Methods) -> None:
    with served(methods) as port:
        settings = ingress_settings(apis=1, grpc=(Address(HOST, port),))
        settings = replace(settings, limits=replace(settings.limits, upstream_requests=2))
        with opened(tmp_path, settings) as room:
            async with grpc.aio.insecure_channel(f"{HOST}:{room.port}") as channel:
                watch: Any = channel.unary_stream(HEALTH_STREAM)
                held = [watch(b"", timeout=10) for _ in range(2)]
                said = await asyncio.gather(*(stream.read() for stream in held), return_exceptions=True)
                assert [getattr(error, "code", object)() for error in said] == [grpc.StatusCode.UNIMPLEMENTED] * 2
                assert await metadata_of(channel, *KEY)


async def test_rest_comes_by_the_same_port(room: Room, channel: grpc.aio.Channel) -> None:
    async with httpx.AsyncClient() as client:
        rest, _ = await asyncio.gather(
            client.get(f"{room.url}/v1/echo", headers={"Authorization": "Bearer good"}), metadata_of(channel, *KEY)
        )
    assert rest.status_code == 200


async def test_a_method_of_no_service_is_unimplemented(channel: grpc.aio.Channel) -> None:
    error = await denied(channel, "/other.v1.Things/Do", *KEY)
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_both_come_by_tls(tmp_path: Path, methods: Methods) -> None:
    authority = trustme.CA()
    signed = authority.issue_cert("localhost", HOST)
    tls = Tls(tmp_path / "gateway.pem", tmp_path / "gateway.key")
    tls.certificate.write_bytes(b"".join(blob.bytes() for blob in signed.cert_chain_pems))
    signed.private_key_pem.write_to_path(tls.key)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with served(methods) as port:
        settings = ingress_settings(apis=1, grpc=(Address(HOST, port),), tls=tls)
        with opened(tmp_path, settings) as room:
            credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
            async with grpc.aio.secure_channel(f"localhost:{room.port}", credentials) as channel:
                assert "x-chamberlog-subject=user/ada" in await metadata_of(channel, *KEY)
            context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
            async with httpx.AsyncClient(verify=context) as client:
                answer = await client.get(
                    f"https://localhost:{room.port}/v1/echo", headers={"Authorization": "Bearer good"}
                )
                assert answer.status_code == 200
                with pytest.raises(httpx.TransportError):
                    await client.get(f"http://localhost:{room.port}/v1/echo")
