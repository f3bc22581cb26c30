"""The whole stack by its command: it accounts for its time, survives the death of each part, and leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from stack.layout import EDGE_PORTS, STANDARD_PORTS
from stack.ports import free_port
from stack.process import runs

CHAMBERLOG = Path(sys.executable).with_name("chamberlog")
KEYS = {"chambers", "expected", "stored", "gaps", "unaccounted", "overdue", "lateness_ms"}
START_S = 90.0
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / ".chamberlog"


def up(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    """`chamberlog up` in a session of its own, as in a terminal of its own."""
    return subprocess.Popen(
        [CHAMBERLOG, "up", "--home", home, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([CHAMBERLOG, *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def stack(home: Path) -> Iterator["subprocess.Popen[str]"]:
    """A running stack of four chambers; stopped by Ctrl-C if the test has not ended it."""
    with up(home, "--chambers", "4") as process:
        eventually(lambda: (home / "stack.json").exists() or process.poll() is not None, START_S)
        assert process.poll() is None, process.stderr and process.stderr.read()
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=120)


def test_a_run_accounts_for_its_own_time_and_so_does_the_next(home: Path) -> None:
    home.mkdir(parents=True)
    (home / "ports.json").write_text(
        json.dumps({name: free_port() for name in (*STANDARD_PORTS, *EDGE_PORTS)})
    )  # nobody else's
    first, pids = account(home, "20s")
    assert first["chambers"] == 12
    assert first["expected"] > 12 * 5
    assert first["stored"] >= 0.97 * first["expected"], first
    assert not any(runs(pid) for pid in pids), "something was left running"
    ports = (home / "ports.json").read_text()

    second, pids = account(home, "8s")
    assert second["chambers"] == 12
    assert second["gaps"].get("paused", 0) == 0, "the time between the runs is not the run's own"
    assert second["expected"] > 12
    assert (home / "ports.json").read_text() == ports
    assert not any(runs(pid) for pid in pids)


def test_each_part_that_is_killed_comes_back(home: Path, stack: "subprocess.Popen[str]") -> None:
    refuses_a_second_up(home, stack.pid)
    leads_a_shell_to_temporal(home)
    before = document(home)
    for part in ("simulator", "valkey", "api", "worker", "temporal", "postgres"):
        os.kill(process_of(home, part), signal.SIGKILL)
        old = before["pids"][part]
        eventually(lambda part=part, old=old: document(home)["pids"].get(part, old) not in (old, []))  # type: ignore[misc]
    eventually(lambda: run("list", "--home", home, "--json").returncode == 0, 60.0)
    after = document(home)
    assert {name: value for name, value in after.items() if name != "pids"} == {
        name: value for name, value in before.items() if name != "pids"
    }, "addresses stay"

    stack.send_signal(signal.SIGINT)
    time.sleep(0.5)
    stack.send_signal(signal.SIGINT)  # the rounds of the killed worker would be waited for
    _, errors = stack.communicate(timeout=60)
    assert stack.returncode == 0, errors
    assert "stopping without waiting" in errors
    assert not (home / "stack.json").exists()
    assert not any(runs(pid) for pid in flat(after["pids"]))


def test_a_killed_worker_costs_its_chambers_seconds(home: Path, stack: "subprocess.Popen[str]") -> None:
    eventually(lambda: len(newest_slots(home)) == 4, 90.0)
    os.kill(process_of(home, "worker"), signal.SIGKILL)
    killed_ms = time.time() * 1000
    eventually(lambda: len([slot for slot in newest_slots(home) if slot > killed_ms]) >= 3, 45.0)

    stack.send_signal(signal.SIGINT)  # once: no round of the killed worker is waited for
    _, errors = stack.communicate(timeout=90)
    assert stack.returncode == 0, errors
    assert "took over" in (home / "logs/worker.log").read_text()


def newest_slots(home: Path) -> list[float]:
    """Of all chambers that have a reading, ms."""
    done = run("list", "--home", home, "--json")
    items = json.loads(done.stdout)["items"] if done.returncode == 0 else []
    seen = [item["last_reading"] for item in items if item["last_reading"]]
    return [datetime.fromisoformat(instant).timestamp() * 1000 for instant in seen]


def refuses_a_second_up(home: Path, first: int) -> None:
    refused = run("up", "--home", home)
    assert refused.returncode == 1
    assert f"(process {first})" in refused.stderr
    assert runs(first)


def leads_a_shell_to_temporal(home: Path) -> None:
    exported = run("env", "--home", home)
    assert exported.returncode == 0
    script = 'eval "$1"; temporal workflow count --query "ExecutionStatus=\'Running\'"'
    counted = subprocess.run(["sh", "-c", script, "sh", exported.stdout], capture_output=True, text=True, check=False)
    assert counted.returncode == 0, counted.stderr
    assert "4" in counted.stdout


def test_nothing_outlives_a_killed_up_and_the_next_start_works(home: Path, stack: "subprocess.Popen[str]") -> None:
    pids = flat(document(home)["pids"])
    ports = (home / "ports.json").read_text()
    stack.kill()
    stack.communicate(timeout=30)
    assert run("env", "--home", home).returncode != 0, "stack.json is stale, and env must not believe it"

    after, _ = account(home, "5s", "--chambers", "4")  # at once: it waits for those that are still ending
    assert after["chambers"] == 4
    assert (home / "ports.json").read_text() == ports
    assert not any(runs(pid) for pid in pids)


def account(home: Path, duration: str, *arguments: str) -> tuple[dict[str, Any], list[int]]:
    """The account of a run that must be flawless, and the process ids of its parts."""
    with up(home, "--for", duration, "--json", *arguments) as process:
        eventually(lambda: (home / "stack.json").exists() or process.poll() is not None, START_S)
        pids = flat(document(home)["pids"]) if (home / "stack.json").exists() else []
        output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors + output
    found = json.loads(output.splitlines()[-1])
    assert set(found) == KEYS
    assert (found["unaccounted"], found["overdue"]) == (0, 0)
    assert found["expected"] == found["stored"] + sum(found["gaps"].values())
    assert len(pids) == 9, "three servers, simulator, worker, API, authz service and two Envoys"
    assert not (home / "stack.json").exists()
    return found, pids


def document(home: Path) -> dict[str, Any]:
    found = json.loads((home / "stack.json").read_text())
    assert isinstance(found, dict)
    return found


def process_of(home: Path, part: str) -> int:
    pid = document(home)["pids"][part]
    return int(pid[0] if isinstance(pid, list) else pid)


def flat(pids: dict[str, Any]) -> list[int]:
    return [pid for value in pids.values() for pid in (value if isinstance(value, list) else [value])]


def eventually(what: Callable[[], bool], within_s: float = 40.0) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)
