"""What Temporal's SDK measures of itself, among our own metrics: by value, with bounded attributes."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from temporalio.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetricKind,
    Runtime,
)

from adapters.telemetry import TemporalMetrics
from adapters.telemetry.temporal_metrics import COMMANDS_SHOWN, OTHER, VALUES_LIMIT, Recorder
from adapters.temporal_runtime import make_runtime
from tests.unit.metric_points import Points, at


@dataclass(frozen=True)
class Metric:
    name: str
    kind: BufferedMetricKind
    unit: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Update:
    metric: Metric
    value: float
    attributes: Any = field(default_factory=dict)


REQUESTS = Metric("temporal_request", BUFFERED_METRIC_KIND_COUNTER)
SLOTS = Metric("temporal_worker_task_slots_available", BUFFERED_METRIC_KIND_GAUGE)
LATENCY = Metric("temporal_request_latency", BUFFERED_METRIC_KIND_HISTOGRAM, "s")
START, POLL = {"operation": "StartWorkflowExecution"}, {"operation": "PollWorkflowTaskQueue"}


def test_counters_are_summed_gauges_replaced_and_durations_recorded_one_by_one() -> None:
    points = Points()
    recorder = Recorder(points.provider)
    recorder.record([Update(REQUESTS, 1, START), Update(SLOTS, 7), Update(REQUESTS, 2, POLL), Update(SLOTS, 5)])
    recorder.record([Update(REQUESTS, 3, START), Update(LATENCY, 0.25, START), Update(LATENCY, 0.5, START)])
    assert points.values("temporal_request") == {
        at(operation="StartWorkflowExecution"): 4,
        at(operation="PollWorkflowTaskQueue"): 2,
    }
    assert points.values("temporal_worker_task_slots_available") == {at(): 5}
    assert points.values("temporal_request_latency") == {at(operation="StartWorkflowExecution"): 2}
    assert points.sum("temporal_request_latency") == 0.75


def test_durations_have_buckets_of_seconds() -> None:
    points = Points()
    Recorder(points.provider).record([Update(LATENCY, seconds) for seconds in (0.004, 0.2, 70.0, 900.0)])
    (point,) = points.of("temporal_request_latency").values()
    assert isinstance(point, HistogramDataPoint)
    bounds = (*point.explicit_bounds, "more")
    assert [b for b, n in zip(bounds, point.bucket_counts, strict=True) if n] == [0.005, 0.25, 300.0, "more"]


def test_what_would_make_a_series_each_is_left_out() -> None:
    points = Points()
    attributes = {
        "workflow_type": "Chamber",
        "workflow_id": "chamber/incubator-3",
        "run_id": "1f0a",
        "service_name": "temporal-core-sdk",
        "eager": True,
        "task_queue": "temporal-sys/worker-commands/default/950cf1e5",
    }
    Recorder(points.provider).record([Update(REQUESTS, 1, attributes)])
    shown = at(workflow_type="Chamber", eager="true", task_queue=COMMANDS_SHOWN)
    assert points.values("temporal_request") == {shown: 1}


def test_whoever_names_many_types_gets_no_series_for_each() -> None:
    points = Points()
    recorder = Recorder(points.provider)
    recorder.record(Update(REQUESTS, 1, {"workflow_type": f"T{n}"}) for n in range(VALUES_LIMIT + 25))
    found = points.values("temporal_request")
    assert len(found) == VALUES_LIMIT + 1
    assert found[at(workflow_type=OTHER)] == 25
    assert found[at(workflow_type="T0")] == 1


@pytest.fixture
def runtime_and_metrics() -> tuple[Points, TemporalMetrics, Runtime]:
    points = Points()
    metrics = TemporalMetrics(points.provider, every_s=0.01)
    return points, metrics, make_runtime(metrics.buffer)


def test_updates_of_a_real_runtime_arrive_and_what_is_left_comes_with_the_close(
    runtime_and_metrics: tuple[Points, TemporalMetrics, Runtime],
) -> None:
    points, metrics, runtime = runtime_and_metrics
    counter = runtime.metric_meter.create_counter("probes", unit="{probe}")
    latency = runtime.metric_meter.create_histogram_timedelta("waits", unit="duration")
    metrics.start()
    for _ in range(5):
        counter.add(2, {"namespace": "lab"})
    metrics.close()
    metrics.close()
    assert latency is not None
    assert points.values("probes") == {at(namespace="lab"): 10}


def test_closing_what_never_started_is_nothing(
    runtime_and_metrics: tuple[Points, TemporalMetrics, Runtime],
) -> None:
    points, metrics, _ = runtime_and_metrics
    metrics.close()
    assert points.values("temporal_request") == {}
