"""What every HTTP server of ours shares: its listening socket, and a clean end by a signal."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn

from collector.domain.errors import InvalidFieldError

BACKLOG = 512


def listening(host: str, port: int, prefix: str) -> socket.socket:
    """A listening socket.

    Args:
        host: name or address to listen on.
        port: 0 takes a free one.
        prefix: of the two variables, such as `CHAMBERLOG_API`.

    Raises:
        InvalidFieldError: names the variable; the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        field = f"{prefix}_HOST" if isinstance(error, socket.gaierror) else f"{prefix}_PORT"
        problem = f"{host}:{port} cannot be listened on: {error.strerror}"
        raise InvalidFieldError(field, problem, "choose another, or stop what listens there") from None


class SignalledServer(uvicorn.Server):
    """Ends by a signal with exit code 0; uvicorn's own would raise the signal again after its clean end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install the handlers for as long as the server runs."""
        loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
