"""A fleet of simulated devices with its control port."""

import hashlib
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from simulator.answering import Answering
from simulator.control import Control
from simulator.device import SimulatedDevice
from simulator.dialects import DIALECTS, USUAL, Dialect, Login
from simulator.listener import HOST, PortTakenError, free_ports, listen_on
from simulator.login import USER
from simulator.replay import Curve, Playback, load_curve, shipped_curves
from simulator.served import ServedLog

DEVICES_CEILING = 5_000
PASSWORD = "simulated"  # noqa: S105  of devices that always want one and were given none; it guards nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """What a fleet is to be.

    Attributes:
        devices: how many, 1 to 5,000; their ids are `sim-01`, `sim-02`, ..., and with other dialects than the usual
            ones `sim-01-airgradient` and so on.
        host: IPv4 address to listen on; with 0.0.0.0 the devices' URLs name this machine.
        port_base: port of the first device, the others follow; 0 = the ports of an existing devices file as far as
            they are free, else any free ones.
        control_port: as `port_base`, for the control port.
        log: file of what was served; None keeps it in memory only, and serial numbers begin at 1 again.
        devices_file: where the addresses are written once all devices listen.
        series: a recording that all devices replay; None = the curves that ship.
        speed: curve seconds per second.
        dialects: which of `DIALECTS` the devices take turns with.
        password: that devices want whose kind can be locked; None = only those want one that always do.
        secrets: folder of the files that hold what a chamber's `secret_ref` is to lead to; None = none are written.
    """

    devices: int = 12
    host: str = HOST
    port_base: int = 0
    control_port: int = 0
    log: Path | None = None
    devices_file: Path | None = None
    series: Path | None = None
    speed: float = 1.0
    dialects: tuple[str, ...] = USUAL
    password: str | None = None
    secrets: Path | None = None


class SimulatedFleet:
    """Devices that listen between entering and leaving the context."""

    def __init__(self, plan: FleetPlan) -> None:
        """Plan only: files and sockets are opened on entering."""
        self._plan = plan
        self._stack = AsyncExitStack()
        self._devices: dict[str, SimulatedDevice] = {}
        self._control: Control | None = None

    @property
    def devices(self) -> Mapping[str, SimulatedDevice]:
        """The devices by id, in their order."""
        return self._devices

    @property
    def control_url(self) -> str:
        """Base address of the control port."""
        assert self._control is not None, "the fleet was not entered"
        return self._control.url

    async def __aenter__(self) -> Self:
        """Listen on all ports, then write the devices file.

        Raises:
            CurveError: the series cannot be replayed.
            PortTakenError: an explicit port is taken.
            OSError: a file or a socket cannot be had.
        """
        async with AsyncExitStack() as opening:
            log = opening.enter_context(ServedLog(self._plan.log))
            curves = [load_curve(self._plan.series)] if self._plan.series else shipped_curves()
            control_socket, sockets = _sockets(self._plan)
            for number, (device_id, sock) in enumerate(zip(ids_of(self._plan), sockets, strict=True)):
                answering = self._answering(number, device_id, curves, log)
                device = SimulatedDevice(device_id, answering, sock)
                self._devices[device_id] = device
                opening.push_async_callback(device.close)
                await device.open()
            self._control = Control(self._devices, log, control_socket)
            opening.push_async_callback(self._control.close)
            await self._control.open()
            self._write_secrets()
            if self._plan.devices_file is not None:
                _write_whole(self._plan.devices_file, self.document())
            self._stack = opening.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every port and connection, then the log."""
        await self._stack.aclose()

    def _answering(self, number: int, device_id: str, curves: Sequence[Curve], log: ServedLog) -> Answering:
        names = self._plan.dialects
        dialect = DIALECTS[names[number % len(names)]]
        curve = curves[number // len(names) % len(curves)]  # every dialect replays every curve
        climate = Playback(curve, self._plan.speed, _offset_s(device_id, curve))
        return Answering(device_id, dialect, climate, log, password_of(dialect, self._plan.password))

    def document(self) -> dict[str, object]:
        """The devices file: `{control, devices: [{id, url, dialect, port}]}`.

        A device may also have `timezone` (of its clock, where its time names none) and `secret_ref`.
        """
        return {"control": self.control_url, "devices": [self._row(device) for device in self._devices.values()]}

    def _row(self, device: SimulatedDevice) -> dict[str, object]:
        dialect = device.dialect
        row: dict[str, object] = {
            "id": device.id,
            "url": device.url,
            "dialect": dialect.name,
            "port": device.port,
        }
        if dialect.zone:
            row["timezone"] = dialect.zone
        if self._plan.secrets is not None and password_of(dialect, self._plan.password) is not None:
            row["secret_ref"] = f"file:{_secret_file(self._plan.secrets, dialect)}"
        return row

    def _write_secrets(self) -> None:
        folder = self._plan.secrets
        if folder is None:
            return
        for dialect in {device.dialect.name: device.dialect for device in self._devices.values()}.values():
            password = password_of(dialect, self._plan.password)
            if password is not None:
                _write_secret(_secret_file(folder, dialect), secret_of(dialect, password))


def password_of(dialect: Dialect, password: str | None) -> str | None:
    """What a device of the dialect wants to be told; None = nothing."""
    if dialect.login is Login.NONE:
        return None
    return PASSWORD if password is None and dialect.always_locked else password


def secret_of(dialect: Dialect, password: str) -> str:
    """The password as a chamber's secret: a token stands alone, the others follow a user."""
    return password if dialect.login is Login.BEARER else f"{USER}:{password}"


def _secret_file(folder: Path, dialect: Dialect) -> Path:
    return folder.resolve() / dialect.name


def _write_secret(path: Path, secret: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(0o600)
    path.write_text(secret + "\n")


def rehearse(plan: FleetPlan) -> str:
    """What a fleet of this plan would be; its curves are read, nothing is opened.

    Raises:
        CurveError: the series cannot be replayed.
        OSError: it cannot be read.
    """
    curves = [load_curve(plan.series)] if plan.series else shipped_curves()
    return (
        f"{_counted(plan.devices, 'device')} on {plan.host}, {_span(plan.port_base, plan.devices)}, "
        f"control {_span(plan.control_port, 1)}, {_counted(len(curves), 'curve')}, "
        f"{_counted(len(plan.dialects), 'dialect')}"
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def _span(first: int, count: int) -> str:
    if not first:
        return "any free port" + ("s" if count > 1 else "")
    return f"port {first}" if count == 1 else f"ports {first} to {first + count - 1}"


def device_ids(count: int) -> list[str]:
    """`sim-01` and so on; the first ones stay the same when a fleet grows."""
    return [f"sim-{number:02d}" for number in range(1, count + 1)]


def ids_of(plan: FleetPlan) -> list[str]:
    """The devices' ids: a chamber of one id never changes its profile when a fleet speaks other dialects."""
    ids, names = device_ids(plan.devices), plan.dialects
    return ids if names == USUAL else [f"{one}-{names[number % len(names)]}" for number, one in enumerate(ids)]


def _offset_s(device_id: str, curve: Curve) -> float:
    return int.from_bytes(hashlib.sha256(device_id.encode()).digest()[:4], "big") % max(1, int(curve.length_s))


def _sockets(plan: FleetPlan) -> tuple[socket.socket, list[socket.socket]]:
    """Listening sockets for control port and devices: explicit and kept ones first, so that no free pick takes one."""
    wanted = _wanted_ports(plan)
    taken: list[socket.socket | None] = []
    try:
        for port, explicit in wanted:
            taken.append(_listen(port, plan.host, explicit=explicit))
        free = free_ports(plan.host)
        for index, sock in enumerate(taken):
            taken[index] = sock or next(free)
    except BaseException:
        for sock in taken:
            if sock is not None:
                sock.close()
        raise
    control, *devices = [sock for sock in taken if sock is not None]
    return control, devices


def _listen(port: int | None, host: str, *, explicit: bool) -> socket.socket | None:
    if port is None:
        return None
    try:
        return listen_on(port, host)
    except PortTakenError:
        if explicit:
            raise
        return None


def _wanted_ports(plan: FleetPlan) -> Iterator[tuple[int | None, bool]]:
    """Port and whether it was asked for, of the control port and of each device."""
    kept = _kept_ports(plan.devices_file)
    yield (plan.control_port, True) if plan.control_port else (kept.get("control"), False)
    for number, device_id in enumerate(ids_of(plan)):
        yield (plan.port_base + number, True) if plan.port_base else (kept.get(device_id), False)


def _kept_ports(path: Path | None) -> dict[str, int]:
    """Ports of an earlier run by device id, and `control`; empty when there was none, or its file is no use."""
    if path is None or not path.exists():
        return {}
    try:
        document = json.loads(path.read_bytes())
        ports = {str(row["id"]): int(row["port"]) for row in document["devices"]}
        ports["control"] = int(document["control"].rpartition(":")[2])
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
    return {name: port for name, port in ports.items() if 0 < port < 65_536}


def _write_whole(path: Path, document: dict[str, object]) -> None:
    """Replace the file at once: whoever waits for it never reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(document, indent=1) + "\n")
    draft.replace(path)
