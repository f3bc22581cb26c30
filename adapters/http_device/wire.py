"""The connection to a device: opened to a judged address only, closed at once whatever happens."""

import asyncio
import ipaddress
import socket
import ssl
from typing import Any, cast

import httpcore

from adapters.http_device.attempt import Attempt, Stage

# Bytes kept for a reader that is slower than the device; then the device has to wait.
BUFFER_BYTES = 65_536


class DeviceWire(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """Bytes to and from one device.

    Bytes that came before a reset are handed out before the reset is raised: small devices often send a whole answer
    and reset the connection instead of closing it.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._buffer = bytearray()
        self._news = asyncio.Event()
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
        if len(self._buffer) >= BUFFER_BYTES and self._transport is not None:
            self._transport.pause_reading()
        self._news.set()

    def eof_received(self) -> None:
        """Called by the event loop; it closes the transport then."""
        self._attempt.ended = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._attempt.ended, self._fault = True, exc
        self._news.set()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109, ARG002  httpcore's signature; the total budget is the time limit
        """At least one byte; none once the device has closed.

        Raises:
            OSError: the connection broke.
        """
        while not self._buffer and not self._attempt.ended:
            self._news.clear()
            await self._news.wait()
        if self._buffer:
            return self._hand_out(max_bytes)
        if self._fault is not None:
            raise self._fault
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109, ARG002  httpcore's signature
        """Send; a connection that is gone is told by the next read, which may still find an answer."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(buffer)

    async def aclose(self) -> None:
        """See `close`."""
        self.close()

    def close(self) -> None:
        """Close without waiting for the device, TLS good-bye included. Again: nothing."""
        if self._transport is not None:
            self._transport.abort()

    def get_extra_info(self, info: str) -> Any:
        """Nothing that httpcore needs here."""
        del info

    def _hand_out(self, max_bytes: int) -> bytes:
        data = bytes(self._buffer[:max_bytes])
        del self._buffer[:max_bytes]
        if len(self._buffer) < BUFFER_BYTES and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        return data


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
    try:
        _, wire = await loop.create_connection(
            lambda: DeviceWire(attempt), sock=connected, ssl=tls, server_hostname=name
        )
    except BaseException:
        connected.close()
        raise
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
