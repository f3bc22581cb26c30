"""A wrong wall clock: what rounds tell of it, and what a worker does about it."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.clock_skew import PERIOD_MS, ClockSkew
from adapters.clock import SystemClock
from collector.domain.errors import EngineAwayError
from collector.ports import ServerInstant
from tests.unit.jumping_time import NOON_MS, JumpingClock, in_jumping_time
from tests.unit.round_doubles import CountingMetrics
from workers.clock_watch import AGAIN_S, LOOK_S, ClockWatch

UPTIME = Path("/proc/uptime")


class Room:
    """A process, its clock, and a server whose clock is right unless `server_ahead_ms` says otherwise.

    Attributes:
        away: the server does not answer.
        looks: how often its clock was looked at.
    """

    def __init__(self) -> None:
        self.clock, self.metrics = JumpingClock(), CountingMetrics()
        self.skew = ClockSkew(self.clock, self.metrics)
        self.watch = ClockWatch(self, self.skew)
        self.server_ahead_ms = 0
        self.away = False
        self.looks = 0

    async def read(self) -> ServerInstant:
        self.looks += 1
        if self.away:
            raise EngineAwayError("connection refused")
        after_ms = self.clock.monotonic_ms()
        await asyncio.sleep(0.02)
        return ServerInstant(self.server_ms() - 10, after_ms, self.clock.monotonic_ms())

    def server_ms(self) -> int:
        return NOON_MS + self.clock.monotonic_ms() + self.server_ahead_ms

    def round(self, delay_ms: int = 0) -> None:
        """A round begins that the server handed out so long ago."""
        self.skew.heard(
            datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(milliseconds=self.server_ms() - NOON_MS - delay_ms)
        )


# ---- what rounds tell


@pytest.mark.parametrize("ahead_ms", [-7_200_000, -3_000, -1, 0, 1, 3_000, 7_200_000])
def test_one_prompt_round_tells_the_skew(ahead_ms: int) -> None:
    @in_jumping_time
    async def play() -> None:
        room = Room()
        assert (room.skew.look(), room.metrics.skews) == (0, [])
        room.clock.set_back_ms = -ahead_ms
        room.round()
        assert (room.skew.look(), room.metrics.skews) == (ahead_ms, [ahead_ms, ahead_ms])

    play()


@pytest.mark.parametrize("ahead_ms", [-3_000, 0, 3_000])
def test_a_slow_start_is_not_taken_for_a_wrong_clock(ahead_ms: int) -> None:
    @in_jumping_time
    async def play() -> None:
        room = Room()
        room.clock.set_back_ms = -ahead_ms
        for delay_ms in (8_000, 30, 9_000, 4_000):
            room.round(delay_ms)
        assert room.skew.look() == ahead_ms + 30

    play()


@in_jumping_time
async def test_a_clock_that_is_set_shows_without_another_round() -> None:
    room = Room()
    room.round(5)
    room.clock.set_back_ms = 60_000
    await asyncio.sleep(1)
    assert room.skew.look() == 5 - 60_000
    room.clock.set_back_ms = 0
    assert room.skew.look() == 5


@in_jumping_time
async def test_what_rounds_told_long_ago_counts_no_more() -> None:
    room = Room()
    room.server_ahead_ms = 10_000
    room.round()
    room.server_ahead_ms = 0
    told = []
    for _ in range(3):
        await asyncio.sleep(PERIOD_MS / 1000)
        room.round(40)
        told.append(room.skew.look())
    assert told == [-10_000, 40, 40]


@in_jumping_time
async def test_a_look_at_the_server_counts_at_once() -> None:
    room = Room()
    room.server_ahead_ms = 10_000
    room.round()
    room.server_ahead_ms = 0
    room.skew.measured(await room.read())
    assert room.skew.look() == 0
    room.round(9_000)
    assert room.skew.look() == 0


# ---- what a worker does


async def outcome_of(work: asyncio.Task[str], within_s: float) -> str | None:
    """What the watch says by then; None while it says nothing."""
    done, _ = await asyncio.wait([work], timeout=within_s)
    if done:
        return work.result()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    return None


@pytest.mark.parametrize(
    ("ahead_ms", "says"),
    [
        (0, ""),
        (4_990, ""),
        (-4_990, ""),
        (5_010, "this machine's clock is 5.0 s ahead of Temporal's"),
        (-90_000, "this machine's clock is 90.0 s behind Temporal's"),
    ],
)
def test_a_worker_judges_before_its_first_round(ahead_ms: int, says: str) -> None:
    @in_jumping_time
    async def play() -> None:
        room = Room()
        room.clock.set_back_ms = -ahead_ms
        assert await room.watch.first_look() == says

    play()


@in_jumping_time
async def test_a_clock_that_goes_wrong_is_seen_within_two_seconds() -> None:
    room = Room()
    room.round()
    watching = asyncio.create_task(room.watch.until_wrong())
    await asyncio.sleep(100.5)
    room.clock.set_back_ms = -7_000
    assert await outcome_of(watching, LOOK_S + 0.1) == "this machine's clock is 7.0 s ahead of Temporal's"
    assert room.looks == 1
    assert room.metrics.skews[-1] == 7_000


@in_jumping_time
async def test_rounds_that_all_began_late_stop_nobody() -> None:
    room = Room()
    room.round(9_000)
    watching = asyncio.create_task(room.watch.until_wrong())
    assert await outcome_of(watching, 60) is None
    assert (room.looks, room.skew.look()) == (1, 0)


@in_jumping_time
async def test_a_clock_that_is_wrong_by_three_seconds_is_measured_now_and_then_and_stops_nobody() -> None:
    room = Room()
    room.clock.set_back_ms = 3_000
    room.round()
    watching = asyncio.create_task(room.watch.until_wrong())
    assert await outcome_of(watching, 60) is None
    assert 60 / AGAIN_S - 2 <= room.looks <= 60 / AGAIN_S
    assert room.metrics.skews[-1] == -3_000


@in_jumping_time
async def test_a_worker_begins_again_once_the_clock_is_right() -> None:
    room = Room()
    room.clock.set_back_ms = 9_000
    resting = asyncio.create_task(room.watch.until_right())
    await asyncio.sleep(30)
    room.clock.set_back_ms = 4_500  # right enough to go on, not to begin
    await asyncio.sleep(30)
    assert not resting.done()
    room.clock.set_back_ms = 3_900
    await asyncio.wait_for(resting, AGAIN_S + 0.1)


@in_jumping_time
async def test_a_server_whose_own_clock_was_wrong_and_is_set_ends_the_rest_too() -> None:
    room = Room()
    room.server_ahead_ms = 60_000
    assert await room.watch.first_look()
    resting = asyncio.create_task(room.watch.until_right())
    await asyncio.sleep(60)
    room.server_ahead_ms = 0
    await asyncio.wait_for(resting, AGAIN_S + 0.1)


@in_jumping_time
async def test_nothing_is_decided_while_the_server_cannot_be_asked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "workers.clock_watch")
    room = Room()
    room.away = True
    room.clock.set_back_ms = 60_000
    assert await room.watch.first_look() == ""
    room.round()
    assert await outcome_of(asyncio.create_task(room.watch.until_wrong()), 60) is None
    resting = asyncio.create_task(room.watch.until_right())
    room.clock.set_back_ms = 0
    await asyncio.sleep(60)
    assert not resting.done()
    assert [r.getMessage() for r in caplog.records] == ["this machine's clock cannot be checked: connection refused"]
    room.away = False
    await asyncio.wait_for(resting, AGAIN_S + 0.1)


# ---- the machine's own clock


@pytest.mark.skipif(not UPTIME.exists(), reason="not Linux: its suspensions are not seen")
def test_the_monotonic_clock_is_the_one_that_counts_suspensions() -> None:
    clock = SystemClock()
    before_ms, uptime_ms, after_ms = (
        clock.monotonic_ms(),
        float(UPTIME.read_text().split()[0]) * 1000,
        clock.monotonic_ms(),
    )
    assert before_ms - 20 <= uptime_ms <= after_ms + 20


def test_the_wall_clock_is_the_machines() -> None:
    assert abs(SystemClock().now_ms() - datetime.now(UTC).timestamp() * 1000) < 1_000
