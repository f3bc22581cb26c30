"""A real gateway on loopback before two stand-ins of the API and one of the authz service."""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from edge.addresses import Address
from edge.ingress import IngressSettings, render_ingress
from stack.envoy import Envoy, start_envoy
from stack.ports import free_port
from stack.process import Child, Command, spawn
from stack.server import HOST, await_ready
from stack.temporal import accepts

READY_S = 30.0
GOOD = {"Authorization": "Bearer good"}
PROGRAM = Path(__file__).with_name("gateway_upstream.py")
Json = dict[str, Any]
Starter = Callable[[Path, str, int, Path], Envoy]
"""From the file for a configuration, its text, its admin port and a log to what runs."""


@dataclass
class Room:
    """What runs.

    Attributes:
        settings: that the gateway was rendered with.
        folder: of configurations and logs.
        gateway: Envoy.
        programs: the stand-ins, by their port.
    """

    settings: IngressSettings
    folder: Path
    gateway: Envoy
    programs: dict[int, Child] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return self.settings.listen.port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def api_ports(self) -> list[int]:
        return [where.port for where in self.settings.api]

    @property
    def authz_port(self) -> int:
        return self.settings.authz[0].port

    def kill(self, port: int) -> None:
        os.kill(self.programs[port].pid, signal.SIGKILL)
        self.programs.pop(port).stop()

    def asked(self, kind: str) -> list[Json]:
        """What stand-ins of a kind were asked, one after another of each."""
        files = sorted(self.folder.glob(f"{kind}-*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def access_log(self) -> list[Json]:
        lines = (self.folder / "envoy.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def stats(self, pattern: str) -> dict[str, int]:
        answer = httpx.get(f"http://{HOST}:{self.settings.admin.port}/stats", params={"filter": pattern})
        pairs = (line.split(": ") for line in answer.text.splitlines())
        return {name: int(value) for name, value in pairs}


def ingress_settings(apis: int = 2, **changes: Any) -> IngressSettings:
    """On free ports of loopback."""
    where = [Address(HOST, free_port()) for _ in range(apis + 3)]
    made = IngressSettings(
        listen=where[0], admin=where[1], authz=(where[2],), api=tuple(where[3:]), temporal_ui=(where[3],)
    )
    return replace(made, **changes)


@contextmanager
def opened(folder: Path, settings: IngressSettings, gateway: Starter | None = None) -> Iterator[Room]:
    """Everything started and ready, a gateway in another way if one is given; all has ended afterwards."""
    with ExitStack() as closing:
        programs = {}
        ports = {where.port: "api" for where in settings.api}
        for port, kind in (ports | {settings.authz[0].port: "authz"}).items():
            programs[port] = child = stand_in(folder, kind, port)
            closing.callback(child.stop)
        for port, child in programs.items():
            await_ready(child, lambda port=port: accepts(port), READY_S, "a stand-in")  # type: ignore[misc]
        start = gateway or (lambda file, text, admin, log: start_envoy(file, text, admin, log=log))
        envoy = start(folder / "gateway.yaml", render_ingress(settings), settings.admin.port, folder / "envoy.log")
        envoy.drain_s = 0.0
        closing.callback(envoy.stop)
        await_ready(envoy.child, lambda: healthy(settings), READY_S, "Envoy")
        yield Room(settings, folder, envoy, programs)


def stand_in(folder: Path, kind: str, port: int) -> Child:
    arguments: list[str | Path] = [sys.executable, "-P", PROGRAM, kind, str(port), folder]
    return spawn(Command(arguments, folder / f"{kind}-{port}.log"))


def healthy(settings: IngressSettings) -> bool:
    """Whether the listener is open: it is when each upstream was asked for its health once."""
    return accepts(settings.admin.port) and accepts(settings.listen.port)


def spoken(port: int, request: bytes, timeout_s: float = 5.0) -> bytes:
    """What comes back for these very bytes until the connection ends."""
    with socket.create_connection((HOST, port), timeout=timeout_s) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return answer.read()


def raw(*lines: str, target: str = "/v1/echo") -> bytes:
    """A GET with these header lines and a good key."""
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: x", "Authorization: Bearer good", *lines, "", ""]).encode()
