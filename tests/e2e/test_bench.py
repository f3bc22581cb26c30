"""One short run of the bench by its command: what the report holds and that it adds up; no speed is asserted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stack.process import runs

PARTS = {"temporal", "worker", "postgres", "valkey", "api"}
CHAMBERS, SECONDS = 10, 8
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def test_a_short_run_reports_what_adds_up_and_leaves_nothing_running(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "report"
    arguments = ["--only", "fast", "--chambers", str(CHAMBERS), "--interval", "1", "--seconds", str(SECONDS)]
    command = [sys.executable, "-m", "bench", *arguments, "--home", str(home), "--report", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (folder / "bench.md").read_text()
    report = json.loads((folder / "bench.json").read_text())
    assert report["clean"] is True
    assert report["peers"] == []
    assert len(report["targets"]) == 14
    (workload,) = report["workloads"]
    accounts_for_its_window(workload)
    costs_add_up(workload)
    assert not any(runs(pid) for pid in pids_of(home / "fast")), "something was left running"
    assert (home / "fast" / "data" / "postgres" / "PG_VERSION").exists(), "the data is kept"


def test_a_fleet_is_imported_by_the_real_command_and_asked_for(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-m", "bench", "--only", "fleet", "--chambers", "20", "--home", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=220)
    assert done.returncode == 0, done.stderr
    (fleet,) = json.loads((home / "report" / "bench.json").read_text())["fleets"]
    assert fleet["complaints"] == []
    assert fleet["audit"]["chambers"] == fleet["chambers"] == 20
    assert set(fleet["requests_ms"]) == {"list", "latest", "audit"}
    assert 0 < fleet["import"]["seconds"] < 180
    assert "## fleet: 20 chambers at 60 s by the command line" in done.stdout


def accounts_for_its_window(workload: dict[str, Any]) -> None:
    readings, late = workload["readings"], workload["lateness_ms"]
    assert workload["complaints"] == []
    assert readings["expected"] in range(CHAMBERS * SECONDS, CHAMBERS * (SECONDS + 5)), "whatever the machine's hiccup"
    assert readings["stored"] + sum(readings["gaps"].values()) == readings["expected"]
    assert readings["stored"] > 0
    assert readings["per_second"] == pytest.approx(readings["stored"] / workload["window"]["seconds"], abs=0.01)
    assert 0 <= late["p50"] <= late["p95"] <= late["p99"] <= late["max"]


def costs_add_up(workload: dict[str, Any]) -> None:
    costs, shares = workload["cpu_ms_per_reading"], workload["ratios"]["share_of_cpu"]
    assert set(shares) == PARTS
    assert set(costs) == PARTS | {"total"}
    assert sum(costs[part] for part in PARTS) == pytest.approx(costs["total"], abs=0.01)
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert costs["worker"] > 0
    assert costs["postgres"] > 0
    machine = workload["machine_cpu_s"]
    assert machine["stack"] + machine["apart"] + machine["other"] == pytest.approx(machine["busy"], abs=0.03)
    assert set(workload["apart_cpu_ms_per_reading"]) == {"devices", "bench"}
    assert set(workload["memory_bytes"]) == PARTS | {"devices"}
    assert all(use["pss"] > 0 and use["rss_peak"] > 0 for use in workload["memory_bytes"].values())
    assert workload["database_bytes_per_reading"]["written_ahead"] > 0


def pids_of(home: Path) -> list[int]:
    """Of the servers: their launchers keep the number beside the data."""
    return [int((home / "data" / f"{name}.pid").read_text().split()[0]) for name in ("temporal", "valkey")]
