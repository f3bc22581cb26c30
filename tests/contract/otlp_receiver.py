"""The local stack's receiver of OTLP in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Receiver:
    """Ports of a running receiver."""

    grpc: int
    http: int

    def get(self, path: str) -> Any:
        return httpx.get(f"http://127.0.0.1:{self.http}{path}", trust_env=False).json()

    def endpoint(self, protocol: str) -> str:
        return f"http://127.0.0.1:{self.grpc if protocol == 'grpc' else self.http}"

    def spans(self, trace_id: str) -> list[dict[str, Any]]:
        """What has come of a trace; attributes by their names."""
        parts = self.get(f"/api/v3/traces/{trace_id}").get("result", {"resourceSpans": []})["resourceSpans"]
        spans = [span for part in parts for scope in part["scopeSpans"] for span in scope["spans"]]
        return [span | {"attributes": _values(span)} for span in spans]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on free ports; it ends with the block, cleanly."""
    command = [sys.executable, "-m", "stack.otlp", "--grpc-port", "0", "--http-port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        grpc, http = (int(process.stderr.readline().rpartition(":")[2]) for _ in range(2))
        yield Receiver(grpc, http)
        process.terminate()
        assert process.wait(10) == 0


def _values(span: dict[str, Any]) -> dict[str, Any]:
    return {pair["key"]: next(iter(pair["value"].values())) for pair in span.get("attributes", [])}
