"""Samples to figures: each figure by value."""

from dataclasses import replace

import pytest

from bench.accounting import MachineCpu, Memory
from bench.bootstrap import DatabaseSize, StoredReadings
from bench.errors import BenchError
from bench.figures import complaints, figures
from bench.histories import HistoryCount
from bench.measure import Measurement, Sample, Used, used_between
from bench.workloads import Workload
from collector.domain.timerange import TimeRange
from stack.account import Account

LATE = {"p50": 1.0, "p95": 4.0, "p99": 9.0, "max": 30.0}
IDLE = Used(
    TimeRange(0, 5_000),
    5.0,
    {"temporal": 0.05, "worker": 0.02, "worker-2": 0.03, "postgres": 0.0, "devices": 0.0},
    0.01,
    MachineCpu(0.2, 0.0),
)
WINDOW = Used(
    TimeRange(100_000, 110_000),
    10.0,
    {"temporal": 0.5, "worker": 0.6, "worker-2": 0.4, "postgres": 0.5, "devices": 0.05},
    0.15,
    MachineCpu(2.5, 0.1),
)
CLEAN = Measurement(
    workload=Workload("fast", 500, 5, 10.0, workers=2),
    idle=IDLE,
    window=WINDOW,
    account=Account(500, 1_001, 1_000, {"timeout": 1}, 0, 0, LATE),
    readings=StoredReadings(1_000, 1_000, LATE),
    grown=DatabaseSize(100_000, 400_000),
    memory={"worker": Memory(3 << 20, 2 << 20), "worker-2": Memory(3 << 20, 2 << 20), "temporal": Memory(5, 4)},
    history=HistoryCount(220, 20),
    servers={"temporal": "1", "postgres": "18"},
)


def sample(at_ms: int, cpu_s: float, pid: int = 1) -> Sample:
    return Sample(at_ms, at_ms / 1000, {"worker": pid}, {"worker": cpu_s}, cpu_s / 2, MachineCpu(cpu_s * 3, 0.5))


def test_a_window_is_the_difference_of_its_samples() -> None:
    used = used_between(sample(1_000, 2.0), sample(4_000, 3.0))
    assert used == Used(TimeRange(1_000, 4_000), 3.0, {"worker": 1.0}, 0.5, MachineCpu(3.0, 0.0))


def test_another_process_of_the_same_name_is_refused() -> None:
    with pytest.raises(BenchError, match="worker was started again"):
        used_between(sample(1_000, 2.0), sample(4_000, 3.0, pid=2))


def test_costs_are_per_stored_reading_with_the_workers_together() -> None:
    found = figures(CLEAN, cores=2)
    assert found["cpu_ms_per_reading"] == {"temporal": 0.5, "worker": 1.0, "postgres": 0.5, "total": 2.0}
    assert found["idle_cpu_ms_per_second"] == {"temporal": 10.0, "worker": 10.0, "postgres": 0.0}
    above = {"temporal": 0.4, "worker": 0.9, "postgres": 0.5, "total": 1.8}
    assert found["cpu_ms_per_reading_above_idle"] == pytest.approx(above)
    assert found["ratios"] == {
        "share_of_cpu": {"temporal": 0.25, "worker": 0.5, "postgres": 0.25},
        "cores_used": 0.2,
        "of_the_machine": 0.1,
    }


def test_devices_and_bench_stand_apart_and_the_machine_adds_up() -> None:
    found = figures(CLEAN, cores=2)
    assert found["apart_cpu_ms_per_reading"] == {"devices": 0.05, "bench": 0.15}
    assert found["machine_cpu_s"] == {"stack": 2.0, "apart": 0.2, "other": 0.3, "busy": 2.5, "steal": 0.1}


def test_what_else_a_reading_costs() -> None:
    found = figures(CLEAN, cores=2)
    assert found["readings"] == {
        "expected": 1_001,
        "stored": 1_000,
        "per_second": 100.0,
        "gaps": {"timeout": 1},
        "unaccounted": 0,
        "overdue": 0,
        "answers_stored_twice": 0,
    }
    assert found["history"] == {"events": 220, "activities": 20, "events_per_reading": 0.22}
    assert found["database_bytes_per_reading"] == {"stored": 100.0, "written_ahead": 400.0}
    assert found["memory_bytes"]["worker-2"] == {"rss_peak": 3 << 20, "pss": 2 << 20}
    assert found["lateness_ms"] == LATE


@pytest.mark.parametrize(
    ("dirty", "words"),
    [
        (replace(CLEAN, account=replace(CLEAN.account, unaccounted=3)), "3 slots are unaccounted"),
        (replace(CLEAN, account=replace(CLEAN.account, overdue=2)), "2 slots are overdue"),
        (replace(CLEAN, readings=replace(CLEAN.readings, answers=999)), "1 readings carry an answer"),
        (
            replace(CLEAN, account=replace(CLEAN.account, stored=998)),
            "the audit counts 998 readings, the database 1000",
        ),
    ],
)
def test_what_is_not_clean_is_said(dirty: Measurement, words: str) -> None:
    assert complaints(CLEAN) == []
    found = complaints(dirty)
    assert len(found) == 1
    assert found[0].startswith(words)
