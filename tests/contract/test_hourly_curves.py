"""Curves over long ranges come from hours, and say the same as the readings did."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from adapters.memory import InMemoryLedger
from collector.domain.outcome import GapReason
from collector.domain.sealing import DAY_MS, HOUR_MS, day_of, hours_until, span_of
from collector.domain.timerange import TimeRange
from collector.ports.history import Bin
from tests.contract.ledger_rooms import HOUR, Enrolled, Rooms, enrolled, gap, memory_rooms, now, reading, spec
from tests.contract.test_maintenance import dropped_days, rolled_up

DAYS = 20
EVERY = HOUR // 3
DETECTOR = "channel_1"


async def told(rooms: Rooms, name: str, origin_ms: int | None = None) -> Enrolled:
    """Twenty days, a reading each twenty minutes, with excursions, bad channels and gaps."""
    ago_ms = DAYS * DAY_MS if origin_ms is None else now() - origin_ms
    chamber = await enrolled(rooms, spec(name, EVERY), ago_ms=ago_ms)
    wanted = range(3 * 24 * DAYS - 1)
    await chamber.save(*(gap(chamber.slot(n), chamber.slot(n + 8), GapReason.MISSED) for n in wanted if n % 97 == 0))
    kept = (n for n in wanted if n % 97 > 8)
    values = (reading(chamber.slot(n), 1.0, None if n % 11 == 0 else (n * 37) % 101 / 7) for n in kept)
    await chamber.save(*values, settled=chamber.slot(wanted[-1]))
    return chamber


def whole_hours(chamber: Enrolled) -> TimeRange:
    """Eighteen days of whole hours, within the story."""
    from_ms = (chamber.first_ms // HOUR_MS + 5) * HOUR_MS
    return TimeRange(from_ms, from_ms + 18 * DAY_MS)


async def curve(rooms: Rooms, chamber: Enrolled, span: TimeRange, points: int) -> Sequence[Bin]:
    return await rooms.history.bins("default", chamber.spec.id, DETECTOR, span, points)


def same(found: Sequence[Bin], wanted: Sequence[Bin]) -> bool:
    """Equal but for the last bits of the means."""
    means = [(a.mean, b.mean) for a, b in zip(found, wanted, strict=True)]
    assert all(a == b or a == pytest.approx(b) for a, b in means)
    assert [replace(b, mean=None) for b in found] == [replace(b, mean=None) for b in wanted]
    return True


@pytest.mark.parametrize("points", [432, 108, 18, 1])
async def test_hours_say_the_same_as_readings(rooms: Rooms, points: int) -> None:
    chamber = await told(rooms, "same")
    span = whole_hours(chamber)
    raw = await curve(rooms, chamber, span, points)
    assert sum(b.count for b in raw) > 1_000
    assert {b.gap_reason for b in raw} >= {GapReason.MISSED}

    assert await rolled_up(rooms) > 18 * 24

    assert same(await curve(rooms, chamber, span, points), raw)
    assert await rolled_up(rooms) == 0, "again: nothing changes"


async def test_late_readings_are_drawn_before_and_after_they_are_rolled_up(rooms: Rooms) -> None:
    chamber = await told(rooms, "late")
    span = whole_hours(chamber)
    await rolled_up(rooms)
    before = await curve(rooms, chamber, span, 108)

    hole = 97 * 4
    await chamber.save(reading(chamber.slot(hole), 1.0, 4_000.0), reading(chamber.slot(hole + 1), 1.0, None))

    drawn = await curve(rooms, chamber, span, 108)
    assert max(b.maximum or 0 for b in drawn) == 4_000
    assert sum(b.count for b in drawn) == sum(b.count for b in before) + 1
    assert await rolled_up(rooms) > 0
    assert same(await curve(rooms, chamber, span, 108), drawn)


async def test_the_ends_of_a_range_cut_hours_and_count_no_reading_beyond(rooms: Rooms) -> None:
    chamber = await told(rooms, "ends")
    span = TimeRange(chamber.slot(40) + 1, chamber.slot(40 + 3 * 24 * 17) + 1)
    raw = await curve(rooms, chamber, span, 1)
    await rolled_up(rooms)
    assert same(await curve(rooms, chamber, span, 1), raw)


async def test_bins_narrower_than_an_hour_are_drawn_from_readings(rooms: Rooms) -> None:
    chamber = await told(rooms, "narrow")
    span = whole_hours(chamber)
    raw = await curve(rooms, chamber, span, 2_000)
    await rolled_up(rooms)
    assert await curve(rooms, chamber, span, 2_000) == raw


@pytest.mark.parametrize("points", [432, 18])
async def test_hours_stay_when_readings_are_dropped(rooms: Rooms, points: int) -> None:
    chamber = await told(rooms, "kept")
    span = whole_hours(chamber)
    raw = await curve(rooms, chamber, span, points)
    gone = await dropped_days(rooms, 6)

    assert same(await curve(rooms, chamber, span, points), raw)
    day = await curve(rooms, chamber, span_of(gone[-1]), 24)
    assert sum(b.count for b in day) > 40, "a short range too"
    reaching = TimeRange(span_of(gone[-1]).from_ms, span_of(gone[-1]).to_ms + DAY_MS)
    assert sum(b.count for b in await curve(rooms, chamber, reaching, 48)) > sum(b.count for b in day) + 40
    assert day_of(reaching.from_ms) == gone[-1]


@pytest.mark.parametrize("seed", range(6))
async def test_twin_and_database_draw_the_same(postgres_rooms: Rooms, seed: int) -> None:
    """Whatever the range, whatever came late; only what an hour straddles may be drawn one bin early, in both alike."""
    both = [postgres_rooms, memory_rooms(InMemoryLedger())]
    chance = Random(seed)
    begin, lasts = chance.randrange(3 * DAY_MS), chance.randrange(15 * DAY_MS, 16 * DAY_MS)
    points, late = chance.randint(1, 300), [chance.randrange(1_400) for _ in range(4)]
    drawn = []
    origin_ms = now() - DAYS * DAY_MS
    for rooms in both:
        chamber = await told(rooms, "twin", origin_ms)
        span = TimeRange(chamber.first_ms + begin, chamber.first_ms + begin + lasts)
        await rolled_up(rooms)
        await chamber.save(*(reading(chamber.slot(n), 0.0, 500.0 + n) for n in late))
        drawn.append(await curve(rooms, chamber, span, points))
    assert same(drawn[0], drawn[1])


def test_where_hours_are_drawn() -> None:
    month = TimeRange(0, 30 * DAY_MS)
    assert hours_until(month, 720, 0) == month.to_ms
    assert hours_until(month, 721, 0) == 0
    assert hours_until(month, 721, DAY_MS) == DAY_MS
    fortnight = TimeRange(0, 14 * DAY_MS)
    assert hours_until(fortnight, 1, 3 * DAY_MS) == 3 * DAY_MS
    assert hours_until(fortnight, 1, 90 * DAY_MS) == fortnight.to_ms
