"""CPU and memory of process trees, from a `/proc` made by hand and from this very process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.accounting import TICKS_PER_S, cpu_seconds, machine_cpu, memory_of, parse_stat, processes, tree
from bench.errors import BenchError

TAIL = "1 1 0 -1 4194560 100 200 0 0 {} {} {} {} 20 0 1 0 50 1000 100"


def stat_line(pid: int, parent: int, ticks: tuple[int, int, int, int], name: str = "python") -> str:
    return f"{pid} ({name}) S {parent} " + TAIL.format(*ticks) + "\n"


def add(proc: Path, pid: int, parent: int, ticks: tuple[int, int, int, int] = (0, 0, 0, 0)) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "stat").write_text(stat_line(pid, parent, ticks))
    (folder / "status").write_text(f"Name:\tx\nVmHWM:\t{pid} kB\nVmRSS:\t1 kB\n")
    (folder / "smaps_rollup").write_text(
        f"1-2 ---p 00 00:00 0 [rollup]\nRss: 9 kB\nPss: {2 * pid} kB\nPss_Anon: 7 kB\n"
    )


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Process 10 with child 11 and grandchild 12; process 20 stands apart."""
    add(tmp_path, 10, 1, (100, 50, 7, 3))
    add(tmp_path, 11, 10, (20, 10, 0, 0))
    add(tmp_path, 12, 11, (1, 1, 0, 0))
    add(tmp_path, 20, 1, (1000, 0, 0, 0))
    (tmp_path / "stat").write_text("cpu  100 20 30 1000 40 5 6 7 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\nbtime 1\n")
    return tmp_path


@pytest.mark.parametrize("name", ["python", "a b", "x) S 1 (y", "(sd-pam)"])
def test_a_command_may_have_blanks_and_parentheses(name: str) -> None:
    found = parse_stat(stat_line(7, 3, (1, 20, 300, 4000), name))
    assert (found.pid, found.parent, found.ticks) == (7, 3, 4321)


def test_a_tree_has_all_its_descendants_and_nobody_else(proc: Path) -> None:
    table = processes(proc)
    assert {p.pid for p in tree(10, table)} == {10, 11, 12}
    assert {p.pid for p in tree(20, table)} == {20}


def test_cpu_counts_descendants_and_those_that_ended(proc: Path) -> None:
    assert cpu_seconds({"a": 10, "b": 20}, proc) == {"a": 192 / TICKS_PER_S, "b": 1000 / TICKS_PER_S}


def test_memory_of_a_tree_is_the_sum_of_its_processes(proc: Path) -> None:
    found = memory_of(10, proc)
    assert (found.rss_peak, found.pss) == (33 * 1024, 66 * 1024)


def test_a_process_without_memory_is_a_zombie_and_counts_nothing(proc: Path) -> None:
    (proc / "12" / "status").write_text("Name:\tx\nState:\tZ (zombie)\n")
    (proc / "12" / "smaps_rollup").unlink()
    assert memory_of(10, proc).rss_peak == 21 * 1024


def test_a_process_that_is_gone_is_said_so(proc: Path) -> None:
    with pytest.raises(BenchError, match="process 99 ended"):
        cpu_seconds({"a": 99}, proc)
    with pytest.raises(BenchError, match="process 99 ended"):
        memory_of(99, proc)


def test_the_machine_is_busy_with_neither_idleness_nor_waiting(proc: Path) -> None:
    found = machine_cpu(proc)
    assert found.busy_s == (100 + 20 + 30 + 5 + 6) / TICKS_PER_S
    assert found.steal_s == 7 / TICKS_PER_S


def test_a_child_counts_while_it_runs_and_after_it_ended() -> None:
    me = {"me": os.getpid()}
    before = cpu_seconds(me)["me"]
    busy = "import time\nwhile time.process_time() < 0.5: pass\nprint('done', flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        during = cpu_seconds(me)["me"]
        child.communicate(b"\n")
    after = cpu_seconds(me)["me"]
    assert during - before >= 0.45
    assert after >= during, "what an ended child used stays"


def test_own_memory_is_read() -> None:
    found = memory_of(os.getpid())
    assert found.pss > 0
    assert found.rss_peak > 1_000_000
