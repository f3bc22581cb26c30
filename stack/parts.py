"""The parts of the stack: how each is started, and when it serves."""

import time
from collections.abc import Sequence
from pathlib import Path

from stack.bootstrap import secret_folders
from stack.edge import goes_by_proxy, python_child, serves
from stack.environment import part_environment
from stack.errors import DataError
from stack.layout import Layout
from stack.postgres import start_postgres
from stack.process import Child
from stack.readiness import accepts, answers_ready
from stack.server import HOST, Server
from stack.simulated import read_devices
from stack.supervisor import Part
from stack.telemetry import sends
from stack.temporal import start_temporal
from stack.valkey import start_valkey

WORKER_GRACE_S = 40.0
"""Above the worker's own graceful shutdown (30 s): it finishes the slot in hand and hands back its round."""
API_GRACE_S = 15.0
"""Above the API's own: a request that waits for a slot in hand may end."""
LINGER_S, STORE_LINGER_S = 4.0, 6.0
"""When `up` is killed the servers go on for so long: a worker that can hand back its rounds costs no slot, one that
cannot holds its chambers until their heartbeats are missed."""
STOP_ORDER = ("gateway", "authz", "api", "worker", "egress", "simulator", "temporal", "valkey", "postgres", "otlp")
"""The gateway first: what it has in hand may still be answered. The receiver of OTLP last: each tells how it ended."""


def server_parts(layout: Layout) -> list[Part]:
    """PostgreSQL, Valkey and Temporal: ready once their launchers return."""
    home, ports, passwords = layout.home, layout.ports, layout.passwords

    async def at_once() -> bool:
        return True

    def postgres() -> Server:
        password, log = passwords["postgres"], home.log("postgres")
        return start_postgres(home.data("postgres"), ports["postgres"], password, log=log, linger_s=STORE_LINGER_S)

    def valkey() -> Server:
        password, log = passwords["valkey"], home.log("valkey")
        return start_valkey(home.data("valkey"), ports["valkey"], password, log=log, linger_s=STORE_LINGER_S)

    def temporal() -> Server:
        log = home.log("temporal")
        return start_temporal(home.data("temporal"), layout.temporal_ports, log=log, linger_s=LINGER_S)

    return [Part("postgres", postgres, at_once), Part("valkey", valkey, at_once), Part("temporal", temporal, at_once)]


def otlp_parts(layout: Layout) -> list[Part]:
    """The receiver of OTLP, where the layout has one; what it was told goes with its process."""
    if layout.otlp is None:
        return []
    ports = layout.ports
    arguments: list[str | Path] = ["--grpc-port", str(ports["otlp_grpc"]), "--http-port", str(ports["otlp_http"])]
    return [
        Part(
            "otlp",
            lambda: python_child("stack.otlp", arguments, layout.home.log("otlp"), part_environment({})),
            lambda: answers_ready(ports["otlp_http"]),
        )
    ]


def simulator_part(layout: Layout, devices: int, dialects: Sequence[str] = ()) -> Part:
    """The simulated devices; ready once they have written where they listen.

    Args:
        layout: where everything is.
        devices: how many.
        dialects: that they take turns with; none = the usual ones.
    """
    home = layout.home
    arguments: list[str | Path] = [
        "--devices",
        str(devices),
        "--log",
        home.served_file,
        "--devices-file",
        home.devices_file,
        "--secrets",
        home.device_secrets,
        *(["--dialects", ",".join(dialects)] if dialects else []),
    ]
    started_ns = 0

    def start() -> Child:
        nonlocal started_ns
        started_ns = time.time_ns()
        return python_child("simulator", arguments, home.log("simulator"), part_environment({}))

    async def ready() -> bool:
        file = home.devices_file
        if not file.exists() or file.stat().st_mtime_ns < started_ns:  # an earlier run's file stands until then
            return False
        try:
            return await accepts(read_devices(file)[0].port)
        except DataError:
            return False

    return Part("simulator", start, ready)


def api_part(layout: Layout, egress: str, rate_limits: str | None = None) -> Part:
    """The REST API; ready by its own `/readyz`.

    Args:
        layout: where everything is.
        egress: see `egress_document`.
        rate_limits: CHAMBERLOG_RATE_LIMITS; None = the person's own, or the standard.
    """
    port = layout.ports["api"]
    environment = _servers(layout, egress, "api") | {"CHAMBERLOG_API_HOST": HOST, "CHAMBERLOG_API_PORT": str(port)}
    if rate_limits is not None:
        environment["CHAMBERLOG_RATE_LIMITS"] = rate_limits
    return Part(
        "api",
        lambda: python_child(
            "api", [], layout.home.log("api"), part_environment(environment | serves(layout)), API_GRACE_S
        ),
        lambda: answers_ready(port),
    )


def worker_parts(layout: Layout, egress: str) -> list[Part]:
    """The workers; each is ready by the `/readyz` beside its metrics."""
    return [worker_part(layout, name, egress) for name in layout.workers]


def worker_part(layout: Layout, name: str, egress: str, program: Sequence[str] = ("workers",)) -> Part:
    """One worker.

    Args:
        layout: where everything is.
        name: one of `layout.workers`.
        egress: see `egress_document`.
        program: the module that runs as the worker, and its arguments.
    """
    port, (module, *arguments) = layout.ports[name], program
    environment = _servers(layout, egress, name) | {
        "CHAMBERLOG_METRICS_PORT": str(port),
        "CHAMBERLOG_SECRET_FOLDERS": secret_folders(layout.home.device_secrets),
        **goes_by_proxy(layout),
    }
    return Part(
        name,
        lambda: python_child(
            module, [*arguments], layout.home.log(name), part_environment(environment), WORKER_GRACE_S
        ),
        lambda: answers_ready(port),
    )


def _servers(layout: Layout, egress: str, part: str) -> dict[str, str]:
    return sends(layout, part) | {
        "TEMPORAL_ADDRESS": layout.temporal,
        "CHAMBERLOG_POSTGRES": layout.postgres,
        "CHAMBERLOG_REDIS": layout.redis,
        "CHAMBERLOG_EGRESS": egress,
        "CHAMBERLOG_HOME": str(layout.home.path),
    }
