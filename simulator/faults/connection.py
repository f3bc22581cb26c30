"""Faults of the connection: when and how fast bytes come, and whether the device listens at all."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

from simulator.dialects import Answer
from simulator.faults.fault import Fault, Kind
from simulator.http1 import render
from simulator.listener import Listener, reset_connection

GARBAGE = b"\x16\x03\x01\x00\xa5\xff\xfe chamber 7 \x00\x1b[31m 21.5\r\n\xb6\xb6\xb6"
HUGE_BYTES, PIECE_BYTES = 50 * 2**20, 2**16
AWAKE_S = 2.0
"""How long a sleeping device is awake."""
SOCKET_WAIT_S = 0.25
"""A connection more than there are sockets waits so long for one that is just being closed before it is refused."""


class Exchange(Protocol):
    """One request under the fault that was in force when it came."""

    @property
    def reader(self) -> asyncio.StreamReader:
        """What the client says."""
        ...

    @property
    def writer(self) -> asyncio.StreamWriter:
        """Where the device speaks."""
        ...

    @property
    def fault(self) -> Fault:
        """That fault."""
        ...

    def record(self, serial: int | None, status: int | None) -> None:
        """Log what leaves now."""
        ...

    def numbered(self) -> Answer:
        """The right answer, logged under the next serial number."""
        ...

    async def answer(self) -> bool:
        """Answer as if there were no fault; True when the connection stays."""
        ...


Connection = Callable[[Exchange], Awaitable[bool]]


async def _slow(exchange: Exchange) -> bool:
    await asyncio.sleep(exchange.fault.seconds)
    return await exchange.answer()


async def _garbage(exchange: Exchange) -> bool:
    exchange.record(None, None)
    exchange.writer.write(GARBAGE)
    await exchange.writer.drain()
    return False


async def _hang(exchange: Exchange) -> bool:
    exchange.record(None, None)
    while await exchange.reader.read(PIECE_BYTES):
        continue
    return False


async def _reset(exchange: Exchange) -> bool:
    exchange.record(None, None)
    reset_connection(exchange.writer)
    return False


async def _drip(exchange: Exchange) -> bool:
    answer = exchange.numbered()
    for byte in render(answer, keep_alive=False):
        exchange.writer.write(bytes((byte,)))
        await exchange.writer.drain()
        await asyncio.sleep(exchange.fault.seconds)
    return False


async def _huge(exchange: Exchange) -> bool:
    exchange.record(None, 200)
    form, headers = exchange.fault.form, ["Content-Type: application/json", "Connection: close"]
    if form == "announced":
        headers.append(f"Content-Length: {HUGE_BYTES}")
    if form == "gzip":
        headers.append("Content-Encoding: gzip")
    exchange.writer.write("\r\n".join(("HTTP/1.1 200 OK", *headers, "", "")).encode())
    for piece in _compressed() if form == "gzip" else _pieces():
        exchange.writer.write(piece)
        await exchange.writer.drain()
    return False


def _pieces() -> Iterator[bytes]:
    piece = b'{"temperature": 21.5}'.ljust(PIECE_BYTES)
    return (piece for _ in range(HUGE_BYTES // PIECE_BYTES))


def _compressed() -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)  # 31: gzip's own head and tail
    for piece in _pieces():
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


CONNECTION: dict[str, Kind[Connection]] = {
    "slow": Kind(about="it answers after `seconds`", play=_slow, defaults={"seconds": 3.0}),
    "garbage": Kind(about="bytes that are not HTTP", play=_garbage),
    "hang": Kind(about="it takes the request and never answers", play=_hang),
    "reset": Kind(about="it resets the connection in the place of an answer", play=_reset),
    "drip": Kind(about="its answer one byte at a time, every `seconds`", play=_drip, defaults={"seconds": 0.5}),
    "huge-body": Kind(
        about="a body of 50 MB, with its length, without, or packed by gzip",
        play=_huge,
        forms=("announced", "endless", "gzip"),
    ),
}
"""Called with the exchange, once the request was read."""


# ---- before the request

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _reset_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset_connection(writer)


async def _silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    while await reader.read(PIECE_BYTES):
        continue


ACCEPT: dict[str, Kind[Accept]] = {
    "reset-on-accept": Kind(about="it resets every connection at once", play=_reset_at_once),
    "silence": Kind(about="it accepts and never says a byte", play=_silent),
}
"""Called with each connection that was accepted; no request is read."""

SOCKETS: dict[str, Kind[int]] = {
    "one-socket": Kind(
        about="one connection at a time; others are refused, or wait", play=1, forms=("refuse", "queue")
    ),
    "six-connections": Kind(
        about="six connections at a time; others are refused, or wait", play=6, forms=("refuse", "queue")
    ),
}
"""How many connections are served at one time."""


# ---- the port

Port = Callable[[Listener, Fault], Awaitable[None]]


async def _refuse(listener: Listener, _: Fault) -> None:
    await listener.refuse()


async def _die(listener: Listener, _: Fault) -> None:
    await listener.neglect()


async def _drop(listener: Listener, _: Fault) -> None:
    await listener.drop()


async def _open(listener: Listener, _: Fault) -> None:
    await listener.open()


PORT: dict[str, Kind[Port]] = {
    "down": Kind(about="it refuses connections and drops open ones", play=_refuse),
    "web-server-dead": Kind(about="its web server is dead: the system accepts, nobody serves", play=_die),
    "syn-dropped": Kind(about="it answers no attempt to connect", play=_drop),
    "asleep": Kind(
        about="it sleeps for `seconds`, is awake for 2 s, and so on", play=_refuse, defaults={"seconds": 60}
    ),
    "refused-after": Kind(about="it refuses connections after `count` answers", play=_open, defaults={"count": 60}),
}
"""Called with the listener when the fault is put in force."""
