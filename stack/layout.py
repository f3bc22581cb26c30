"""Where everything of one run of the stack is: ports, passwords, addresses, egress."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from edge.addresses import Address
from stack.home import Home
from stack.ports import PortBook
from stack.postgres import dsn
from stack.server import HOST
from stack.temporal import UI_PATH, TemporalPorts

STANDARD_PORTS = {"temporal": 7233, "temporal_ui": 8233, "postgres": 5432, "valkey": 6379, "api": 8080, "grpc": 9090}
EDGE_PORTS = {"gateway": 8000, "gateway_admin": None, "authz": None, "egress": None, "egress_admin": None}
"""Taken where there is an Envoy, beside the others; None = any."""
TELEMETRY_PORTS = {"otlp_grpc": 4317, "otlp_http": 4318}
"""Of a receiver of OTLP, where one is wanted."""
PID_NAMES = {"gateway": "envoy"}
"""Parts whose process ids stand under another name in `stack.json`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is.

    Attributes:
        home: the directory.
        ports: name to port on 127.0.0.1; workers are `worker`, `worker-2` and so on (their metrics).
        passwords: of `postgres` and `valkey`.
    """

    home: Home
    ports: Mapping[str, int]
    passwords: Mapping[str, str] = field(repr=False)

    @property
    def temporal_ports(self) -> TemporalPorts:
        """Of the Temporal server."""
        return TemporalPorts(self.ports["temporal"], self.ports["temporal_ui"])

    @property
    def temporal(self) -> str:
        """host:port of Temporal's gRPC service."""
        return f"{HOST}:{self.ports['temporal']}"

    @property
    def postgres(self) -> str:
        """The DSN of the readings' database."""
        return dsn(self.ports["postgres"], self.passwords["postgres"])

    @property
    def redis(self) -> str:
        """The URL of Valkey."""
        return f"redis://:{quote(self.passwords['valkey'], safe='')}@{HOST}:{self.ports['valkey']}/0"

    @property
    def api(self) -> str:
        """The base URL of the REST API."""
        return f"http://{HOST}:{self.ports['api']}"

    @property
    def temporal_ui(self) -> str:
        """The URL of the Web UI."""
        return f"http://{HOST}:{self.ports['temporal_ui']}{UI_PATH}"

    @property
    def web_ui(self) -> str:
        """Where people open the Web UI: behind the gateway, which also leads it to its Markdown; else its own URL."""
        return f"{self.gateway}{UI_PATH}" if self.has_edge else self.temporal_ui

    @property
    def has_edge(self) -> bool:
        """Whether there are a gateway, its authz service and an egress proxy."""
        return "gateway" in self.ports

    @property
    def gateway(self) -> str:
        """The base URL that people and programs use: the gateway's; without one the API's."""
        return f"http://{HOST}:{self.ports['gateway']}" if self.has_edge else self.api

    @property
    def egress_proxy(self) -> str | None:
        """The URL of the proxy by which workers call devices: the stack's, else the person's own; None = none."""
        return f"http://{self.address('egress')}" if self.has_edge else os.environ.get("CHAMBERLOG_EGRESS_PROXY")

    @property
    def otlp(self) -> str | None:
        """Where the stack's own receiver takes OTLP by gRPC, a URL; None = there is none."""
        return f"http://{self.address('otlp_grpc')}" if "otlp_grpc" in self.ports else None

    @property
    def traces(self) -> str | None:
        """Where it is asked for traces; None = there is none."""
        return f"http://{self.address('otlp_http')}" if "otlp_http" in self.ports else None

    def address(self, port: str) -> Address:
        """Where a port of that name is."""
        return Address(HOST, self.ports[port])

    @property
    def workers(self) -> list[str]:
        """Names of the worker parts."""
        return [name for name in self.ports if name.split("-")[0] == "worker"]

    def document(self, pids: Mapping[str, int | None], egress: str | None = None) -> dict[str, Any]:
        """`stack.json`. Where there is no gateway its address is the API's.

        Args:
            pids: part to process id; parts without one do not run and are left out.
            egress: by which workers and proxy judge addresses, as JSON text; None = no worker of chamberlog runs.
        """
        running = {name: pid for name, pid in pids.items() if pid is not None}
        workers = [pid for name, pid in running.items() if name in self.workers]
        others = {PID_NAMES.get(name, name): pid for name, pid in running.items() if name not in self.workers}
        return {
            "temporal": self.temporal,
            "temporal_ui": self.temporal_ui,
            "web_ui": self.web_ui,
            "api": self.api,
            "gateway": self.gateway,
            "grpc": str(self.address("grpc")),
            "postgres": self.postgres,
            "redis": self.redis,
            "api_key_file": str(self.home.api_key_file),
            "egress": egress,
            "egress_proxy": self.egress_proxy,
            "otlp": self.otlp,
            "traces": self.traces,
            "pids": others | {"worker": workers},
        }


def make_layout(home: Home, book: PortBook, workers: int, *, edge: bool = False, telemetry: bool = False) -> Layout:
    """Take ports and passwords; the same ones at every start of a directory as far as they are free.

    Args:
        home: the directory, claimed by this process.
        book: where ports are reserved.
        workers: how many workers.
        edge: with a gateway, its authz service and an egress proxy.
        telemetry: with a receiver of OTLP.

    Raises:
        DataError: a password is gone while the data that needs it is there.
    """
    ports = {name: book.take(name, standard) for name, standard in STANDARD_PORTS.items()}
    for more in ([EDGE_PORTS] if edge else []) + ([TELEMETRY_PORTS] if telemetry else []):
        ports |= {name: book.take(name, standard) for name, standard in more.items()}
    names = [f"worker-{number}" if number > 1 else "worker" for number in range(1, workers + 1)]
    ports |= {name: book.take(name) for name in names}
    return Layout(home, ports, {name: home.password(name) for name in ("postgres", "valkey")})


def egress_document(device_ports: Iterable[int]) -> str:
    """The egress policy of the stack's workers as JSON text; the person's own CHAMBERLOG_EGRESS wins.

    Args:
        device_ports: ports of the simulator: exactly these are open on loopback, and nothing else anywhere. Without
            any, everything is open but loopback, link-local and what else is never a device.
    """
    own = os.environ.get("CHAMBERLOG_EGRESS")
    rules = [f"{HOST}/32:{_span(run)}" for run in _runs(device_ports)]
    return own or json.dumps({"default": rules} if rules else {})


def _runs(ports: Iterable[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for port in sorted(set(ports)):
        if runs and port == runs[-1][-1] + 1:
            runs[-1].append(port)
        else:
            runs.append([port])
    return runs


def _span(run: list[int]) -> str:
    return str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}"
