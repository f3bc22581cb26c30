"""What the gate does, by OpenTelemetry.

| instrument | unit | kind | attributes | at /metrics |
|---|---|---|---|---|
| `chamberlog.limit.fallbacks` | {request} | counter | | `chamberlog_limit_fallbacks_total` |
| `chamberlog.limit.decisions` | {request} | counter | `traffic`, `decision`: `allowed`, `refused` | `chamberlog_limit_decisions_total` |
| `chamberlog.authz.duration` | s | histogram | `status` of the answer | `chamberlog_authz_duration_seconds` |

`chamberlog.limit.fallbacks` counts requests for which Valkey did not answer, so that this process's own count decided;
both counters are shown as 0 from the start. `chamberlog.authz.duration` is the authz service's alone.
"""  # noqa: E501  # a table whose rows are broken is none

from opentelemetry.metrics import MeterProvider

from collector.domain.access import Traffic

STATUS, TRAFFIC, DECISION = "status", "traffic", "decision"
ALLOWED, REFUSED = "allowed", "refused"
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""From a warm look at one key to more than the gateway waits for."""


class OtelGateMetrics:
    """`GateMetrics` over OpenTelemetry."""

    def __init__(self, provider: MeterProvider) -> None:
        """Make the instruments."""
        meter = provider.get_meter("chamberlog")
        self._fallbacks = meter.create_counter(
            "chamberlog.limit.fallbacks", "{request}", "Requests for which Valkey did not count"
        )
        self._durations = meter.create_histogram(
            "chamberlog.authz.duration",
            "s",
            "One answer to the gateway",
            explicit_bucket_boundaries_advisory=BUCKETS_S,
        )
        self._decisions = meter.create_counter(
            "chamberlog.limit.decisions", "{request}", "Requests that the limiter let pass or refused"
        )
        self._fallbacks.add(0)
        for traffic in Traffic:
            for decision in (ALLOWED, REFUSED):
                self._decisions.add(0, {TRAFFIC: traffic.value, DECISION: decision})

    def fell_back(self) -> None:
        """One request was counted by this process alone; see `GateMetrics.fell_back`."""
        self._fallbacks.add(1)

    def decided(self, traffic: Traffic, *, allowed: bool) -> None:
        """One request was let pass or refused; see `GateMetrics.decided`."""
        self._decisions.add(1, {TRAFFIC: traffic.value, DECISION: ALLOWED if allowed else REFUSED})

    def answered(self, status: int, duration_ms: float) -> None:
        """One answer to the gateway; see `GateMetrics.answered`."""
        self._durations.record(duration_ms / 1000, {STATUS: status})
