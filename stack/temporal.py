"""Temporal server and Web UI from the `temporal` binary, on one SQLite file."""

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.binaries import temporal_cli
from stack.lock import claimed, end_orphan
from stack.ports import free_port
from stack.process import Command, spawn
from stack.server import HOST, Server, await_ready, log_of, pid_file, remember_pid, require_free

READY_S = 60.0
HEALTH_S = 5.0
UI_PATH = "/temporal"
"""Of the Web UI, here and behind a gateway: it has one place only."""
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")
"""Three times the throughput of the default; a power cut may cost the last transactions, a crash none."""
DYNAMIC_CONFIG = (
    "frontend.WorkerCommandsEnabled=true",
    "system.enableCancelActivityWorkerCommand=true",
    "frontend.WorkflowPauseEnabled=true",
    "frontend.MaxConcurrentBatchOperationPerNamespace=10",
)
"""The first two: a cancel reaches a running round in 20 to 60 ms instead of with its next heartbeat. The third:
`temporal workflow pause` and the pause button of the Web UI. The fourth: while one section is paused as a whole others
can be, too; as a default the server refuses a second batch operation."""


@dataclass(frozen=True, slots=True)
class TemporalPorts:
    """Ports on 127.0.0.1; 0 takes a free one. The server's other ports are its own choice, on loopback too."""

    grpc: int = 0
    ui: int = 0


def start_temporal(
    data: Path,
    ports: TemporalPorts | None = None,
    *,
    log: Path | None = None,
    linger_s: float = 0.0,
    more_config: Sequence[str] = (),
) -> Server:
    """Start the Temporal server with its Web UI on loopback.

    The server ends when this process ends, however that happens. One that outlived an earlier start is stopped
    first. Starting again on the same directory finds every workflow.

    Args:
        data: directory of its database, made; its lock is `<data>.lock`.
        ports: of the gRPC service and the Web UI.
        log: appended to; default `<data>.log`.
        linger_s: how long it goes on when this process is killed.
        more_config: dynamic settings beside `DYNAMIC_CONFIG`, each as `key=value`.

    Returns:
        The server; `address` is host:port of the gRPC service, `ui_address` the Web UI's URL.

    Raises:
        AlreadyRunningError: another process runs a server on this directory.
        StartFailedError: it does not start; with the end of its log.
        MissingServerError: Temporal is not installed.
    """
    data, binary, wanted = data.absolute(), temporal_cli(), ports or TemporalPorts()
    with claimed(data) as lock:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        end_orphan(pid_file(data), ("temporal", str(data)), signal.SIGTERM)
        grpc, ui = wanted.grpc or free_port(), wanted.ui or free_port()
        for port in (grpc, ui):
            require_free(port, "Temporal")
        arguments = _arguments(binary, data / "temporal.db", TemporalPorts(grpc, ui), more_config)
        child = spawn(Command(arguments, log or log_of(data), environment=_environment(), linger_s=linger_s))
        remember_pid(data, child)
        await_ready(child, lambda: accepts(grpc) and accepts(ui) and serves(binary, grpc), READY_S, "Temporal")
    return Server("temporal", f"{HOST}:{grpc}", grpc, child, lock, ui_address=f"http://{HOST}:{ui}{UI_PATH}")


def accepts(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:`port`."""
    try:
        with socket.create_connection((HOST, port), timeout=1.0):
            return True
    except OSError:
        return False


def serves(binary: Path, port: int) -> bool:
    """Whether the server says it is healthy: it accepts connections some time before that."""
    address = ["--address", f"{HOST}:{port}", "--command-timeout", f"{HEALTH_S:g}s"]
    command = [str(binary), "operator", "cluster", "health", *address]
    return subprocess.run(command, capture_output=True, check=False, env=_environment()).returncode == 0


def _arguments(binary: Path, database: Path, ports: TemporalPorts, more_config: Sequence[str]) -> list[str | Path]:
    addresses = ["--ip", HOST, "--ui-ip", HOST, "--port", str(ports.grpc), "--ui-port", str(ports.ui)]
    place = ["--ui-public-path", UI_PATH]
    pragmas = [part for pragma in PRAGMAS for part in ("--sqlite-pragma", pragma)]
    dynamic = [part for value in (*DYNAMIC_CONFIG, *more_config) for part in ("--dynamic-config-value", value)]
    quiet = ["--log-level", "warn", "--ui-disable-news-fetch"]
    return [binary, "server", "start-dev", *addresses, *place, "--db-filename", database, *pragmas, *dynamic, *quiet]


def _environment() -> dict[str, str]:
    """Without the person's own TEMPORAL_ settings: they mean another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
