"""One simulated device on a port: serves connections, and changes its behaviour when told to."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass

from simulator.answering import Answering
from simulator.dialects import Answer, Dialect, Framing
from simulator.faults import ACCEPT, CONNECTION, KINDS, PORT, SOCKETS, TRANSPORT, Fault, FaultError
from simulator.faults.connection import AWAKE_S, SOCKET_WAIT_S
from simulator.http1 import BadRequestError, Request, read_request, render
from simulator.listener import Listener, PortTakenError, reset_connection

PORT_RETRY_S = 1.0
"""A device that may be up again, and whose port somebody else took, tries so often."""
SOCKET_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One request under the fault that was in force when it came: what a fault of the connection is given."""

    device: "SimulatedDevice"
    request: Request
    fault: Fault
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def record(self, serial: int | None, status: int | None) -> None:
        self.device.answering.record(serial, self.fault, status)

    def numbered(self) -> Answer:
        return self.device.answering.numbered(self.request, self.fault)

    async def answer(self) -> bool:
        return await self.device.answer(self.request, self.fault, self.writer)


class SimulatedDevice:
    """A device on a port of its own."""

    def __init__(self, device_id: str, answering: Answering, sock: socket.socket) -> None:
        """Take over a listening socket; the device answers from `open` on."""
        self.id = device_id
        self.answering = answering
        self._listener = Listener(sock, self._serve)
        self._fault: Fault | None = None
        self._course: asyncio.Task[None] | None = None
        self._exhaustion: asyncio.Task[None] | None = None
        self._switching = asyncio.Lock()
        self._open = 0

    @property
    def dialect(self) -> Dialect:
        """How it answers."""
        return self.answering.dialect

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
        return self.answering.last_serial

    async def open(self) -> None:
        """Answer requests."""
        await self._listener.open()

    async def close(self) -> None:
        """Close the port and every connection."""
        self._forget_course()
        await self._listener.close()

    # ---- faults

    async def set_fault(self, fault: Fault | None) -> None:
        """Put a fault in force in place of the one before; None lifts it. The same again begins its time anew.

        Requests that are being answered go on under the fault that they met, but those of the port drop them.

        Raises:
            FaultError: the device's dialect has no such fault.
            PortTakenError: `down` is lifted and somebody else took the port: the device stays down.
            StillAcceptsError: this machine cannot drop connections.
        """
        if fault is not None:
            self._check(fault)
        async with self._switching:
            self._forget_course()
            await self._switch(fault)
            if fault is not None and (fault.for_s is not None or fault.kind == "asleep"):
                self._course = asyncio.create_task(self._run_course(fault))

    def _check(self, fault: Fault) -> None:
        shapes, shape = KINDS[fault.kind].shapes, self.dialect.shape.value
        if shapes and shape not in shapes:
            raise FaultError("kind", f"{fault.kind} is for {', '.join(shapes)}", f"{self.dialect.name} is {shape}")
        self.answering.check(fault)

    async def _switch(self, fault: Fault | None) -> None:
        if fault is not None and fault.kind in PORT:
            await PORT[fault.kind].play(self._listener, fault)
        else:
            await self._listener.open()
        self._fault = fault
        self.answering.begin_anew()

    async def _run_course(self, fault: Fault) -> None:
        """Sleep and wake while the fault lasts, then lift it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(fault.for_s):
                await (self._sleep_and_wake(fault.seconds) if fault.kind == "asleep" else asyncio.Event().wait())
        await self._lift()

    async def _sleep_and_wake(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            with contextlib.suppress(PortTakenError):
                await self._listener.open()
            await asyncio.sleep(AWAKE_S)
            await self._listener.refuse()

    async def _lift(self) -> None:
        """Whoever sets another fault cancels this: once it holds the lock nobody does."""
        while self._fault is not None:
            async with self._switching:
                with contextlib.suppress(PortTakenError):
                    await self._switch(None)
                    return
            await asyncio.sleep(PORT_RETRY_S)

    def _forget_course(self) -> None:
        for task in (self._course, self._exhaustion):
            if task is not None:
                task.cancel()
        self._course = self._exhaustion = None

    def _exhaust(self, fault: Fault) -> None:
        """Refuse connections from now on, if it has answered as often as the fault allows."""
        if fault.kind == "refused-after" and self.answering.count >= fault.count and self._exhaustion is None:
            self._exhaustion = asyncio.create_task(self._listener.refuse())

    # ---- connections

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._fault
        if fault is not None and fault.kind in ACCEPT:
            self.answering.record(None, fault, None)
            await ACCEPT[fault.kind].play(reader, writer)
            return
        if not await self._finds_a_socket(fault):
            self.answering.record(None, fault, None)
            reset_connection(writer)
            return
        self._open += 1
        try:
            await self._serve_requests(reader, writer)
        finally:
            self._open -= 1

    async def _finds_a_socket(self, fault: Fault | None) -> bool:
        """Wait until the device has a socket for one connection more; False when it refuses."""
        limit, patient = self.dialect.sockets, False
        if fault is not None and fault.kind in SOCKETS:
            limit, patient = SOCKETS[fault.kind].play, fault.form == "queue"
        waited_s = 0.0
        while limit is not None and self._open >= limit:
            if waited_s >= SOCKET_WAIT_S and not patient:
                return False
            await asyncio.sleep(SOCKET_POLL_S)
            waited_s += SOCKET_POLL_S
        return True

    async def _serve_requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader)) is not None:
                fault = self._fault
                stays = await self._respond(request, fault, reader, writer)
                if fault is not None:
                    self._exhaust(fault)
                if not stays:
                    return
        except BadRequestError as error:
            self.answering.record(None, self._fault, 400)
            writer.write(render(Answer(f"{error}\n".encode(), "text/plain", 400), keep_alive=False))
            await writer.drain()

    async def _respond(
        self, request: Request, fault: Fault | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer, well or badly; True when the connection stays."""
        if fault is not None and fault.kind in CONNECTION:
            return await CONNECTION[fault.kind].play(_Exchange(self, request, fault, reader, writer))
        if fault is not None and fault.kind in TRANSPORT:
            return await self._speak(request, fault, writer)
        return await self.answer(request, fault, writer)

    async def answer(self, request: Request, fault: Fault | None, writer: asyncio.StreamWriter) -> bool:
        """Answer in whole and in good HTTP; True when the connection stays."""
        answer = self.answering.answer(request, fault)
        keep_alive = request.keep_alive and self.dialect.framing is Framing.LENGTH
        writer.write(render(answer, self.dialect.framing, keep_alive=keep_alive))
        await writer.drain()
        return keep_alive

    async def _speak(self, request: Request, fault: Fault, writer: asyncio.StreamWriter) -> bool:
        kind = TRANSPORT[fault.kind]
        if kind.valued:
            answer = self.answering.numbered(request, fault)
        else:
            answer = Answer(b"no values\n", "text/plain")
            self.answering.record(None, fault, None)
        spoken = kind.play(answer, fault)
        writer.write(spoken.data)
        await writer.drain()
        if spoken.reset:
            await asyncio.sleep(SOCKET_POLL_S)  # what was said arrives before the reset
            reset_connection(writer)
        return False
