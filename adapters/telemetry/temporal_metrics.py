"""What Temporal's SDK measures of itself, among our own metrics: at the same port, and by the same OTLP.

The SDK's core hands over each single update. Of counters and gauges those of a second become one; durations are
recorded one by one. Names are the SDK's (`temporal_request_latency`); durations are seconds; of the attributes those
that are bounded stay.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.metrics import Counter, Histogram, MeterProvider
from opentelemetry.metrics import _Gauge as Gauge
from temporalio.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BufferedMetricUpdate,
    MetricBuffer,
    MetricBufferDurationFormat,
)

BUFFER = 50_000
"""Updates that wait at most, about 5 MB: what a worker makes of 1,000 rounds. The SDK drops and logs what is more."""
DRAIN_EACH_S = 1.0
ATTRIBUTES = (
    "namespace",
    "task_queue",
    "operation",
    "status_code",
    "workflow_type",
    "activity_type",
    "worker_type",
    "poller_type",
    "failure_reason",
    "eager",
)
"""Others, such as the id of a run, would make a series each."""
VALUES_LIMIT, OTHER = 50, "_other"
"""Of each attribute so many values: whoever reaches Temporal chooses the names of types."""
COMMANDS, COMMANDS_SHOWN = "temporal-sys/worker-commands/", "temporal-sys/worker-commands"
"""A queue that each worker has of its own, under a new name at each start."""
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""From a replay out of the cache to a long poll that was empty, and the longest round."""

_log = logging.getLogger(__name__)


class TemporalMetrics:
    """Records the core's updates of one runtime, from a thread of its own: the event loop does not wait for it.

    Attributes:
        buffer: to be given to the runtime; `start` when that is made.
    """

    def __init__(self, provider: MeterProvider, every_s: float = DRAIN_EACH_S) -> None:
        self.buffer = MetricBuffer(BUFFER, MetricBufferDurationFormat.SECONDS)
        self._recorder = Recorder(provider)
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="temporal-metrics", daemon=True)

    def start(self) -> None:
        """Begin to take updates; the runtime has to be there."""
        self._thread.start()

    def close(self) -> None:
        """Take what is left, and end the thread; again, or before `start`: nothing."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            self._drain()
        self._drain()

    def _drain(self) -> None:
        try:
            self._recorder.record(self.buffer.retrieve_updates())
        except Exception:  # noqa: BLE001  (a defect here must not leave the buffer to fill up)
            _log.exception("defect while taking over the metrics of Temporal's SDK")


class Recorder:
    """Turns updates into instruments of ours; called from one thread."""

    def __init__(self, provider: MeterProvider) -> None:
        self._meter = provider.get_meter("temporalio")
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._values: dict[str, set[str]] = {name: set() for name in ATTRIBUTES}

    def record(self, updates: Iterable[BufferedMetricUpdate]) -> None:
        """Record them all, in their order where that matters: the newest value of a gauge stays."""
        kept: dict[int, dict[str, str]] = {}
        sums: dict[tuple[int, int], float] = {}
        latest: dict[tuple[int, int], BufferedMetricUpdate] = {}
        for update in updates:
            which, kind = id(update.attributes), update.metric.kind
            if which not in kept:
                kept[which] = self._bounded(update.attributes)
            series = (id(update.metric), which)
            if kind == BUFFERED_METRIC_KIND_COUNTER:
                sums[series] = sums.get(series, 0) + update.value
                latest[series] = update
            elif kind == BUFFERED_METRIC_KIND_GAUGE:
                latest[series] = update
            else:
                self._histogram(update).record(update.value, kept[which])
        for series, update in latest.items():
            if series in sums:
                self._counter(update).add(sums[series], kept[series[1]])
            else:
                self._gauge(update).set(update.value, kept[series[1]])

    def _bounded(self, attributes: Mapping[str, Any]) -> dict[str, str]:
        return {name: self._value(name, attributes[name]) for name in ATTRIBUTES if name in attributes}

    def _value(self, name: str, value: object) -> str:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if text.startswith(COMMANDS):
            return COMMANDS_SHOWN
        known = self._values[name]
        if text not in known:
            if len(known) >= VALUES_LIMIT:
                return OTHER
            known.add(text)
        return text

    def _counter(self, update: BufferedMetricUpdate) -> Counter:
        name = update.metric.name
        if name not in self._counters:
            self._counters[name] = self._meter.create_counter(name, "", update.metric.description or "")
        return self._counters[name]

    def _gauge(self, update: BufferedMetricUpdate) -> Gauge:
        name = update.metric.name
        if name not in self._gauges:
            self._gauges[name] = self._meter.create_gauge(name, "", update.metric.description or "")
        return self._gauges[name]

    def _histogram(self, update: BufferedMetricUpdate) -> Histogram:
        name, unit = update.metric.name, update.metric.unit or ""
        if name not in self._histograms:
            bounds = BUCKETS_S if unit == "s" else None
            self._histograms[name] = self._meter.create_histogram(
                name, unit, update.metric.description or "", explicit_bucket_boundaries_advisory=bounds
            )
        return self._histograms[name]
