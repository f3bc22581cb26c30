"""Results to the report: targets first, what failed and what was left out, JSON and Markdown."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.gateway import ratios
from bench.markdown import markdown
from bench.report import document, write_report
from bench.run import Results
from bench.trials import Group

LATE = {"p50": 1.0, "p95": 4.0, "p99": 9.0, "max": 30.0}
MACHINE_CPU = {"stack": 2.0, "apart": 0.2, "other": 0.3, "busy": 2.5, "steal": 0.1}
MEMORY = {"worker": {"rss_peak": 3 << 20, "pss": 2 << 20}, "worker-2": {"rss_peak": 3 << 20, "pss": 2 << 20}}
FACTS: dict[str, Any] = {
    "date": "2026-01-01T00:00:00+00:00",
    "machine": {"cpu": "Slide rule", "cores": 2, "memory_mib": 64, "kernel": "Linux 1", "architecture": "x"},
    "versions": {"python": "3.11"},
    "settings": {"CHAMBERLOG_MAX_ACTIVITIES": 2000},
}


def fleet(name: str, cost: float) -> dict[str, Any]:
    return {
        "name": name,
        "chambers": 500,
        "interval_s": 5,
        "window": {"seconds": 10.0},
        "cpu_ms_per_reading": {"worker": cost, "total": cost},
        "apart_cpu_ms_per_reading": {"devices": 0.05, "bench": 0.15},
        "machine_cpu_s": MACHINE_CPU,
        "lateness_ms": LATE,
        "memory_bytes": MEMORY,
    }


def workload(name: str, cost: float, complaints: tuple[str, ...] = ()) -> dict[str, Any]:
    return fleet(name, cost) | {
        "workers": 2,
        "warm_up_s": 10.0,
        "readings": {"expected": 1_001, "stored": 1_000, "per_second": 100.0, "gaps": {"timeout": 1}},
        "cpu_ms_per_reading_above_idle": {"worker": 0.9, "total": 0.9},
        "idle_cpu_ms_per_second": {"worker": 10.0},
        "ratios": {"share_of_cpu": {"worker": 1.0}, "cores_used": 0.2},
        "history": {"events": 220, "activities": 20, "events_per_reading": 0.22},
        "database_bytes_per_reading": {"stored": 100.0, "written_ahead": 400.0},
        "servers": {"temporal": "1.32", "postgres": "18"},
        "raised": {"CHAMBERLOG_MAX_ACTIVITIES": 5_100},
        "complaints": list(complaints),
    }


def peer(cost: float) -> dict[str, Any]:
    readings = {"expected": 1_000, "stored": 990, "doubled": 2, "missing": 10, "astray": 0, "per_second": 99.0}
    more = {"title": "BullMQ job schedulers", "readings": readings, "cores_used": 0.3, "settings": {"concurrency": 200}}
    return fleet("bullmq", cost) | more | {"versions": {"node": "20.20.2"}}


def rate() -> dict[str, Any]:
    step = {"readings_per_second": 400, "lateness_ms": LATE, "slots": {"missing": 3, "expected": 4_800}}
    step |= {"machine_cores": 1.9, "cores": {"worker": 0.9}, "passed": False}
    return {
        "system": "chamberlog",
        "interval_s": 1,
        "highest_readings_per_second": 200,
        "limit": "the machine",
        "steps": [step, step | {"lateness_ms": {}}],
    }


def kill() -> dict[str, Any]:
    return {
        "system": "chamberlog",
        "title": "chamberlog",
        "chambers": 100,
        "interval_s": 5,
        "worker_down_s": 5.2,
        "expected": 1_600,
        "stored": 1_590,
        "gaps": {"missed": 10},
        "lost_silently": 0,
        "doubled": 1,
        "late": 2,
        "longest_silence_s": 12.5,
    }


def imported(complaints: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "name": "fleet",
        "chambers": 1_000,
        "interval_s": 60,
        "import": {"seconds": 40.0, "per_second": 25.0, "again_seconds": 1.5},
        "requests_ms": {"list": {"p50": 90.0, "max": 120.0}},
        "commands_s": {"list": 1.1},
        "audit": {"chambers": 1_000, "expected": 2_000, "stored": 1_999, "unaccounted": 0, "overdue": 0},
        "complaints": list(complaints),
    }


MAPPED = {
    "profile": "airgradient", "decoder": "json", "answer": "a.json", "bytes": 247, "measurements": 9,
    "microseconds": 80.5, "to_airgradient": 1.0,
}  # fmt: skip


def results(*workloads: dict[str, Any], failed: dict[str, str] | None = None) -> Results:
    found = {
        Group.WORKLOADS: list(workloads),
        Group.PEERS: [peer(0.5)],
        Group.RATE: [rate()],
        Group.KILL: [kill()],
        Group.FLEET: [imported()],
        Group.GATEWAY: [
            {"name": "gateway", "path": "/v1/x", "requests": 3, **ratios([1.0, 2.0, 3.0], [2.0, 6.0, 6.0])}
        ],
        Group.MAPPING: [{"name": "mapping", "answers": [MAPPED]}],
    }
    return Results(["fast", "bullmq", "rate-chamberlog", "kill-chamberlog"], found, failed or {})


def test_the_report_has_targets_ratios_and_the_versions_of_servers() -> None:
    report = document(FACTS, results(workload("fast", 0.5), workload("slow", 1.25)))
    assert report["clean"] is True
    assert report["targets"][0]["value"] == 1.0
    assert report["ratios"] == {"cpu_per_reading_to_fast": {"fast": 1.0, "slow": 2.5, "bullmq": 1.0}}
    assert report["versions"] == {"python": "3.11", "temporal server": "1.32", "postgres server": "18"}
    assert {"long", "naive", "rate-bullmq"} <= set(report["left_out"])
    assert "fast" not in report["left_out"]


@pytest.mark.parametrize("words", ["3 slots are unaccounted"])
def test_a_window_that_is_not_clean_makes_the_report_so(words: str) -> None:
    report = document(FACTS, results(workload("fast", 0.5), workload("slow", 0.5, (words,))))
    assert report["clean"] is False
    assert words in markdown(report)


def test_a_fleet_with_unaccounted_slots_makes_the_report_unclean() -> None:
    found = results(workload("fast", 0.5))
    found.found[Group.FLEET] = [imported(("3 slots are unaccounted",))]
    report = document(FACTS, found)
    assert report["clean"] is False
    assert "| audit | 3 slots are unaccounted |" in markdown(report)


def test_without_fast_there_is_no_ratio_to_it() -> None:
    assert document(FACTS, results(workload("slow", 0.5)))["ratios"] == {"cpu_per_reading_to_fast": {}}


def test_the_targets_come_first_and_a_missed_one_stands_out() -> None:
    text = markdown(document(FACTS, results(workload("fast", 0.7))))
    assert text.index("## Targets") < text.index("## What a reading costs")
    assert "| CPU per reading against BullMQ, default settings | at most 1.2 | 1.4 | **missed** | 0.7 ms," in text
    assert "| lateness p50, ms | under 5 | 1 | met |" in text
    assert (
        "| CPU per reading against the naive design | at most 0.1 |  | not measured | not measured in this run |"
        in text
    )


def test_every_part_is_shown_to_people() -> None:
    text = markdown(document(FACTS, results(workload("fast", 0.5))))
    for line in (
        "Slide rule, 2 cores",
        "| fast 500 x 5 s | 0.5 |  |  |  |  | 0.5 | 1.0 | 1 / 9 ms |",
        "| chamberlog 100 x 5 s | 5.2 s | 1600 | 1590 | 10 missed | 0 | 1 | 2 | 12.5 s |",
        "200 readings a second. The limit: the machine.",
        "| 400 | 1 / 4 / 9 / 30 ms | 3 of 4800 | 1.9 | 0.9 | no |",
        "| 400 | no reading |",
        "## fast: 500 chambers at 5 s",
        "| worker | 0.5 | 100% | 0.9 | 10.0 | 6 | 4 |",
        "| devices (apart) | 0.05 |",
        "| raised for this workload | CHAMBERLOG_MAX_ACTIVITIES=5100 |",
        "| cores used by others | 0.03, bench and devices 0.02, stolen by the host 0.01 |",
        "## bullmq: BullMQ job schedulers, 500 chambers at 5 s",
        "| doubled, missing, astray | 2, 10, 0 |",
        "| settings | concurrency 200 |",
        "## fleet: 1,000 chambers at 60 s by the command line",
        "| import by the command | 40 s, 25 chambers a second |",
        "| request: list, p50 / max | 90 / 120 ms |",
        "| command: list | 1.1 s |",
        "| audit | 1999 of 2000 slots stored, 0 unaccounted |",
    ):
        assert line in text, line


def test_what_failed_stands_with_its_reason() -> None:
    report = document(FACTS, results(workload("fast", 0.5), failed={"naive": "no\nroom | left"}))
    assert report["failed"] == {"naive": "no\nroom | left"}
    assert "| naive | no room / left |" in markdown(report)


def test_json_and_markdown_are_written_and_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "report"
    write_report(folder, document(FACTS, Results([])))
    report = document(FACTS, results(workload("fast", 0.5)))
    as_json, as_text = write_report(folder, report)
    assert json.loads(as_json.read_text()) == report
    assert as_text.read_text() == markdown(report)


def test_the_mapping_of_each_profile_is_a_row() -> None:
    assert "| airgradient | json | a.json | 247 | 9 | 80.5 | 1.0 |" in markdown(document(FACTS, results()))


def test_the_ways_to_the_api_are_compared() -> None:
    text = markdown(document(FACTS, results()))
    assert "`GET /v1/x` through the gateway, 3 requests each way" in text
    assert "| p50 | 2.0 | 6.0 | 3.0 |" in text
