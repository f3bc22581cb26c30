"""The gRPC API over in-memory twins on a loopback port, and a client that needs no generated stub."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from api.grpc.server import GrpcApi
from api.timing import EdgeMetrics
from tests.unit.api_world import KEYS, World

PACKAGE = "chamberlog.v1"


@dataclass(frozen=True, slots=True)
class Told:
    """How a call ended.

    Attributes:
        code: `NOT_FOUND`.
        violations: field -> "problem; remedy".
        info: of ErrorInfo: reason, domain and metadata.
        retry_s: of RetryInfo.
    """

    code: str
    message: str
    violations: dict[str, str] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    retry_s: int | None = None
    trailing: dict[str, Any] = field(default_factory=dict)


def told(error: grpc.aio.AioRpcError) -> Told:
    """What a client can read of a refusal."""
    trailing = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailing.get("grpc-status-details-bin", b""))
    found: dict[str, Any] = {}
    for detail in status.details:
        bad, wait, info = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo(), error_details_pb2.ErrorInfo()
        if detail.Unpack(bad):
            found["violations"] = {v.field: v.description for v in bad.field_violations}
        elif detail.Unpack(wait):
            found["retry_s"] = wait.retry_delay.seconds
        elif detail.Unpack(info):
            found["info"] = {"reason": info.reason, "domain": info.domain, "metadata": dict(info.metadata)}
    if status.code:
        assert (status.code, status.message) == (error.code().value[0], error.details())
    return Told(error.code().name, error.details() or "", trailing=trailing, **found)


@dataclass
class Client:
    """Calls by name, requests and answers as the JSON of protobuf."""

    channel: grpc.aio.Channel
    api: GrpcApi
    port: int

    def method(self, name: str) -> Any:
        """A callable of the channel for `Chambers/GetChamber`."""
        service, _, method = name.partition("/")
        kind = descriptor_pool.Default().FindServiceByName(f"{PACKAGE}.{service}").methods_by_name[method]
        make = self.channel.unary_stream if kind.server_streaming else self.channel.unary_unary
        return make(
            f"/{PACKAGE}.{name}",
            request_serializer=lambda message: message if isinstance(message, bytes) else message.SerializeToString(),
            response_deserializer=GetMessageClass(kind.output_type).FromString,
        )

    def message(self, name: str, document: dict[str, Any]) -> Any:
        """The request of a method."""
        service, _, method = name.partition("/")
        kind = descriptor_pool.Default().FindServiceByName(f"{PACKAGE}.{service}").methods_by_name[method]
        return ParseDict(document, GetMessageClass(kind.input_type)())

    async def ask(
        self, name: str, request: Any = None, *, whose: str | None = "default", timeout_s: float = 10, **metadata: str
    ) -> dict[str, Any]:
        """The answer as JSON; names of metadata are written with `_`."""
        message = self.message(name, request or {}) if isinstance(request, dict | None) else request
        sent = sent_by(whose, **metadata)
        answer = await self.method(name)(message, metadata=sent, timeout=timeout_s)
        found: dict[str, Any] = MessageToDict(answer, preserving_proto_field_name=True)
        return found

    async def refused(self, name: str, request: Any = None, **rest: Any) -> Told:
        """How it ends when it is not answered."""
        try:
            answer = await self.ask(name, request, **rest)
        except grpc.aio.AioRpcError as error:
            return told(error)
        raise AssertionError(f"{name} was answered: {json.dumps(answer)}")


def sent_by(whose: str | None, **metadata: str) -> list[tuple[str, str]]:
    """Metadata of a call with that key of `KEYS`, or with none."""
    key = [] if whose is None else [("authorization", f"Bearer {KEYS[whose]}")]
    return [*key, *((name.replace("_", "-"), value) for name, value in metadata.items())]


@asynccontextmanager
async def served(made: GrpcApi) -> AsyncIterator[Client]:
    """That gRPC API on a port of its own."""
    port = made.listen("127.0.0.1", 0)
    await made.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Client(channel, made, port)
    finally:
        await made.stop(2)


@asynccontextmanager
async def serving(world: World, metrics: EdgeMetrics | None = None) -> AsyncIterator[Client]:
    """The gRPC API of the world on a port of its own."""
    live = world.app.state.services.live
    async with served(GrpcApi(world.app.state.services, world.app.state.streams, metrics=metrics)) as client:
        try:
            yield client
        finally:
            if live is not None:
                live.stop()
