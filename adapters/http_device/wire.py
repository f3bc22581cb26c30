"""The connection to a device: opened to a judged address only, closed at once whatever happens."""

import asyncio
import ipaddress
import socket
import ssl
from typing import Any, cast

import httpcore

from adapters.http_device.attempt import Attempt, Stage


class DeviceWire(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """Bytes to and from one device.

    The buffer needs no limit: it is emptied in each turn of the event loop, and the first byte over the limit of the
    body closes the connection. (uvloop loses the end of a TLS answer when reading was paused.)

    Bytes that came before a reset are handed out before the reset is raised: small devices often send a whole answer
    and reset the connection instead of closing it.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._buffer = bytearray()
        self._news = asyncio.Event()
        self._over = False
        self._lost = asyncio.Event()
        self._fault: Exception | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._attempt.take(data)
        self._buffer += data
        self._news.set()

    def eof_received(self) -> None:
        """Called by the event loop; it closes the transport then."""
        self._over = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._over, self._fault = True, exc
        self._news.set()
        self._lost.set()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109, ARG002  httpcore's signature; the total budget is the time limit
        """At least one byte; none once the device has closed.

        Raises:
            OSError: the connection broke.
        """
        while not self._buffer and not self._over:
            self._news.clear()
            await self._news.wait()
        if self._buffer:
            data = bytes(self._buffer[:max_bytes])
            del self._buffer[:max_bytes]
            return data
        self._attempt.ended = True
        if self._fault is not None:
            raise self._fault
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109, ARG002  httpcore's signature
        """Send; a connection that is gone is told by the next read, which may still find an answer."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(buffer)

    async def aclose(self) -> None:
        """Close without a good-bye and return when the socket is free: the host's next request may need it.

        Again: nothing. Cancelled: the socket is freed in the next turn of the event loop.
        """
        if self._transport is not None:
            self._transport.abort()
            await self._lost.wait()

    def get_extra_info(self, info: str) -> Any:
        """Nothing that httpcore needs here."""
        del info


async def open_wire(attempt: Attempt, tls: ssl.SSLContext | None) -> DeviceWire:
    """Connect to the first of the attempt's addresses that accepts; TLS speaks for its host.

    Raises:
        OSError: none accepted; the last one's reason. `ssl.SSLError` when the handshake failed.
    """
    attempt.stage = Stage.CONNECTING
    connected = await _first_accepting(attempt)
    if tls is not None:
        attempt.stage = Stage.SECURING
    loop = asyncio.get_running_loop()
    name = attempt.host if tls is not None else None
    # The socket is the transport's from here on: when the handshake fails or is cancelled, the loop closes it.
    _, wire = await loop.create_connection(lambda: DeviceWire(attempt), sock=connected, ssl=tls, server_hostname=name)
    return wire


async def _first_accepting(attempt: Attempt) -> socket.socket:
    loop = asyncio.get_running_loop()
    failure: OSError = OSError("no address to call")
    for left, address in zip(range(len(attempt.addresses), 0, -1), attempt.addresses, strict=True):
        attempt.address = address
        # An address that swallows packets gets its share of the time only, so that the next one can still be read.
        share_s = (attempt.deadline - loop.time()) / left
        try:
            async with asyncio.timeout(share_s if left > 1 else None):
                return await _connect(address, attempt.port)
        except OSError as exc:
            failure = exc
    raise failure


async def _connect(address: str, port: int) -> socket.socket:
    family = socket.AF_INET if ipaddress.ip_address(address).version == 4 else socket.AF_INET6
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(0)
        await asyncio.get_running_loop().sock_connect(opened, (address, port))
    except BaseException:
        opened.close()
        raise
    return opened
