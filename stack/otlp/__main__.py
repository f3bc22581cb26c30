"""`python -m stack.otlp`: take OTLP on loopback until a signal ends it; what came is forgotten with the process."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator, Sequence

import uvicorn

from stack.otlp.kept import Kept
from stack.otlp.taking import GrpcTaker
from stack.otlp.web import web_app
from stack.server import HOST


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; 0 after a clean end, 1 when a port is taken."""
    parser = argparse.ArgumentParser(prog="python -m stack.otlp", description=__doc__)
    parser.add_argument("--grpc-port", type=int, default=4317, help="of OTLP by gRPC; 0 takes a free one")
    parser.add_argument("--http-port", type=int, default=4318, help="of OTLP by HTTP, and of questions")
    wanted = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(wanted.grpc_port, wanted.http_port))
    except (OSError, RuntimeError) as error:
        sys.stderr.write(f"otlp: {error}\n")
        return 1
    return 0


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn's own handlers raise them again after a clean end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


async def _serve(grpc_port: int, http_port: int) -> None:
    kept = Kept()
    taker, server = GrpcTaker(kept), _Server(uvicorn.Config(web_app(kept), access_log=False, log_config=None))
    with socket.create_server((HOST, http_port)) as listener:
        sys.stderr.write(f"OTLP by gRPC on {HOST}:{await taker.start(HOST, grpc_port)}\n")
        sys.stderr.write(f"OTLP by HTTP on {HOST}:{listener.getsockname()[1]}\n")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, server.handle_exit, number, None)
        try:
            await server.serve(sockets=[listener])
        finally:
            await taker.stop()


if __name__ == "__main__":
    sys.exit(main())
