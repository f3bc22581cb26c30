"""The grid against brute force; deadlines; plans that cover every slot exactly once, whatever clocks do."""

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from collector.domain.cadence import DEFAULT_ROUND_SPAN_MS, LONG_INTERVAL_MS, Grid, grid_of, phase_of, plan_round

NOON_MS = 1_772_366_400_000
DAY_MS = 86_400_000
PAGE = Path(__file__).resolve().parents[2] / "docs" / "grid.md"

IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
INTERVALS = st.one_of(st.integers(1_000, DAY_MS), st.sampled_from([1_000, 59_999, 60_000, 600_000, DAY_MS]))
INSTANTS = st.integers(NOON_MS - 400 * DAY_MS, NOON_MS + 400 * DAY_MS)
SPANS = st.one_of(st.none(), st.integers(1_000, 3_600_000))


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    return grid_of(draw(IDS), draw(INTERVALS), aligned=draw(st.booleans()))


@st.composite
def small_grids(draw: st.DrawFn) -> Grid:
    interval = draw(st.integers(1, 40))
    return Grid(interval, draw(st.integers(0, interval - 1)))


# ---- the grid


@given(small_grids(), st.integers(-300, 300), st.integers(-300, 300))
@settings(deadline=None)
def test_a_grid_agrees_with_counting_on_fingers(grid: Grid, a: int, b: int) -> None:
    slots = [t for t in range(-400, 401) if (t - grid.phase_ms) % grid.interval_ms == 0]
    assert grid.at_or_after(a) == min(t for t in slots if t >= a)
    assert grid.after(a) == min(t for t in slots if t > a)
    assert grid.at_or_before(a) == max(t for t in slots if t <= a)
    assert grid.count(a, b) == sum(a <= t <= b for t in slots)


@given(grids(), INSTANTS, st.integers(-5_000, 5_000))
@settings(deadline=None)
def test_slots_never_drift(grid: Grid, instant: int, n: int) -> None:
    slot = grid.at_or_after(instant)
    later = slot + n * grid.interval_ms
    assert grid.at_or_after(later) == grid.at_or_before(later) == later
    assert grid.after(later) == later + grid.interval_ms
    assert grid.count(min(slot, later), max(slot, later)) == abs(n) + 1


def test_daylight_saving_time_moves_no_slot() -> None:
    hourly = Grid(3_600_000, 0)
    before_ms = 1_774_738_800_000  # 2026-03-29T00:00:00+01:00: the clocks of Berlin go forward two hours later
    assert [hourly.after(before_ms + n * 3_600_000) - before_ms for n in range(5)] == [
        (n + 1) * 3_600_000 for n in range(5)
    ]


# ---- the phase


@given(IDS, INTERVALS)
@settings(deadline=None)
def test_the_phase_is_the_hash_of_the_id(chamber_id: str, interval: int) -> None:
    number = int(hashlib.sha256(chamber_id.encode()).hexdigest()[:16], 16)
    assert phase_of(chamber_id, interval) == number % interval
    assert 0 <= phase_of(chamber_id, interval) < interval
    assert phase_of(chamber_id, interval, aligned=True) == 0
    assert grid_of(chamber_id, interval) == Grid(interval, number % interval)


VECTORS = [
    ("incubator-3", 60_000, 34_480),
    ("incubator-3", 1_000, 480),
    ("incubator-3", 86_400_000, 81_154_480),
    ("cold-room", 60_000, 17_557),
    ("a", 300_000, 162_250),
]


@pytest.mark.parametrize(("chamber_id", "interval", "phase"), VECTORS)
def test_phase_vectors(chamber_id: str, interval: int, phase: int) -> None:
    assert phase_of(chamber_id, interval) == phase


def test_the_page_for_users_has_the_same_vectors() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([\d,]+) \| ([\d,]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    shown = [(name, int(interval.replace(",", "")), int(phase.replace(",", ""))) for name, interval, phase in rows]
    assert shown == VECTORS


def test_phases_spread_the_load_of_a_thousand_chambers() -> None:
    tenths = [phase_of(f"chamber-{n}", 60_000) // 6_000 for n in range(1_000)]
    assert all(60 <= tenths.count(tenth) <= 140 for tenth in range(10))


# ---- deadlines


@pytest.mark.parametrize(
    ("interval", "patience"),
    [(1_000, 1_000), (59_999, 59_999), (60_000, 60_000), (600_000, 60_000), (600_010, 60_001), (DAY_MS, 8_640_000)],
)
def test_a_deadline_is_a_tenth_at_least_a_minute_at_most_the_interval(interval: int, patience: int) -> None:
    assert Grid(interval, 0).deadline(NOON_MS) == NOON_MS + patience


@given(grids(), INSTANTS)
@settings(deadline=None)
def test_at_most_one_slot_is_past_and_open(grid: Grid, now: int) -> None:
    newest = grid.at_or_before(now)
    slots = [newest - n * grid.interval_ms for n in range(4)]
    still_open = [slot for slot in slots if now < grid.deadline(slot)]
    assert still_open in ([], [newest])
    assert grid.first_open(now) == (newest if still_open else newest + grid.interval_ms)


@given(grids(), INSTANTS, st.integers(0, 3 * DAY_MS))
@settings(deadline=None)
def test_the_first_open_slot_never_goes_back_while_time_goes_on(grid: Grid, now: int, ms: int) -> None:
    assert grid.first_open(now) <= grid.first_open(now + ms)


# ---- rounds


@given(IDS, INTERVALS, st.integers(0, 2_000), INSTANTS, SPANS)
@settings(deadline=None)
def test_a_plan_is_at_least_one_slot_and_never_goes_back(
    chamber_id: str, interval: int, ahead: int, now: int, span: int | None
) -> None:
    grid = grid_of(chamber_id, interval)
    next_ms = grid.at_or_after(now + (ahead - 1_000) * interval)
    plan = plan_round(chamber_id, grid, next_ms, now, span)
    assert plan.count >= 1
    assert plan.first_ms >= next_ms
    assert grid.at_or_before(plan.first_ms) == plan.first_ms
    assert plan.first_ms in (next_ms, grid.first_open(now))
    if plan.missed is None:
        assert plan.first_ms == next_ms
    else:
        assert plan.missed == (next_ms, plan.first_ms - interval)
        assert grid.deadline(plan.missed[1]) <= now


@given(IDS, st.integers(LONG_INTERVAL_MS, DAY_MS), INSTANTS)
@settings(deadline=None)
def test_from_a_minute_on_a_round_is_one_slot(chamber_id: str, interval: int, now: int) -> None:
    grid = grid_of(chamber_id, interval)
    assert plan_round(chamber_id, grid, grid.after(now), now).count == 1


@given(IDS, INTERVALS, INSTANTS, SPANS)
@settings(deadline=None)
def test_rounds_end_on_a_grid_of_their_own(chamber_id: str, interval: int, now: int, span: int | None) -> None:
    length = span or DEFAULT_ROUND_SPAN_MS
    assume(length > interval and (span is not None or interval < LONG_INTERVAL_MS))
    grid = grid_of(chamber_id, interval)
    plan = plan_round(chamber_id, grid, grid.after(now), now, span)
    second = int(hashlib.sha256(chamber_id.encode()).hexdigest()[16:32], 16)
    last = plan.first_ms + (plan.count - 1) * interval
    passed = (plan.first_ms - second) % length
    end = plan.first_ms - passed + length
    assert last < end <= last + interval


def test_rounds_of_a_fleet_do_not_end_in_herds() -> None:
    ends = []
    for n in range(300):
        chamber_id = f"chamber-{n}"
        grid = grid_of(chamber_id, 1_000, aligned=True)
        plan = plan_round(chamber_id, grid, NOON_MS, NOON_MS)
        ends.append((plan.first_ms + plan.count * 1_000 - NOON_MS) // 1_000)
    assert max(ends.count(second) for second in ends) <= 8
    assert all(0 < second <= 300 for second in ends)


@given(
    IDS,
    st.sampled_from([1_000, 7_000, 60_000, 3_600_000]),
    SPANS,
    st.lists(st.tuples(st.integers(-120_000, 4 * 3_600_000), st.integers(0, 400), st.booleans()), max_size=25),
)
@settings(deadline=None, max_examples=150)
def test_any_clock_any_delay_any_restart_every_slot_once(
    chamber_id: str, interval: int, span: int | None, turns: list[tuple[int, int, bool]]
) -> None:
    """A turn: the clock steps, a round is planned, some of its slots are handed out, perhaps a new process plans on."""
    grid, now = grid_of(chamber_id, interval), NOON_MS
    first = next_ms = grid.after(now)
    covered: list[tuple[int, int]] = []
    for step, wanted, restart in turns:
        now += step
        plan = plan_round(chamber_id, grid, next_ms, now, span)
        done = min(wanted, plan.count)
        covered += [plan.missed] if plan.missed else []
        covered += [(plan.first_ms, plan.first_ms + (done - 1) * interval)] if done else []
        next_ms = plan.first_ms + done * interval
        if restart:
            grid = grid_of(chamber_id, interval)
    expected = first
    for begin, end in covered:
        assert begin == expected
        assert end >= begin
        expected = end + interval
    assert expected == next_ms
    assert sum(grid.count(begin, end) for begin, end in covered) == grid.count(first, next_ms - 1)
