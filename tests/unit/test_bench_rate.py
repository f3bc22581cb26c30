"""The steps of the highest rate: what passes, and what was full."""

import pytest

from bench.accounting import MachineCpu
from bench.measure import Used
from bench.peers.slots import SlotCount
from bench.rate import RATE, STEPS, climb, limit_of, step_figures, step_in_words
from collector.domain.timerange import TimeRange

USED = Used(TimeRange(0, 10_000), 10.0, {"worker": 8.0, "postgres": 4.0, "devices": 1.0}, 0.5, MachineCpu(15.0, 0.0))
LATE = {"p50": 1.0, "p95": 5.0, "p99": 999.9, "max": 1_500.0}


def count(stored: int) -> SlotCount:
    return SlotCount(8_000, stored, 0, 8_000 - stored, 0)


def test_a_step_says_who_used_the_machine() -> None:
    step = step_figures(count(8_000), LATE, USED)
    assert step["passed"] is True
    assert step["cores"] == {"worker": 0.8, "postgres": 0.4, "devices": 0.1, "bench": 0.05}
    assert (step["stack_cores"], step["machine_cores"]) == (1.2, 1.5)
    assert step_in_words(step | {"chambers": 800}).endswith("worker 0.8: passed")


@pytest.mark.parametrize(
    ("stored", "late"), [(7_999, LATE), (8_000, LATE | {"p99": 1_000.0}), (0, {})], ids=["missing", "late", "nothing"]
)
def test_a_step_fails(stored: int, late: dict[str, float]) -> None:
    step = step_figures(count(stored), late, USED)
    assert step["passed"] is False
    assert "failed" in step_in_words(step | {"chambers": 800})


@pytest.mark.parametrize(
    ("machine", "worker", "words"),
    [
        (1.5, 0.8, "neither"),
        (1.5, 0.98, "the worker's process"),
        (1.9, 0.8, "the machine: 1.9 of 2 cores"),
        (1.9, 0.98, "the machine: 1.9 of 2 cores, and the worker's process"),
    ],
)
def test_the_limit_is_what_was_full(machine: float, worker: float, words: str) -> None:
    step = {"passed": False, "machine_cores": machine, "cores": {"worker": worker}}
    assert limit_of(step, cores=2).startswith(words)
    assert limit_of(step | {"passed": True}, cores=2).startswith("not reached")


def test_steps_grow_to_the_fleet_of_the_workload() -> None:
    assert list(STEPS) == sorted(set(STEPS))
    assert STEPS[-1] == RATE.chambers


async def climbed(*outcomes: bool) -> tuple[list[int], list[tuple[int, int]]]:
    """Which steps were tried, and how the fleet grew."""
    answers, grown = iter(outcomes), list[tuple[int, int]]()

    async def grow(first: int, end: int) -> None:
        grown.append((first, end))

    async def attempt(chambers: int) -> dict[str, object]:
        return {"chambers": chambers, "passed": next(answers)}

    return [step["chambers"] for step in await climb((10, 20, 30), grow, attempt)], grown


async def test_a_step_that_fails_is_tried_once_more() -> None:
    assert await climbed(True, False, True, True) == ([10, 20, 20, 30], [(0, 10), (10, 20), (20, 30)])


async def test_the_second_failure_of_a_step_is_the_end() -> None:
    assert await climbed(True, False, False) == ([10, 20, 20], [(0, 10), (10, 20)])
