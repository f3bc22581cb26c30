"""One simulated device: answers in its dialect, numbers its answers, logs them, misbehaves when told to."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from simulator.dialects import Answer, Dialect
from simulator.faults import Fault, FaultKind
from simulator.http1 import BadRequestError, Request, read_request, render
from simulator.listener import Listener, PortTakenError, reset_connection
from simulator.replay import Sample
from simulator.served import Served, ServedLog

PORT_RETRY_S = 1.0
"""A device that may be up again, and whose port somebody else took, tries so often."""
GARBAGE = b"\x16\x03\x01\x00\xa5\xff\xfe chamber 7 \x00\x1b[31m 21.5\r\n\xb6\xb6\xb6"
LOGIN_PAGE = Answer(b"<!doctype html><title>Sign in</title><form method=post><input name=user></form>", "text/html")


class Climate(Protocol):
    """What the air is like where a device stands."""

    def at(self, now_s: float, serial: int) -> Sample:
        """The values at a wall clock instant, for answer number `serial`."""
        ...


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One request under the fault that was in force when it came."""

    request: Request
    fault: Fault | None
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, status: int, answer: Answer) -> bool:
        keep_alive = self.request.keep_alive
        self.writer.write(render(status, answer.body, answer.content_type, keep_alive=keep_alive))
        await self.writer.drain()
        return keep_alive


class SimulatedDevice:
    """A device on a port of its own."""

    def __init__(self, device_id: str, dialect: Dialect, climate: Climate, sock: socket.socket, log: ServedLog) -> None:
        """Take over a listening socket; the device answers from `open` on."""
        self.id = device_id
        self.dialect = dialect
        self._climate = climate
        self._log = log
        self._listener = Listener(sock, self._serve)
        self._fault: Fault | None = None
        self._lifting: asyncio.Task[None] | None = None
        self._switching = asyncio.Lock()
        self._misbehaviour: dict[FaultKind, Callable[[_Exchange, Fault], Awaitable[bool]]] = {
            FaultKind.DOWN: self._reset,
            FaultKind.SLOW: self._slow,
            FaultKind.STATUS: self._status,
            FaultKind.GARBAGE: self._garbage,
            FaultKind.WRONG_TYPE: self._wrong_type,
            FaultKind.HANG: self._hang,
            FaultKind.RESET: self._reset,
            FaultKind.DRIP: self._drip,
        }

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._listener.port

    @property
    def url(self) -> str:
        """Where its measurements stand."""
        return f"{self._listener.url}{self.dialect.path}"

    @property
    def fault(self) -> Fault | None:
        """The fault in force."""
        return self._fault

    @property
    def last_serial(self) -> int:
        """Serial number of the last answer; 0 before the first."""
        return self._log.last_serial(self.id)

    async def open(self) -> None:
        """Answer requests."""
        await self._listener.open()

    async def close(self) -> None:
        """Close the port and every connection."""
        self._forget_lifting()
        await self._listener.close()

    async def set_fault(self, fault: Fault | None) -> None:
        """Put a fault in force in place of the one before; None lifts it. The same again begins its time anew.

        Requests that are being answered go on under the fault that they met, but `down` drops them.

        Raises:
            PortTakenError: `down` is lifted and somebody else took the port: the device stays down.
        """
        async with self._switching:
            self._forget_lifting()
            await self._switch(fault)
            if fault is not None and fault.for_s is not None:
                self._lifting = asyncio.create_task(self._lift_after(fault.for_s))

    async def _switch(self, fault: Fault | None) -> None:
        if fault is not None and fault.kind is FaultKind.DOWN:
            await self._listener.refuse()
        else:
            await self._listener.open()
        self._fault = fault

    async def _lift_after(self, seconds: float) -> None:
        """Whoever sets another fault cancels this: once it holds the lock nobody does."""
        await asyncio.sleep(seconds)
        while self._fault is not None:
            async with self._switching:
                with contextlib.suppress(PortTakenError):
                    await self._switch(None)
                    return
            await asyncio.sleep(PORT_RETRY_S)

    def _forget_lifting(self) -> None:
        if self._lifting is not None:
            self._lifting.cancel()
            self._lifting = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader)) is not None:
                if not await self._respond(_Exchange(request, self._fault, reader, writer)):
                    return
        except BadRequestError as error:
            self._record(None, self._fault, 400)
            writer.write(render(400, f"{error}\n".encode(), "text/plain", keep_alive=False))
            await writer.drain()

    async def _respond(self, exchange: _Exchange) -> bool:
        """Answer, well or badly; True when the connection stays."""
        if exchange.fault is not None:
            return await self._misbehaviour[exchange.fault.kind](exchange, exchange.fault)
        return await self._answer(exchange)

    async def _answer(self, exchange: _Exchange) -> bool:
        if exchange.request.method != "GET":
            return await self._refuse(exchange, 405)
        if exchange.request.path != self.dialect.path:
            return await self._refuse(exchange, 404)
        serial = self._log.next_serial(self.id)
        answer = self.dialect.answer(self.id, self._sample(serial), serial)
        self._record(serial, exchange.fault, 200)
        return await exchange.send(200, answer)

    async def _refuse(self, exchange: _Exchange, status: int) -> bool:
        self._record(None, exchange.fault, status)
        return await exchange.send(status, Answer(f"{status}\n".encode(), "text/plain"))

    async def _slow(self, exchange: _Exchange, fault: Fault) -> bool:
        await asyncio.sleep(fault.seconds)
        return await self._answer(exchange)

    async def _status(self, exchange: _Exchange, fault: Fault) -> bool:
        return await self._refuse(exchange, fault.code)

    async def _garbage(self, exchange: _Exchange, fault: Fault) -> bool:
        self._record(None, fault, None)
        exchange.writer.write(GARBAGE)
        await exchange.writer.drain()
        return False

    async def _wrong_type(self, exchange: _Exchange, fault: Fault) -> bool:
        if fault.form == "html":
            self._record(None, fault, 200)
            return await exchange.send(200, LOGIN_PAGE)
        serial = self._log.next_serial(self.id)
        self._record(serial, fault, 200)
        return await exchange.send(200, self.dialect.answer_in_texts(self.id, self._sample(serial), serial))

    async def _hang(self, exchange: _Exchange, fault: Fault) -> bool:
        self._record(None, fault, None)
        while await exchange.reader.read(65_536):
            continue
        return False

    async def _reset(self, exchange: _Exchange, fault: Fault) -> bool:
        self._record(None, fault, None)
        reset_connection(exchange.writer)
        return False

    async def _drip(self, exchange: _Exchange, fault: Fault) -> bool:
        serial = self._log.next_serial(self.id)
        answer = self.dialect.answer(self.id, self._sample(serial), serial)
        self._record(serial, fault, 200)
        for byte in render(200, answer.body, answer.content_type, keep_alive=False):
            exchange.writer.write(bytes((byte,)))
            await exchange.writer.drain()
            await asyncio.sleep(fault.seconds)
        return False

    def _sample(self, serial: int) -> Sample:
        return self._climate.at(time.time(), serial)

    def _record(self, serial: int | None, fault: Fault | None, status: int | None) -> None:
        kind = None if fault is None else fault.kind.value
        self._log.record(Served(self.id, serial, round(time.time() * 1000), kind, status))
