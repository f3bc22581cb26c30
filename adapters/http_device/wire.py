"""The connection to a device: opened to a judged address only, closed at once whatever happens."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar, cast

from adapters.http_device.attempt import Attempt, Stage

T = TypeVar("T")


class DeviceWire(asyncio.Protocol):
    """Bytes to and from one device; one reader at a time.

    The buffer needs no limit: it is emptied in each turn of the event loop, and the first byte over the limit of the
    body closes the connection. (uvloop loses the end of a TLS answer when reading was paused.)

    Bytes that came before a reset are handed out before the reset is raised: small devices often send a whole answer
    and reset the connection instead of closing it.
    """

    def __init__(self, attempt: Attempt, loop: asyncio.AbstractEventLoop) -> None:
        self._attempt, self._loop = attempt, loop
        self._buffer = b""
        self._over = self._lost = False
        self._fault: Exception | None = None
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._attempt.take(data)
        self._buffer += data
        self._wake()

    def eof_received(self) -> None:
        """Called by the event loop; it closes the transport then."""
        self._over = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._over, self._lost, self._fault = True, True, exc
        self._wake()

    @property
    def transport(self) -> asyncio.Transport:
        """What it is connected by."""
        assert self._transport is not None
        return self._transport

    def give_back(self, data: bytes) -> None:
        """Bytes that were read and are the device's: the next read has them."""
        if data:
            self._attempt.take(data)
            self._buffer = data + self._buffer

    async def read(self) -> bytes:
        """What came since the last call, at least one byte; none once the device has closed.

        Raises:
            OSError: the connection broke.
        """
        while not self._buffer and not self._over:
            await self._news()
        if self._buffer:
            data, self._buffer = self._buffer, b""
            return data
        if self._fault is not None:
            raise self._fault
        return b""

    async def read_within(self, seconds: float) -> bytes:
        """As `read`, or nothing after so long, or shortly before the attempt's budget ends.

        Raises:
            OSError: the connection broke.
        """
        until = min(self._loop.time() + seconds, self._attempt.deadline - seconds)
        timer = self._loop.call_at(until, self._wake)
        try:
            if not self._buffer and not self._over:
                await self._news()  # once: uvloop's clock may stand before `until` when its timer rings
        finally:
            timer.cancel()
        return await self.read() if self._buffer or self._over else b""

    def write(self, data: bytes) -> None:
        """Send; a connection that is gone is told by the next read, which may still find an answer."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def aclose(self) -> None:
        """Close without a good-bye and return when the socket is free: the host's next request may need it.

        Again: nothing. Cancelled: the socket is freed in the next turn of the event loop.
        """
        if self._transport is not None:
            self._transport.abort()
            while not self._lost:
                await self._news()

    def drop(self) -> None:
        """Close, without waiting for the end."""
        self.transport.abort()

    async def _news(self) -> None:
        self._waiting = self._loop.create_future()
        await self._waiting

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Tunnels(Protocol):
    """Connections through an egress proxy."""

    async def open(self, address: str, attempt: Attempt) -> DeviceWire:
        """A connection to the address and the attempt's port."""
        ...

    async def secure(self, wire: DeviceWire, attempt: Attempt, tls: ssl.SSLContext) -> DeviceWire:
        """The same connection under TLS."""
        ...


async def open_wire(attempt: Attempt, tls: ssl.SSLContext | None, tunnels: Tunnels | None = None) -> DeviceWire:
    """Connect to the first of the attempt's addresses that accepts; TLS speaks for its host.

    Raises:
        OSError: none accepted; the last one's reason. `ssl.SSLError` when the handshake failed.
        SlotFailedError: see `adapters.http_device.tunnel.Tunnels.open`.
    """
    if tunnels is not None:
        tunnel = await _first_accepting(attempt, lambda address: tunnels.open(address, attempt))
        return tunnel if tls is None else await tunnels.secure(tunnel, attempt, tls)
    attempt.stage = Stage.CONNECTING
    if tls is None:
        return await _first_accepting(attempt, lambda address: _connect(address, attempt))
    connected = await _first_accepting(attempt, lambda address: _connect_socket(address, attempt.port))
    attempt.stage = Stage.SECURING
    # The socket is the transport's from here on: when the handshake fails or is cancelled, the loop closes it.
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(
        lambda: DeviceWire(attempt, loop), sock=connected, ssl=tls, server_hostname=attempt.host
    )
    return wire


async def _first_accepting(attempt: Attempt, connect: Callable[[str], Awaitable[T]]) -> T:
    *others, last = attempt.addresses
    loop = asyncio.get_running_loop()
    for left, address in zip(range(len(others) + 1, 1, -1), others, strict=True):
        attempt.address = address
        # An address that swallows packets gets its share of the time only, so that the next one can still be read.
        with contextlib.suppress(OSError):
            async with asyncio.timeout((attempt.deadline - loop.time()) / left):
                return await connect(address)
    attempt.address = last
    return await connect(last)


async def _connect(address: str, attempt: Attempt) -> DeviceWire:
    """The loop knows a literal address and resolves nothing; half the cost of handing it a socket of ours."""
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(lambda: DeviceWire(attempt, loop), address, attempt.port)
    return wire


async def _connect_socket(address: str, port: int) -> socket.socket:
    """Apart from the handshake, so that a time-out says which of the two took the time."""
    family = socket.AF_INET if ipaddress.ip_address(address).version == 4 else socket.AF_INET6
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(0)
        await asyncio.get_running_loop().sock_connect(opened, (address, port))
    except BaseException:
        opened.close()
        raise
    return opened
