"""What a process costs, as the kernel counts it.

| instrument | unit | kind | attributes |
|---|---|---|---|
| `process.cpu.time` | s | counter | `cpu.mode`: `user`, `system` |
| `process.memory.usage` | By | up-down counter | |
| `process.open_file_descriptor.count` | {count} | up-down counter | |

Memory and descriptors are read from /proc; where there is none (macOS), the two are not shown.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

MODE = "cpu.mode"
PROC = Path("/proc/self")


def observe_process(provider: MeterProvider) -> None:
    """Make the instruments; each look at the metrics asks the kernel."""
    meter = provider.get_meter("chamberlog")
    meter.create_observable_counter("process.cpu.time", [_cpu], "s", "Time of the processors that this process took")
    meter.create_observable_up_down_counter(
        "process.memory.usage", [_memory], "By", "Memory of this process that is in RAM"
    )
    meter.create_observable_up_down_counter(
        "process.open_file_descriptor.count", [_descriptors], "{count}", "Files and connections that are open"
    )


def _cpu(_: CallbackOptions) -> Iterable[Observation]:
    times = os.times()
    return [Observation(times.user, {MODE: "user"}), Observation(times.system, {MODE: "system"})]


def _memory(_: CallbackOptions) -> Iterable[Observation]:
    try:
        pages = int((PROC / "statm").read_text().split()[1])
    except OSError:
        return []
    return [Observation(pages * os.sysconf("SC_PAGE_SIZE"))]


def _descriptors(_: CallbackOptions) -> Iterable[Observation]:
    try:
        return [Observation(sum(1 for _ in (PROC / "fd").iterdir()) - 1)]  # the listing has one open itself
    except OSError:
        return []
