"""OTLP by gRPC: the three services, whose one method takes what a process sends."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import Message

from stack.otlp.kept import Kept
from stack.otlp.signals import SIGNALS, Signal

MOST_BYTES = 4_000_000
"""Of one request, unpacked: as much as a collector takes unless it is told otherwise."""
OPTIONS = (("grpc.max_receive_message_length", MOST_BYTES), ("grpc.so_reuseport", 0))
GRACE_S = 1.0


class GrpcTaker:
    """The gRPC server. It is made and started in the loop in which it runs.

    Args:
        kept: where everything goes.
    """

    def __init__(self, kept: Kept) -> None:
        self._server = grpc.aio.server(options=OPTIONS)
        for signal in SIGNALS:
            handler = grpc.unary_unary_rpc_method_handler(
                _taking(kept, signal), signal.request.FromString, signal.response.SerializeToString
            )
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(signal.service, {"Export": handler}),)
            )

    async def start(self, host: str, port: int) -> int:
        """Listen (0 = on any free port); which port it is.

        Raises:
            RuntimeError: the port is taken.
        """
        taken = self._server.add_insecure_port(f"{host}:{port}")
        await self._server.start()
        return taken

    async def stop(self) -> None:
        """Let what is being taken end."""
        await self._server.stop(GRACE_S)


def _taking(kept: Kept, signal: Signal) -> Callable[[Any, Any], Awaitable[Message]]:
    async def take(request: Any, _: Any) -> Message:
        kept.take(request)
        return signal.response()

    return take
