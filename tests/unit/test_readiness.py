"""What a worker answers to `/readyz`."""

import asyncio

import pytest

from tests.unit.jumping_time import JumpingClock, in_jumping_time
from workers.readiness import NOT_YET, STUCK_MS, Readiness


@in_jumping_time
async def test_a_worker_is_ready_while_it_polls() -> None:
    readiness = Readiness(JumpingClock().monotonic_ms)
    assert readiness.why_not() == NOT_YET
    readiness.set()
    readiness.set()
    assert readiness.why_not() == ""
    readiness.clear("this machine's clock is wrong")
    assert readiness.why_not() == "this machine's clock is wrong"


@in_jumping_time
async def test_a_loop_that_never_turned_is_one_that_was_not_begun() -> None:
    readiness = Readiness(JumpingClock().monotonic_ms)
    readiness.set()
    await asyncio.sleep(3_600)
    assert readiness.why_not() == ""


@pytest.mark.parametrize(("still_s", "why"), [(10.0, ""), (10.5, "has not turned for 10 s"), (75, "for 75 s")])
def test_a_loop_that_does_not_turn_is_not_ready_whatever_else_is_true(still_s: float, why: str) -> None:
    @in_jumping_time
    async def play() -> None:
        readiness = Readiness(JumpingClock().monotonic_ms)
        readiness.set()
        readiness.turned()
        await asyncio.sleep(still_s)
        assert why in readiness.why_not()
        assert bool(readiness.why_not()) is bool(why)
        readiness.turned()
        assert readiness.why_not() == ""

    play()
    assert STUCK_MS == 10_000
