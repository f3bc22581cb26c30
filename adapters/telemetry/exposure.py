"""Metrics as Prometheus reads them, and the port at which a worker offers them."""

import logging
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

CLIENT_TIMEOUT_S = 5.0
POLL_S = 0.05
"""How soon a server that is to stop notices it."""
NOT_FOUND = (404, b"use /metrics or /readyz\n", "text/plain")
_log = logging.getLogger(__name__)


def metrics_text(registry: CollectorRegistry, accept: str = "") -> tuple[bytes, str]:
    """The metrics as Prometheus reads them: the body and its content type.

    Args:
        registry: that of `make_meter_provider`.
        accept: the request's Accept header: OpenMetrics when it asks for that, else the text format.
    """
    encode, content_type = choose_encoder(accept)
    with _SCRAPING:
        return encode(registry), content_type


_SCRAPING = threading.Lock()
"""The exporter hands metrics over through a queue of its own: two scrapes at once would mix them."""


Served = tuple[int, bytes, str]
"""Status, body, content type."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a client that dawdles does not keep the process from ending

    def __init__(self, address: tuple[str, int], routes: Mapping[str, Callable[[str], Served]]) -> None:
        self.routes = routes
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's
        _log.warning("a request for metrics failed", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    timeout = CLIENT_TIMEOUT_S

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        route = self.server.routes.get(self.path.partition("?")[0])
        status, body, content_type = route(self.headers.get("Accept", "")) if route else NOT_FOUND
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        _log.debug(format, *args)


class MetricsServer:
    """Serves /metrics and /readyz from threads of its own, so that it answers while the event loop is busy."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        """Take over a listening server and begin to answer; `serve_metrics` makes it."""
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://{self._server.server_address[0]!s}:{self.port}"

    def close(self) -> None:
        """Stop answering and free the port; closing again changes nothing."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve_metrics(host: str, port: int, why_not: Callable[[], str], registry: CollectorRegistry) -> MetricsServer:
    """Serve `GET /metrics` and `GET /readyz` (200 `ready`, 503 `not ready: ` and the reason).

    Args:
        host: 127.0.0.1 unless the network is to see it.
        port: 0 picks a free one, see `MetricsServer.port`.
        why_not: why the process does not do its work, empty when it does; called from another thread, must answer at
            once and not raise.
        registry: that of `make_meter_provider`.

    Raises:
        OSError: the port is taken.
    """

    def readiness(_: str) -> Served:
        why = why_not()
        return (503, f"not ready: {why}\n".encode(), "text/plain") if why else (200, b"ready\n", "text/plain")

    def metrics(accept: str) -> Served:
        return (200, *metrics_text(registry, accept))

    return MetricsServer(_Server((host, port), {"/metrics": metrics, "/readyz": readiness}))
