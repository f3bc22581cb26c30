import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from adapters.telemetry import OtelCollectionMetrics, make_meter_provider, metrics_text
from adapters.telemetry.bounds import ORGANIZATIONS_LIMIT
from collector.domain.outcome import GapReason

Point = NumberDataPoint | HistogramDataPoint
Labels = frozenset[tuple[str, object]]


def collected(reader: InMemoryMetricReader) -> dict[str, dict[Labels, Point]]:
    data = reader.get_metrics_data()
    assert data is not None
    metrics = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics]
    return {
        m.name: {
            frozenset((p.attributes or {}).items()): p
            for p in m.data.data_points
            if isinstance(p, NumberDataPoint | HistogramDataPoint)
        }
        for m in metrics
    }


def labels(**values: str) -> Labels:
    return frozenset({"chamberlog.organization": "lab", **values}.items())


def number(points: dict[Labels, Point], where: Labels) -> float:
    point = points[where]
    assert isinstance(point, NumberDataPoint)
    return point.value


def told(found: dict[str, dict[Labels, Point]]) -> set[str]:
    """Instruments that show anything but 0."""
    return {
        name
        for name, points in found.items()
        if any(isinstance(point, HistogramDataPoint) or point.value for point in points.values())
    }


def histogram(points: dict[Labels, Point], where: Labels) -> HistogramDataPoint:
    point = points[where]
    assert isinstance(point, HistogramDataPoint)
    return point


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def metrics(reader: InMemoryMetricReader) -> OtelCollectionMetrics:
    return OtelCollectionMetrics(make_meter_provider("chamberlog-test", [reader]))


def test_a_reading_is_one_collection_with_its_lateness_and_duration(
    metrics: OtelCollectionMetrics, reader: InMemoryMetricReader
) -> None:
    metrics.reading("lab", lateness_ms=12, fetch_ms=340)
    metrics.reading("lab", lateness_ms=700, fetch_ms=60)
    found = collected(reader)
    assert number(found["chamberlog.collections"], labels(outcome="reading")) == 2
    lateness = histogram(found["chamberlog.collection.lateness"], labels())
    assert (lateness.count, lateness.max) == (2, 0.7)
    assert lateness.sum == pytest.approx(0.712)
    fetch = histogram(found["chamberlog.fetch.duration"], labels())
    assert fetch.count == 2
    assert fetch.sum == pytest.approx(0.4)
    assert told(found) == {"chamberlog.collections", "chamberlog.collection.lateness", "chamberlog.fetch.duration"}


def test_lateness_falls_into_buckets_of_seconds(metrics: OtelCollectionMetrics, reader: InMemoryMetricReader) -> None:
    for lateness_ms in (3, 40, 45, 4_000, 900_000):
        metrics.reading("lab", lateness_ms, 1)
    point = histogram(collected(reader)["chamberlog.collection.lateness"], labels())
    counts = {bound: n for bound, n in zip((*point.explicit_bounds, "more"), point.bucket_counts, strict=True) if n > 0}
    assert counts == {0.005: 1, 0.05: 2, 5.0: 1, "more": 1}


def test_a_clock_set_back_is_no_negative_time(metrics: OtelCollectionMetrics, reader: InMemoryMetricReader) -> None:
    metrics.reading("lab", lateness_ms=-5_000, fetch_ms=-1)
    metrics.failed_attempt("lab", GapReason.TIMEOUT, fetch_ms=-1)
    found = collected(reader)
    assert histogram(found["chamberlog.collection.lateness"], labels()).sum == 0
    assert histogram(found["chamberlog.fetch.duration"], labels()).sum == 0


def test_a_gap_run_counts_its_slots_by_reason(metrics: OtelCollectionMetrics, reader: InMemoryMetricReader) -> None:
    metrics.gap("lab", GapReason.MISSED, 40)
    metrics.gap("lab", GapReason.MISSED, 2)
    metrics.gap("lab", GapReason.TIMEOUT, 1)
    found = collected(reader)
    assert number(found["chamberlog.gap.slots"], labels(reason="missed")) == 42
    assert number(found["chamberlog.gap.slots"], labels(reason="timeout")) == 1
    assert number(found["chamberlog.collections"], labels(outcome="gap")) == 43


def test_a_failed_attempt_is_a_fetch_with_its_error_and_no_collection(
    metrics: OtelCollectionMetrics, reader: InMemoryMetricReader
) -> None:
    metrics.failed_attempt("lab", GapReason.UNREACHABLE, fetch_ms=1_500)
    found = collected(reader)
    failed = histogram(found["chamberlog.fetch.duration"], labels(**{"error.type": "unreachable"}))
    assert (failed.count, failed.sum) == (1, 1.5)
    assert told(found) == {"chamberlog.fetch.duration"}


def test_unsaved_goes_up_and_down(metrics: OtelCollectionMetrics, reader: InMemoryMetricReader) -> None:
    metrics.unsaved("lab", 5)
    metrics.unsaved("lab", -3)
    assert number(collected(reader)["chamberlog.outcomes.unsaved"], labels()) == 2


def test_the_newest_skew_of_the_clock_counts_with_its_sign(
    metrics: OtelCollectionMetrics, reader: InMemoryMetricReader
) -> None:
    assert reader.get_metrics_data() is None or "chamberlog.clock.skew" not in collected(reader)
    for skew_ms in (3_100, -2_500):
        metrics.clock_skew(skew_ms)
    assert number(collected(reader)["chamberlog.clock.skew"], frozenset()) == -2.5


def test_organizations_beyond_the_limit_count_together(
    metrics: OtelCollectionMetrics, reader: InMemoryMetricReader
) -> None:
    for index in range(ORGANIZATIONS_LIMIT + 20):
        metrics.unsaved(f"org-{index}", 1)
    metrics.unsaved("org-3", 1)
    points = {
        dict(where)["chamberlog.organization"]: p
        for where, p in collected(reader)["chamberlog.outcomes.unsaved"].items()
    }
    assert len(points) == ORGANIZATIONS_LIMIT + 1
    other, third = points["_other"], points["org-3"]
    assert isinstance(other, NumberDataPoint)
    assert isinstance(third, NumberDataPoint)
    assert (other.value, third.value) == (20, 2)


def test_the_oldest_of_all_that_waits_counts_and_a_clock_set_back_makes_no_negative_age(
    reader: InMemoryMetricReader,
) -> None:
    now = [100_000]
    metrics = OtelCollectionMetrics(make_meter_provider("chamberlog-test", [reader]), lambda: now[0])

    def age_s() -> float:
        return number(collected(reader)["chamberlog.outcomes.unsaved.age"], frozenset())

    assert age_s() == 0
    metrics.held("a round", 90_000)
    metrics.held("another", None)
    metrics.held("a round", 20_000)
    now[0] += 5_000
    assert age_s() == 15, "told again, the first time counts"
    metrics.let_go("a round")
    assert age_s() == 5
    now[0] = 0
    assert age_s() == 0
    metrics.let_go("another")
    metrics.let_go("another")
    now[0] = 200_000
    assert age_s() == 0


def test_counters_of_an_organization_begin_at_0(metrics: OtelCollectionMetrics, reader: InMemoryMetricReader) -> None:
    metrics.unsaved("lab", 0)
    found = collected(reader)
    assert number(found["chamberlog.collections"], labels(outcome="gap")) == 0
    assert number(found["chamberlog.collections"], labels(outcome="reading")) == 0
    assert {dict(where)["reason"] for where in found["chamberlog.gap.slots"]} == {reason.value for reason in GapReason}
    assert number(found["chamberlog.answers.dropped"], frozenset()) == 0


def exposed(registry: CollectorRegistry) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(metrics_text(registry)[0].decode())
    return {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}


def shown(**values: str) -> frozenset[tuple[str, str]]:
    return frozenset({"chamberlog_organization": "lab", **values}.items())


def test_prometheus_sees_the_documented_names_with_their_values() -> None:
    registry = CollectorRegistry()
    provider = make_meter_provider("chamberlog-test", registry=registry)
    metrics = OtelCollectionMetrics(provider)
    metrics.reading("lab", lateness_ms=250, fetch_ms=100)
    metrics.failed_attempt("lab", GapReason.TIMEOUT, 2_000)
    metrics.gap("lab", GapReason.PAUSED, 7)
    metrics.unsaved("lab", 3)
    metrics.clock_skew(-1_250)
    metrics.answers_dropped(4)
    samples = exposed(registry)
    assert samples["chamberlog_collections_total", shown(outcome="reading")] == 1
    assert samples["chamberlog_collections_total", shown(outcome="gap")] == 7
    assert samples["chamberlog_gap_slots_total", shown(reason="paused")] == 7
    assert samples["chamberlog_outcomes_unsaved", shown()] == 3
    assert samples["chamberlog_clock_skew_seconds", frozenset()] == -1.25
    assert samples["chamberlog_answers_dropped_total", frozenset()] == 4
    assert samples["chamberlog_collection_lateness_seconds_sum", shown()] == 0.25
    assert samples["chamberlog_collection_lateness_seconds_bucket", shown(le="0.1")] == 0
    assert samples["chamberlog_collection_lateness_seconds_bucket", shown(le="0.25")] == 1
    assert samples["chamberlog_fetch_duration_seconds_count", shown(error_type="")] == 1
    assert samples["chamberlog_fetch_duration_seconds_sum", shown(error_type="timeout")] == 2
    assert any(n == "target_info" and ("service_name", "chamberlog-test") in where for n, where in samples)
    provider.shutdown()


def test_providers_side_by_side_do_not_share_anything() -> None:
    registries = [CollectorRegistry(), CollectorRegistry()]
    providers = [make_meter_provider("chamberlog-test", registry=registry) for registry in registries]
    OtelCollectionMetrics(providers[0]).unsaved("lab", 1)
    OtelCollectionMetrics(providers[1]).unsaved("lab", 10)
    assert [exposed(r)["chamberlog_outcomes_unsaved", shown()] for r in registries] == [1, 10]
    providers[0].shutdown()
    assert exposed(registries[0]) == {}
    assert exposed(registries[1])["chamberlog_outcomes_unsaved", shown()] == 10
    providers[1].shutdown()


def test_the_format_follows_the_accept_header() -> None:
    registry = CollectorRegistry()
    provider = make_meter_provider("chamberlog-test", registry=registry)
    OtelCollectionMetrics(provider).unsaved("lab", 1)
    plain, plain_type = metrics_text(registry)
    open_metrics, open_type = metrics_text(registry, "application/openmetrics-text; version=1.0.0")
    assert plain_type.startswith("text/plain; version=0.0.4")
    assert open_type.startswith("application/openmetrics-text")
    assert open_metrics.endswith(b"# EOF\n")
    assert not plain.endswith(b"# EOF\n")
    provider.shutdown()
