"""What is asked of the API, by OpenTelemetry's conventions for servers.

| instrument | unit | kind | attributes |
|---|---|---|---|
| `http.server.request.duration` | s | histogram | `http.request.method`, `http.route`, `http.response.status_code`, `error.type` |
| `rpc.server.call.duration` | s | histogram | `rpc.system.name`, `rpc.method`, `rpc.response.status_code` |
| `chamberlog.live.streams` | {stream} | up-down counter | |
"""  # noqa: E501  # a table whose rows are broken is none

from collections.abc import Callable

from opentelemetry.metrics import MeterProvider, Observation

METHOD, ROUTE, STATUS, ERROR_TYPE = (
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "error.type",
)
RPC_SYSTEM, RPC_METHOD, RPC_STATUS = "rpc.system.name", "rpc.method", "rpc.response.status_code"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""As the conventions have it."""


class OtelEdgeMetrics:
    """What `api.timing.EdgeMetrics` asks for, by OpenTelemetry."""

    def __init__(self, provider: MeterProvider) -> None:
        """Make the instruments."""
        meter = provider.get_meter("chamberlog")
        self._requests = meter.create_histogram(
            "http.server.request.duration",
            "s",
            "Requests of HTTP; of a stream until it begins",
            explicit_bucket_boundaries_advisory=BUCKETS_S,
        )
        self._calls = meter.create_histogram(
            "rpc.server.call.duration",
            "s",
            "Calls of gRPC; of a stream until it begins",
            explicit_bucket_boundaries_advisory=BUCKETS_S,
        )

    def request(self, method: str, route: str, status: int, error: str, seconds: float) -> None:
        """A request of HTTP was answered."""
        told: dict[str, str | int] = {METHOD: method, STATUS: status}
        if route:
            told[ROUTE] = route
        if error:
            told[ERROR_TYPE] = error
        self._requests.record(seconds, told)

    def call(self, method: str, code: str, seconds: float) -> None:
        """A call of gRPC ended, or began to stream."""
        self._calls.record(seconds, {RPC_SYSTEM: "grpc", RPC_METHOD: method, RPC_STATUS: code})


def observe_streams(provider: MeterProvider, running: Callable[[], int]) -> None:
    """Show how many live streams are open; `running` is asked from another thread."""
    provider.get_meter("chamberlog").create_observable_up_down_counter(
        "chamberlog.live.streams", [lambda _: [Observation(running())]], "{stream}", "Live streams that are open"
    )
