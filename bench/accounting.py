"""What processes used, by the operating system's accounting (`/proc` of Linux)."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
BUSY_COLUMNS, STEAL_COLUMN = (0, 1, 2, 5, 6), 7
"""Of the first line of /proc/stat: user, nice, system, irq, softirq; steal is what the host took away."""


@dataclass(frozen=True, slots=True)
class Process:
    """A line of /proc/PID/stat.

    Attributes:
        pid: of the process.
        parent: its parent's.
        ticks: user and system time of all its threads, ended ones included, and of all children that have ended and
            were waited for: the sum over a tree never falls when one of its processes ends.
    """

    pid: int
    parent: int
    ticks: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a process and its descendants.

    Attributes:
        rss_peak: the highest resident size of each since its start, added up: pages that several share count for each.
        pss: what they hold now; a page that n share counts as 1/n for each.
    """

    rss_peak: int
    pss: int


@dataclass(frozen=True, slots=True)
class MachineCpu:
    """Seconds of all cores since the machine's start: `busy` with anything, `steal` taken by the host."""

    busy_s: float
    steal_s: float


def parse_stat(text: str) -> Process:
    """Read /proc/PID/stat; the command in it may contain blanks and parentheses."""
    pid, rest = text.partition(" ")[0], text.rpartition(")")[2].split()
    return Process(int(pid), int(rest[1]), sum(int(column) for column in rest[11:15]))


def processes(proc: Path = PROC) -> dict[int, Process]:
    """All processes that there are now, by id."""
    found = (parse_stat(text) for text in _texts(proc.glob("[0-9]*/stat")))
    return {process.pid: process for process in found}


def tree(root: int, table: Mapping[int, Process]) -> list[Process]:
    """A process and its descendants.

    Raises:
        BenchError: it does not run.
    """
    if root not in table:
        raise BenchError(f"process {root} ended while it was measured")
    children: dict[int, list[Process]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process)
    found, rest = [], [table[root]]
    while rest:
        process = rest.pop()
        found.append(process)
        rest += children.get(process.pid, [])
    return found


def cpu_seconds(roots: Mapping[str, int], proc: Path = PROC) -> dict[str, float]:
    """CPU seconds so far of each process and all its descendants, living and ended.

    Args:
        roots: name to process id.
        proc: where the operating system shows its processes.

    Raises:
        BenchError: one of them does not run.
    """
    table = processes(proc)
    return {name: sum(p.ticks for p in tree(pid, table)) / TICKS_PER_S for name, pid in roots.items()}


def memory_of(root: int, proc: Path = PROC) -> Memory:
    """Memory of a process and its living descendants.

    Raises:
        BenchError: it does not run.
    """
    pids = [process.pid for process in tree(root, processes(proc))]
    peaks = _kilobytes((proc / str(pid) / "status" for pid in pids), "VmHWM:")
    shares = _kilobytes((proc / str(pid) / "smaps_rollup" for pid in pids), "Pss:")
    return Memory(peaks * 1024, shares * 1024)


def machine_cpu(proc: Path = PROC) -> MachineCpu:
    """What the whole machine did since its start."""
    columns = [int(column) for column in (proc / "stat").read_text().splitlines()[0].split()[1:]]
    return MachineCpu(sum(columns[n] for n in BUSY_COLUMNS) / TICKS_PER_S, columns[STEAL_COLUMN] / TICKS_PER_S)


def _kilobytes(files: Iterator[Path], key: str) -> int:
    lines = (line.split() for text in _texts(files) for line in text.splitlines())
    return sum(int(words[1]) for words in lines if words and words[0] == key)


def _texts(files: Iterator[Path]) -> Iterator[str]:
    """Of those processes that have not ended meanwhile."""
    for file in files:
        try:
            yield file.read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
