"""The plain count of what became of slots: planted faults must be seen."""

from collections.abc import Sequence

import pytest

from chaos.counting import (
    Answer,
    Found,
    GapRun,
    GapSlot,
    Stored,
    asked_twice,
    count_slots,
    doubled,
    lateness_p99_ms,
    longest_gap_s,
    strange,
    told_twice,
    unstored,
)
from chaos.fleet import Chamber
from collector.domain.cadence import Grid
from collector.domain.timerange import TimeRange

SECOND, MINUTE = Chamber("second", Grid(1_000, 0)), Chamber("minute", Grid(60_000, 0))
SPAN = TimeRange(100_000, 110_000)


def reading(slot_ms: int, serial: int | None = None, late_ms: int = 2, chamber: str = "second") -> Stored:
    return Stored(
        chamber, slot_ms, slot_ms + late_ms, slot_ms + late_ms + 5, slot_ms // 1000 if serial is None else serial
    )


def answers_of(readings: Sequence[Stored]) -> list[Answer]:
    return [Answer(r.chamber, r.serial, r.requested_ms + 1) for r in readings]


def found(readings: Sequence[Stored], runs: Sequence[GapRun] = (), settled_ms: int = 109_000) -> Found:
    return Found(readings, runs, {"second": settled_ms, "minute": settled_ms}, answers_of(readings))


def test_a_whole_range_is_stored_and_its_end_does_not_count() -> None:
    count = count_slots([SECOND], found([reading(slot) for slot in range(100_000, 111_000, 1_000)]), SPAN)
    assert (count.expected, count.stored, count.gaps, count.unaccounted, count.open) == (10, 10, [], [], [])


def test_a_reading_wins_and_else_the_run_that_was_recorded_first() -> None:
    runs = [GapRun("second", 102_000, 104_000, "missed"), GapRun("second", 104_000, None, "paused")]
    count = count_slots([SECOND], found([reading(103_000)], runs), TimeRange(102_000, 106_000))
    assert count.stored == 1
    assert count.gaps == [
        GapSlot("second", 102_000, "missed"),
        GapSlot("second", 104_000, "missed"),
        GapSlot("second", 105_000, "paused"),
    ]


def test_a_slot_with_neither_is_unaccounted_once_it_is_settled_and_open_before() -> None:
    count = count_slots([SECOND], found([], settled_ms=104_000), TimeRange(104_000, 106_000))
    assert count.unaccounted == [("second", 104_000)]
    assert count.open == [("second", 105_000)]


def test_a_gap_of_another_chamber_covers_nothing() -> None:
    count = count_slots([SECOND], found([], [GapRun("minute", 0, None, "paused")]), TimeRange(104_000, 105_000))
    assert count.unaccounted == [("second", 104_000)]


def test_an_answer_under_two_slots_is_doubled_and_the_same_number_of_two_devices_is_not() -> None:
    twice = [reading(100_000, 7), reading(101_000, 7)]
    assert doubled([*twice, reading(102_000, 8), reading(102_000, 8, chamber="minute")]) == [
        ("second", 7, [100_000, 101_000])
    ]


def test_two_answers_for_one_slot_are_seen_where_only_one_is_stored() -> None:
    readings = [reading(slot) for slot in range(100_000, 110_000, 1_000)]
    there = found(readings)
    assert asked_twice([SECOND], there, SPAN) == []
    again = Found(readings, [], {}, [*there.answers, Answer("second", 9_001, 103_400)])
    assert asked_twice([SECOND], again, SPAN) == [("second", 103_000, 2)]


def test_a_late_answer_belongs_to_the_slot_that_it_is_stored_under() -> None:
    late = reading(103_000, late_ms=999)
    readings = [late, reading(104_000)]
    there = Found(readings, [], {}, [Answer("second", 103, 104_003), Answer("second", 104, 104_010)])
    assert asked_twice([SECOND], there, SPAN) == []
    assert asked_twice([SECOND], Found([readings[1]], [], {}, there.answers), SPAN) == [("second", 104_000, 2)]


def test_an_answer_just_before_its_slot_belongs_to_it() -> None:
    there = Found([], [], {}, [Answer("second", 1, 102_003), Answer("second", 2, 102_960)])
    assert asked_twice([SECOND], there, SPAN) == []


def test_answers_that_no_reading_has_are_unstored() -> None:
    readings = [reading(100_000)]
    lost, outside = Answer("second", 900, 105_000), Answer("second", 901, 110_000)
    there = Found(readings, [], {}, [*answers_of(readings), lost, outside, Answer("second", None, 105_000)])
    assert unstored(there, SPAN) == [lost]


@pytest.mark.parametrize(("served_ms", "odd"), [(103_003, False), (103_500, False), (104_100, True), (102_000, True)])
def test_a_reading_must_have_been_served_between_request_and_answer(served_ms: int, odd: bool) -> None:
    one = reading(103_000)
    assert strange(Found([one], [], {}, [Answer("second", one.serial, served_ms)]), SPAN) == ([one] if odd else [])


def test_a_reading_that_its_device_never_served_is_strange() -> None:
    one = reading(103_000)
    other = Answer("minute", one.serial, 103_003)
    assert strange(Found([one], [], {}, [other]), SPAN) == [one]
    assert strange(Found([one], [], {}, [Answer("second", one.serial, 106_000)]), SPAN, apart_ms=3_500) == []


def test_lateness_is_the_nearest_rank_of_the_slots_in_the_range() -> None:
    readings = [reading(slot, late_ms=late) for late, slot in enumerate(range(0, 200_000, 1_000))]
    assert lateness_p99_ms(readings, TimeRange(0, 100_000)) == 98
    assert lateness_p99_ms(readings, TimeRange(0, 1_000)) == 0
    assert lateness_p99_ms(readings, TimeRange(500_000, 600_000)) is None


def test_the_longest_gap_is_the_longest_run_of_one_chamber() -> None:
    gaps = [GapSlot("second", slot, "missed") for slot in (1_000, 2_000, 4_000, 5_000, 6_000)]
    assert longest_gap_s([SECOND, MINUTE], gaps) == 3
    assert longest_gap_s([SECOND, MINUTE], [*gaps, GapSlot("minute", 60_000, "missed")]) == 60
    assert longest_gap_s([SECOND], []) == 0


def test_the_round_of_an_instant_ends_on_the_grid_of_round_ends() -> None:
    chamber = Chamber("sim-01", Grid(1_000, 0), 120_000)
    over = {chamber.round_over_ms(instant) for instant in range(1_000_000, 1_120_000, 1_000)}
    assert len(over) == 2, "one end in each 120 s"
    first, second = sorted(over)
    assert second - first == 120_000
    assert chamber.round_over_ms(first) == second
    assert chamber.round_over_ms(first - 1) == first
    assert MINUTE.round_over_ms(61_000) == 120_000


def test_slots_with_two_outcomes_are_told_twice() -> None:
    runs = [
        GapRun("second", 101_000, 104_000, "missed"),
        GapRun("second", 103_000, 104_000, "missed"),
        GapRun("second", 108_000, None, "paused"),
        GapRun("minute", 0, None, "paused"),
    ]
    there = found([reading(100_000), reading(101_000), reading(109_000), reading(110_000)], runs)
    both = [("second", 101_000), ("second", 103_000), ("second", 104_000), ("second", 109_000)]
    assert told_twice([SECOND], there, SPAN) == both
