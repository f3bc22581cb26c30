"""The control port: lists the devices, switches their faults, tells what was served."""

import asyncio
import json
import socket
from collections.abc import Mapping
from dataclasses import asdict

from simulator.device import SimulatedDevice
from simulator.dialects import Answer
from simulator.faults import FaultError, fault_document, parse_fault
from simulator.http1 import BadRequestError, Request, read_request, render
from simulator.listener import Listener, PortTakenError, StillAcceptsError
from simulator.served import ServedLog

Document = dict[str, object]


class _RefusedError(Exception):
    """The request cannot be done: status and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Control:
    """HTTP with JSON on a port of its own.

    `GET /readyz`; `GET /devices`; `PUT /devices/{id}/fault` with a fault document (see `simulator.faults.KINDS`);
    `DELETE /devices/{id}/fault`; `GET /log?device=&since=` (milliseconds since the Unix epoch, inclusive).
    What cannot be done answers 4xx with `{"error": ...}`, which names the field and the remedy.
    """

    def __init__(self, devices: Mapping[str, SimulatedDevice], log: ServedLog, sock: socket.socket) -> None:
        """Take over a listening socket; requests are answered from `open` on."""
        self._devices = devices
        self._log = log
        self._listener = Listener(sock, self._serve)

    @property
    def url(self) -> str:
        """Its base address."""
        return self._listener.url

    @property
    def port(self) -> int:
        """Its TCP port."""
        return self._listener.port

    async def open(self) -> None:
        """Answer requests."""
        await self._listener.open()

    async def close(self) -> None:
        """Close the port and every connection."""
        await self._listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        keep_alive = True
        while keep_alive:
            try:
                request = await read_request(reader)
                if request is None:
                    return
                keep_alive = request.keep_alive
                status, document = 200, await self._answer(request)
            except BadRequestError as error:
                status, document, keep_alive = 400, {"error": str(error)}, False
            except _RefusedError as error:
                status, document = error.status, {"error": str(error)}
            answer = Answer(json.dumps(document).encode(), "application/json", status)
            writer.write(render(answer, keep_alive=keep_alive))
            await writer.drain()

    async def _answer(self, request: Request) -> Document:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["readyz"]:
                return {"status": "ready"}
            case "GET", ["devices"]:
                return {"devices": [_shown(device) for device in self._devices.values()]}
            case "GET", ["log"]:
                return self._served(request.query)
            case "PUT", ["devices", device_id, "fault"]:
                return await self._set_fault(device_id, _parsed(request.body))
            case "DELETE", ["devices", device_id, "fault"]:
                return await self._set_fault(device_id, None)
            case _, (["devices"] | ["log"] | ["devices", _, "fault"]):
                raise _RefusedError(405, f"{request.method} is not answered at {request.path}")
        raise _RefusedError(404, "use /devices, /devices/{id}/fault or /log")

    async def _set_fault(self, device_id: str, document: object) -> Document:
        device = self._device(device_id)
        try:
            await device.set_fault(None if document is None else parse_fault(document))
        except FaultError as error:
            raise _RefusedError(422, str(error)) from None
        except (PortTakenError, StillAcceptsError) as error:
            raise _RefusedError(409, error.strerror or str(error)) from None
        return _shown(device)

    def _served(self, query: Mapping[str, str]) -> Document:
        device, since = query.get("device") or None, query.get("since") or "0"
        if device is not None:
            self._device(device)
        if not since.isdecimal():
            raise _RefusedError(422, f"since: {since[:40]!r} is no instant; give milliseconds since the Unix epoch")
        return {"items": [asdict(served) for served in self._log.lines(device, int(since))]}

    def _device(self, device_id: str) -> SimulatedDevice:
        if device_id not in self._devices:
            raise _RefusedError(404, f"there is no device {device_id[:80]!r}; GET /devices lists them")
        return self._devices[device_id]


def _parsed(body: bytes) -> object:
    try:
        document: object = json.loads(body)
    except ValueError:
        document = None
    if document is None:
        raise _RefusedError(422, 'body: it is not a JSON object; send {"kind": "down"}')
    return document


def _shown(device: SimulatedDevice) -> Document:
    fault = device.fault
    return {
        "id": device.id,
        "url": device.url,
        "dialect": device.dialect.name,
        "port": device.port,
        "last_serial": device.last_serial,
        "fault": None if fault is None else fault_document(fault),
    }
