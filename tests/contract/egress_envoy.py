"""The real Envoy as egress proxy, as `edge/egress.py` renders it, on ports of its own."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.domain.egress import EgressPolicies
from collector.domain.egress_proxy import EgressProxy
from edge.addresses import Address
from edge.egress import EgressLimits, EgressSettings, render_egress
from stack.binaries import scripts
from stack.ports import free_port
from stack.process import Child, Command, spawn
from stack.server import HOST, await_ready
from stack.temporal import accepts

READY_S = 20.0


@dataclass(frozen=True)
class EgressEnvoy:
    """A running proxy.

    Attributes:
        proxy: where it takes CONNECT.
        admin: port that can stop it.
        log: its access log.
        child: its process.
    """

    proxy: EgressProxy
    admin: int
    log: Path
    child: Child

    def line(self, target: str) -> dict[str, Any]:
        """The last line of its access log about a target; waits for one."""
        deadline = time.monotonic() + READY_S
        while True:
            found = [line for line in self.log.read_text().splitlines() if f'"{target}"' in line]
            if found:
                told: dict[str, Any] = json.loads(found[-1])
                return told
            assert time.monotonic() < deadline, f"nothing is said about {target}"
            time.sleep(0.02)


@contextmanager
def running(
    folder: Path,
    policies: EgressPolicies | None = None,
    limits: EgressLimits | None = None,
    change: Callable[[str], str] = str,
) -> Iterator[EgressEnvoy]:
    """Envoy until the block ends; `change` rewrites its configuration."""
    port, admin = free_port(), free_port()
    log = folder / f"egress-{port}.json"
    settings = EgressSettings(
        listen=Address(HOST, port),
        admin=Address(HOST, admin),
        policies=policies or EgressPolicies(),
        access_log=str(log),
        limits=limits or EgressLimits(),
    )
    config = folder / f"egress-{port}.yaml"
    config.write_text(change(render_egress(settings)))
    arguments: list[str | Path] = [scripts() / "envoy", "-c", config, "--disable-hot-restart", "--concurrency", "1"]
    arguments += ["--file-flush-interval-msec", "20"]  # of its access log
    child = spawn(Command([*arguments, "-l", "warn"], folder / f"egress-{port}.log"))
    try:
        await_ready(child, lambda: accepts(port), READY_S, "Envoy")
        yield EgressEnvoy(EgressProxy(HOST, port), admin, log, child)
    finally:
        child.stop()
