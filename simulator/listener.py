"""One port that can refuse connections and accept them again without losing its number."""

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator

HOST = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 (asked for by name, in a container of its own)
BACKLOG = 1_024
FREE_FIRST, FREE_LAST = 18_100, 32_000
"""Free ports are taken from below the system's ephemeral range: no outgoing connection can be on one at a restart."""

FILLERS, FILLED_S = 16, 0.1
"""A full backlog answers no attempt to connect: how many connections are tried, and how long each is waited for."""
STARTS, STRIDE = 50, 200
"""Where processes begin to look, and how far apart."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class PortTakenError(OSError):
    """Somebody else listens on the port; the message names it and the remedy."""


class StillAcceptsError(OSError):
    """This machine accepts connections beyond a full backlog: nothing here can make it drop them."""


def listen_on(port: int, host: str = HOST) -> socket.socket:
    """A listening socket on exactly this port.

    Args:
        port: the port.
        host: an IPv4 address of this machine, or `EVERYWHERE`.

    Raises:
        PortTakenError: somebody else listens there.
        OSError: the port may not be used, or there are no more sockets.
    """
    sock = _bound(port, host)
    try:
        sock.listen(BACKLOG)  # without it two sockets with SO_REUSEADDR could share the port unnoticed
    except OSError:
        sock.close()
        raise PortTakenError(errno.EADDRINUSE, f"port {port} is taken; give another one, or 0 for any free") from None
    return sock


def free_ports(host: str = HOST) -> Iterator[socket.socket]:
    """Listening sockets on free ports, in rising order.

    Each process begins elsewhere: the port of a device that is down is free, and must not be another fleet's meanwhile.
    """
    first = FREE_FIRST + os.getpid() % STARTS * STRIDE
    for port in (*range(first, FREE_LAST), *range(FREE_FIRST, first)):
        try:
            yield listen_on(port, host)
        except PortTakenError:
            continue
    raise PortTakenError(errno.EADDRINUSE, f"no port from {FREE_FIRST} to {FREE_LAST} is free")


def reset_connection(writer: asyncio.StreamWriter) -> None:
    """End the connection with RST instead of FIN."""
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Listener:
    """Serves the connections of one port."""

    def __init__(self, sock: socket.socket, serve: Serve) -> None:
        """Take over a listening socket; nothing is accepted before `open`."""
        self._host: str = sock.getsockname()[0]
        self.port: int = sock.getsockname()[1]
        self._sock = sock
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._fillers: list[socket.socket] = []

    @property
    def url(self) -> str:
        """Where others reach it: by the machine's name when it listens everywhere."""
        return f"http://{socket.gethostname() if self._host == EVERYWHERE else self._host}:{self.port}"

    async def open(self) -> None:
        """Accept connections; opening again changes nothing.

        Raises:
            PortTakenError: somebody else took the port while it refused connections.
        """
        if self._server is not None:
            return
        if self._sock.fileno() < 0:
            self._sock = listen_on(self.port, self._host)
        self._let_go()
        try:
            self._server = await asyncio.start_server(self._connected, sock=self._sock, backlog=BACKLOG)
        except OSError as error:
            raise PortTakenError(error.errno, f"port {self.port} was taken by somebody else meanwhile") from None

    async def refuse(self) -> None:
        """Refuse new connections and drop those that are open.

        The port stays bound, so that nobody is given it as a free one; who asks for this very port can still have it.
        """
        await self.close()
        self._sock = _bound(self.port, self._host)

    async def neglect(self) -> None:
        """Drop what is open; the system goes on accepting connections, and nobody serves them."""
        await self.close()
        self._sock = listen_on(self.port, self._host)

    async def drop(self) -> None:
        """Answer no attempt to connect, as a machine that is not there: the backlog is full and stays full.

        Raises:
            StillAcceptsError: this machine accepts all the same; the port is open again.
        """
        await self.close()
        self._sock = _bound(self.port, self._host)
        self._sock.listen(0)
        for _ in range(FILLERS):
            if not await self._fill():
                return
        await self.open()
        raise StillAcceptsError(errno.EOPNOTSUPP, "this machine accepts beyond a full backlog; use web-server-dead")

    async def _fill(self) -> bool:
        """One connection more; False when it is not accepted any longer."""
        filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        filler.settimeout(0)
        self._fillers.append(filler)
        address = (HOST if self._host == EVERYWHERE else self._host, self.port)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(filler, address), FILLED_S)
        except TimeoutError:
            return False
        return True

    def _let_go(self) -> None:
        while self._fillers:
            self._fillers.pop().close()

    async def close(self) -> None:
        """Close the port and every connection; closing again changes nothing."""
        self._let_go()
        if self._server is not None:
            self._server.close()
            self._server = None
        self._sock.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            writer.transport.abort()  # the client left, or the port closes: both are ordinary here
        finally:
            self._connections.discard(task)
            writer.close()


def _bound(port: int, host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.settimeout(0)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(error.errno, f"port {port} is taken; give another one, or 0 for any free") from None
        raise
    return sock
