"""What chamberlog measures of itself, by OpenTelemetry, and its exposure to Prometheus.

| instrument | unit | kind | attributes | at /metrics |
|---|---|---|---|---|
| `chamberlog.collections` | {collection} | counter | `outcome`: `reading`, `gap` | `chamberlog_collections_total` |
| `chamberlog.collection.lateness` | s | histogram | | `chamberlog_collection_lateness_seconds` |
| `chamberlog.fetch.duration` | s | histogram | `error.type` when it failed | `chamberlog_fetch_duration_seconds` |
| `chamberlog.outcomes.unsaved` | {outcome} | up-down counter | | `chamberlog_outcomes_unsaved` |
| `chamberlog.gap.slots` | {slot} | counter | `reason`: a gap reason | `chamberlog_gap_slots_total` |
| `chamberlog.answers.dropped` | {answer} | counter | | `chamberlog_answers_dropped_total` |
| `chamberlog.clock.skew` | s | gauge | | `chamberlog_clock_skew_seconds` |

All but the clock's and the answers' carry `chamberlog.organization` (at /metrics `chamberlog_organization`). `reason`
and `error.type` (at /metrics `error_type`, empty when the fetch went well) are gap reasons. Histograms have `_bucket`,
`_sum` and `_count`. `target_info` names the service.
`chamberlog.collections` counts slots by what became of them: `reading` plus `gap` are the slots accounted for, but the
paused ones, which nobody collects. `chamberlog.outcomes.unsaved` counts readings. One worker may store what another was
refused, so only its sum over all workers means something. `chamberlog.clock.skew` is the process's wall clock less
that of Temporal's server; it is there from the first look at that on.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import MeterProvider as MeterProviderApi
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from collector.domain.outcome import GapReason

ORGANIZATION, OUTCOME, REASON, ERROR_TYPE = "chamberlog.organization", "outcome", "reason", "error.type"
ORGANIZATIONS_LIMIT = 100
OTHER_ORGANIZATIONS = "_other"
"""Organizations beyond the limit are counted together; an organization's id never begins with an underscore."""

LATENESS_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""From a punctual slot to the deadline of the slowest chambers that are collected late."""
FETCH_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""From a simulator to the largest usual time budget."""

CLIENT_TIMEOUT_S = 5.0
POLL_S = 0.05
"""How soon a server that is to stop notices it."""
NOT_FOUND = (404, b"use /metrics or /readyz\n", "text/plain")
_log = logging.getLogger(__name__)


class OtelCollectionMetrics:
    """`CollectionMetrics` over OpenTelemetry. Cheap enough for each slot; may be called from any thread."""

    def __init__(self, provider: MeterProviderApi) -> None:
        """Make the instruments; two of them over one provider count together."""
        meter = provider.get_meter("chamberlog")
        self._collections = meter.create_counter(
            "chamberlog.collections", "{collection}", "Slots by what became of them"
        )
        self._lateness = meter.create_histogram(
            "chamberlog.collection.lateness",
            "s",
            "The request's start against its slot",
            explicit_bucket_boundaries_advisory=LATENESS_BUCKETS_S,
        )
        self._fetches = meter.create_histogram(
            "chamberlog.fetch.duration",
            "s",
            "One attempt to read a device",
            explicit_bucket_boundaries_advisory=FETCH_BUCKETS_S,
        )
        self._unsaved = meter.create_up_down_counter(
            "chamberlog.outcomes.unsaved", "{outcome}", "Readings that wait for the store: sum over workers"
        )
        self._gap_slots = meter.create_counter("chamberlog.gap.slots", "{slot}", "Slots without a reading")
        self._answers = meter.create_counter(
            "chamberlog.answers.dropped", "{answer}", "Last answers that were not kept for people: no reading is lost"
        )
        self._skew = meter.create_gauge("chamberlog.clock.skew", "s", "This process's wall clock less Temporal's")
        self._organizations: set[str] = set()
        self._told: set[str] = set()

    def reading(self, organization: str, lateness_ms: int, fetch_ms: int) -> None:
        """A reading; lateness is the request's start against the slot. A clock that was set back counts as 0."""
        whose = self._whose(organization)
        self._collections.add(1, {**whose, OUTCOME: "reading"})
        self._lateness.record(max(0, lateness_ms) / 1000, whose)
        self._fetches.record(max(0, fetch_ms) / 1000, whose)

    def gap(self, organization: str, reason: GapReason, slots: int) -> None:
        """A gap run of that many slots."""
        whose = self._whose(organization)
        self._collections.add(slots, {**whose, OUTCOME: "gap"})
        self._gap_slots.add(slots, {**whose, REASON: reason.value})

    def failed_attempt(self, organization: str, reason: GapReason, fetch_ms: int) -> None:
        """An attempt that failed; the slot is not lost yet."""
        self._fetches.record(max(0, fetch_ms) / 1000, {**self._whose(organization), ERROR_TYPE: reason.value})

    def unsaved(self, organization: str, delta: int) -> None:
        """Readings that wait for the store: refused (+) or stored at last (-)."""
        if delta or organization not in self._told:  # none is shown as none, and added once only
            self._told.add(organization)
            self._unsaved.add(delta, self._whose(organization))

    def answers_dropped(self, count: int) -> None:
        """Last answers of devices that are not kept: PostgreSQL is away, or there are too many at once."""
        self._answers.add(count)

    def clock_skew(self, skew_ms: int) -> None:
        """How far this process's wall clock is ahead (+) or behind (-): the newest counts."""
        self._skew.set(skew_ms / 1000)

    def _whose(self, organization: str) -> dict[str, str]:
        known = self._organizations
        if organization not in known:
            if len(known) >= ORGANIZATIONS_LIMIT:
                return {ORGANIZATION: OTHER_ORGANIZATIONS}
            known.add(organization)
        return {ORGANIZATION: organization}


def make_meter_provider(
    service: str, readers: Sequence[MetricReader] = (), registry: CollectorRegistry | None = None
) -> MeterProvider:
    """A provider of its own: nothing global is touched. Its owner calls `shutdown` at the end.

    Args:
        service: `service.name`, such as `chamberlog-worker`.
        readers: where the metrics go besides Prometheus.
        registry: a fresh registry that Prometheus reads through `metrics_text` or `serve_metrics`; one per provider.
    """
    exposed = [] if registry is None else [PrometheusMetricReader(scope_info_enabled=False, registry=registry)]
    resource = Resource.create({SERVICE_NAME: service})
    return MeterProvider([*readers, *exposed], resource=resource, shutdown_on_exit=False)


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
