"""What this process costs, against what the kernel says of it."""

import os
from pathlib import Path

from adapters.telemetry import observe_process
from tests.unit.metric_points import Points, at


def test_time_of_the_processors_is_that_of_the_kernel() -> None:
    points, before = Points(), os.times()
    observe_process(points.provider)
    found, after = points.values("process.cpu.time"), os.times()
    assert before.user <= found[at(cpu__mode="user")] <= after.user
    assert before.system <= found[at(cpu__mode="system")] <= after.system
    assert len(found) == 2


def test_memory_is_what_is_in_ram() -> None:
    points = Points()
    observe_process(points.provider)
    (shown,) = points.values("process.memory.usage").values()
    kib = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line)
    assert abs(shown / 1024 - kib) < kib / 4


def test_an_open_file_counts(tmp_path: Path) -> None:
    points = Points()
    observe_process(points.provider)

    def count() -> float:
        (shown,) = points.values("process.open_file_descriptor.count").values()
        return shown

    before = count()
    with (tmp_path / "a").open("w"), (tmp_path / "b").open("w"):
        assert count() == before + 2
    assert count() == before
