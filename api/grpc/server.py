"""The gRPC server of the API's process: its services, health and reflection, how it begins and how it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from api.grpc.call import CALL, Method, Methods
from api.grpc.gate import Finished, Gate
from api.grpc.recording import GrpcEvents
from api.grpc.serving import SERVICES
from api.guard import MAX_BODY_BYTES
from api.services import Services
from api.streams import Streams
from api.timing import EdgeMetrics
from collector.domain.errors import InvalidFieldError

AT_ONCE = 2_000
"""Calls of a process at a time; beyond it they are refused, before anything is asked of a database."""
GRACE_S = 10
"""As requests of the REST API have it."""
LEAVE_S = 1.0
"""So long a stop waits for streams whose clients do not read."""
LOOK_S = 0.1
"""How often a stop looks whether calls are left that it waits for."""
OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MAX_BODY_BYTES),
    ("grpc.so_reuseport", 0),  # a second process on the port would share it silently
    ("grpc.max_concurrent_streams", 1_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),  # a client that vanished without a word holds its stream no longer
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)


class GrpcApi:
    """The server. It is made and started in the loop in which it runs.

    Args:
        services: the use cases.
        streams: the open ones of this process; the limit counts both kinds.
        finished: told of each change; by default the audit events are.
        metrics: told how long calls take; None = nobody is.
    """

    def __init__(
        self,
        services: Services,
        streams: Streams,
        finished: Finished | None = None,
        metrics: EdgeMetrics | None = None,
    ) -> None:
        self._gate = Gate(services, streams, finished or GrpcEvents(services.record), metrics)
        self._server = grpc.aio.server(
            interceptors=[self._gate], options=OPTIONS, maximum_concurrent_rpcs=AT_ONCE, compression=None
        )
        self._health = health.aio.HealthServicer()
        for service, methods in SERVICES:
            self._server.add_generic_rpc_handlers((_handlers(service, methods),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = [service.full_name for service, _ in SERVICES]
        self._stopping: asyncio.Task[None] | None = None
        self._names = [*names, health.SERVICE_NAME]
        reflection.enable_server_reflection([*self._names, reflection.SERVICE_NAME], self._server)

    def listen(self, host: str, port: int) -> int:
        """Take a port (0 = any free one); which it is.

        Raises:
            InvalidFieldError: names the variable; the port is taken, or the address is not this machine's.
        """
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            return self._server.add_insecure_port(where)
        except RuntimeError:
            problem = f"{where} cannot be listened on"
            raise InvalidFieldError(
                "CHAMBERLOG_GRPC_PORT", problem, "choose another, or stop what listens there"
            ) from None

    async def start(self) -> None:
        """Answer calls from now on."""
        for name in self._names:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        await self._server.start()

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Take no more calls and let those that run end within `grace_s`; again: wait for the same end.

        Streams of readings have been told already; whoever does not read is cut off. A change whose caller has left
        is finished too.
        """
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(grace_s))
        await asyncio.shield(self._stopping)

    async def _stop(self, grace_s: float) -> None:
        await self._health.enter_graceful_shutdown()
        ended, began = asyncio.create_task(self._server.stop(grace_s)), asyncio.get_running_loop().time()
        while not (await asyncio.wait({ended}, timeout=LOOK_S))[0]:
            waited_s = asyncio.get_running_loop().time() - began
            if not self._gate.running.answering and waited_s >= (LEAVE_S if self._gate.running.streaming else 0):
                break
        await self._server.stop(None)
        await ended
        if self._gate.running.writing:
            await asyncio.wait(self._gate.running.writing, timeout=grace_s)


def _handlers(service: ServiceDescriptor, methods: Methods) -> grpc.GenericRpcHandler:
    made = {name: _handler(service.methods_by_name[name], method) for name, method in methods.items()}
    return grpc.method_handlers_generic_handler(service.full_name, made)


def _handler(kind: MethodDescriptor, method: Method) -> "grpc.RpcMethodHandler[Any, Any]":
    take, give = GetMessageClass(kind.input_type).FromString, GetMessageClass(kind.output_type).SerializeToString
    if kind.server_streaming:
        return grpc.unary_stream_rpc_method_handler(_streaming(method), take, give)
    return grpc.unary_unary_rpc_method_handler(_answering(method), take, give)


def _answering(method: Method) -> Callable[[Any, Any], Any]:
    async def behave(request: Any, _: Any) -> Any:
        answer: Any = method(CALL.get(), request)
        return await answer

    return behave


def _streaming(method: Method) -> Callable[[Any, Any], Any]:
    async def behave(request: Any, _: Any) -> AsyncIterator[Any]:
        answers: Any = method(CALL.get(), request)
        async for answer in answers:
            yield answer

    return behave
