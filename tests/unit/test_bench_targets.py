"""Each target is met, missed or not measured, by the figures of a report."""

from typing import Any

import pytest

from bench.targets import NOT_MEASURED, targets

MIB = 2**20
MAPPED = {"answers": [{"profile": "airgradient", "answer": "a", "bytes": 9, "measurements": 2, "microseconds": 80.5}]}


def fleet(name: str, chambers: int, interval_s: int, cost: float, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "chambers": chambers,
        "interval_s": interval_s,
        "cpu_ms_per_reading": {"worker": cost / 2, "total": cost},
        "lateness_ms": {"p50": 1.0, "p95": 2.0, "p99": 9.0, "max": 30.0},
        "readings": {"per_second": chambers / interval_s},
        "memory_bytes": {"worker": {"rss_peak": 1, "pss": 100 * MIB}, "temporal": {"rss_peak": 1, "pss": 900 * MIB}},
        "history": {"events_per_reading": 0.1},
        **more,
    }


def rate(system: str, highest: int) -> dict[str, Any]:
    return {"system": system, "interval_s": 1, "highest_readings_per_second": highest}


def report(**changed: dict[str, Any]) -> dict[str, Any]:
    """One in which everything is met; `changed` replaces fields of fleets."""
    large = {"worker": {"rss_peak": 1, "pss": 500 * MIB}}
    fleets = {
        "fast": fleet("fast", 1_000, 5, 1.2),
        "long": fleet("long", 1_000, 5, 1.0),
        "small": fleet("small", 500, 10, 2.0),
        "large": fleet("large", 5_000, 10, 2.4, memory_bytes=large),
        "second": fleet("second", 100, 1, 3.0, history={"events_per_reading": 0.04}),
        "slow": fleet("slow", 200, 60, 30.0, history={"events_per_reading": 11.02}),
        "bullmq": fleet("bullmq", 1_000, 5, 1.0),
        "naive": fleet("naive", 100, 5, 27.0),
    }
    for name, more in changed.items():
        fleets[name] |= more
    peers = [fleets.pop("bullmq"), fleets.pop("naive")]
    rates = [rate("chamberlog", 1_200), rate("bullmq", 1_000)]
    imported = {"name": "fleet", "chambers": 1_000, "import": {"seconds": 40.0}}
    return {
        "workloads": list(fleets.values()),
        "peers": peers,
        "rates": rates,
        "fleets": [imported],
        "mappings": [MAPPED],
    }


def row(found: list[dict[str, Any]], figure: str, target: str = "") -> dict[str, Any]:
    (one,) = (r for r in found if r["figure"].startswith(figure) and r["target"].startswith(target))
    return one


def test_all_targets_are_there_and_can_be_met() -> None:
    found = targets(report())
    assert len(found) == 14
    assert [r["figure"] for r in found if r["met"] is not True] == []
    assert all(r["measured_on"] != NOT_MEASURED for r in found)


@pytest.mark.parametrize(
    ("figure", "target", "value", "words"),
    [
        ("CPU per reading against BullMQ, default", "at most 1.2", 1.2, "1.2 ms, `fast` 1,000 x 5 s; 1 ms, `bullmq`"),
        ("CPU per reading against BullMQ, `round_span_s`", "at most 1", 1.0, "`long` 1,000 x 5 s"),
        ("CPU per reading against the naive", "at most 0.1", 0.044, "27 ms, `naive` 100 x 5 s"),
        ("lateness p50", "under 5", 1.0, "200 readings/s"),
        ("lateness p99", "under 100", 9.0, "200 readings/s"),
        ("lateness p99", "at most BullMQ's 9", 9.0, "`fast`"),
        ("highest rate", "at least 1", 1.2, "1200 and 1000 readings/s of chambers at 1 s"),
        ("CPU per reading of the large", "at most 1.2", 1.2, "`large` 5,000 x 10 s"),
        ("worker memory", "at most 120", 102.4, "100 MiB, `fast` 1,000 x 5 s; 500 MiB, `large`"),
        ("history events per reading, `slow`", "11", 11.02, "200 x 60 s"),
        ("history events per reading, `fast`", "under 0.5", 0.1, "1,000 x 5 s"),
        ("history events per reading, `second`", "under 0.3", 0.04, "100 x 1 s"),
    ],
)
def test_a_row_has_its_value_and_what_it_was_measured_on(figure: str, target: str, value: float, words: str) -> None:
    found = row(targets(report()), figure, target)
    assert found["value"] == pytest.approx(value)
    assert words in found["measured_on"]


@pytest.mark.parametrize(
    ("name", "more", "figure", "target"),
    [
        ("fast", {"cpu_ms_per_reading": {"total": 1.21}}, "CPU per reading against BullMQ, default", ""),
        ("long", {"cpu_ms_per_reading": {"total": 1.01}}, "CPU per reading against BullMQ, `round_span_s`", ""),
        ("naive", {"cpu_ms_per_reading": {"total": 11.0}}, "CPU per reading against the naive", ""),
        ("fast", {"lateness_ms": {"p50": 5.0, "p99": 5.0}}, "lateness p50", ""),
        ("fast", {"lateness_ms": {"p50": 1.0, "p99": 100.0}}, "lateness p99", "under"),
        ("bullmq", {"lateness_ms": {"p99": 8.9}}, "lateness p99", "at most"),
        ("large", {"cpu_ms_per_reading": {"total": 2.5}}, "CPU per reading of the large", ""),
        ("large", {"memory_bytes": {"worker": {"pss": 600 * MIB}}}, "worker memory", ""),
        ("slow", {"history": {"events_per_reading": 11.6}}, "history events per reading, `slow`", ""),
        ("fast", {"history": {"events_per_reading": 0.5}}, "history events per reading, `fast`", ""),
        ("second", {"history": {"events_per_reading": 0.3}}, "history events per reading, `second`", ""),
    ],
)
def test_a_target_is_missed_by_little(name: str, more: dict[str, Any], figure: str, target: str) -> None:
    found = targets(report(**{name: more}))
    assert row(found, figure, target)["met"] is False


def test_a_rate_below_the_queues_is_missed_even_when_there_is_none() -> None:
    for ours in (999, 0):
        found = targets(report() | {"rates": [rate("chamberlog", ours), rate("bullmq", 1_000)]})
        assert row(found, "highest rate")["met"] is False


def test_what_a_run_left_out_is_not_measured() -> None:
    found = targets({"workloads": [], "peers": [], "rates": [], "fleets": [], "mappings": []})
    assert len(found) == 14
    assert {(r["value"], r["met"], r["measured_on"]) for r in found} == {(None, None, NOT_MEASURED)}


def test_without_the_queue_only_what_stands_against_it_is_not_measured() -> None:
    whole = report()
    peers, rates = [p for p in whole["peers"] if p["name"] != "bullmq"], whole["rates"][:1]
    found = targets(whole | {"peers": peers, "rates": rates})
    assert [r["figure"].split(",")[0] for r in found if r["met"] is None] == [
        "CPU per reading against BullMQ",
        "CPU per reading against BullMQ",
        "lateness p99",
        "highest rate of one worker process against BullMQ's",
    ]


def test_memory_has_no_slope_between_fleets_of_one_size() -> None:
    assert row(targets(report(large={"chambers": 1_000})), "worker memory")["met"] is None


@pytest.mark.parametrize(
    ("chambers", "seconds", "met"), [(1_000, 179.9, True), (1_000, 180.0, False), (200, 9.0, None)]
)
def test_an_import_is_judged_by_a_whole_fleet(chambers: int, seconds: float, met: bool | None) -> None:
    imported = {"name": "fleet", "chambers": chambers, "import": {"seconds": seconds}}
    assert row(targets({**report(), "fleets": [imported]}), "import of 1,000 chambers")["met"] is met


@pytest.mark.parametrize(("cost", "met"), [(99.9, True), (100.0, False)])
def test_the_mapping_of_an_airgradient_answer(cost: float, met: bool) -> None:
    answers = [{"profile": "tasmota", "microseconds": 1.0}, {**MAPPED["answers"][0], "microseconds": cost}]
    found = row(targets({**report(), "mappings": [{"answers": answers}]}), "mapping of an AirGradient answer")
    assert (found["value"], found["met"]) == (cost, met)
