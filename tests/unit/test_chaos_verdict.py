"""Verdicts of rows: what is kept stays kept, and every planted violation breaks the row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from chaos.allowance import (
    TAKEOVER_MS,
    Allowance,
    Happened,
    Stretch,
    nothing,
    outage_of_temporal,
    standstill,
    takeover,
)
from chaos.counting import Answer, Found, GapRun, Stored
from chaos.fleet import Chamber
from chaos.verdict import BROKEN, KEPT, Case, Judged, Rule, Settled, judge
from collector.domain.cadence import Grid
from collector.domain.timerange import TimeRange

FAST, SLOW = Chamber("fast", Grid(1_000, 0)), Chamber("slow", Grid(60_000, 0))
BEGAN, RECOVERED, END = 602_000, 610_000, 670_000
SPAN = TimeRange(600_000, END)
SLOTS = {"fast": range(600_000, END, 1_000), "slow": range(600_000, END, 60_000)}


def world(runs: Sequence[GapRun] = ()) -> Found:
    """All slots are stored but those of the gaps; every answer was served once."""
    readings = [
        Stored(chamber, slot, slot + 2, slot + 8, slot // 1_000)
        for chamber, slots in SLOTS.items()
        for slot in slots
        if not any(run.chamber == chamber and run.first_ms <= slot <= (run.last_ms or slot) for run in runs)
    ]
    answers = [Answer(r.chamber, r.serial, r.requested_ms + 3) for r in readings]
    return Found(readings, runs, {"fast": END - 1, "slow": END - 1}, answers)


def audit(found: Found, runs: Sequence[GapRun] = ()) -> dict[str, Any]:
    """What the API says of the same world; it lists reasons without slots too."""
    gaps = Counter(r.reason for r in runs for s in SLOTS[r.chamber] if r.first_ms <= s <= (r.last_ms or s))
    expected = sum(map(len, SLOTS.values()))
    return {"expected": expected, "stored": len(found.readings), "gaps": {"lost": 0, **gaps}, "unaccounted": 0}


def case(rule: Rule, said: Mapping[str, Any], after_s: float | None = 1.5) -> Case:
    happened, settled = Happened(BEGAN, RECOVERED), Settled(after_s, said)
    return Case("planted", rule, [FAST, SLOW], happened, SPAN, settled, ["a note"])


def judged(rule: Rule, runs: Sequence[GapRun] = ()) -> Judged:
    found = world(runs)
    return judge(case(rule, audit(found, runs)), found)


def missed(chamber: str, first_ms: int, last_ms: int) -> GapRun:
    return GapRun(chamber, first_ms, last_ms, "missed")


def test_a_quiet_row_is_kept_and_has_its_figures() -> None:
    row = judged(Rule(nothing, asked_once=True)).row
    assert (row.verdict, row.complaints, row.notes) == (KEPT, [], ["a note"])
    assert (row.expected, row.stored, row.seconds, row.settled_s, row.live_p99_ms) == (72, 72, 8.0, 1.5, 2)
    assert (row.gaps_fast, row.gaps_slow, row.longest_gap_s) == ({}, {}, 0)
    assert (row.allowed_fast, row.allowed_slow) == (0, 0)
    assert (row.doubled, row.strange, row.asked_twice, row.unstored, row.unaccounted, row.overdue) == (0,) * 6


def test_one_gap_breaks_a_row_that_allows_none() -> None:
    found = judged(Rule(nothing), [missed("fast", 603_000, 603_000)])
    assert found.row.verdict == BROKEN
    assert found.suspects == [("fast", 603_000)]
    assert found.row.complaints == ["1 gaps that the fault does not excuse: ('fast', 603000, 'missed')"]


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (missed("fast", 602_000, 622_000), KEPT),
        (missed("fast", 601_000, 603_000), BROKEN),  # before the fault
        (missed("fast", 622_000, 623_000), BROKEN),  # after the take-over
        (missed("slow", 660_000, 660_000), BROKEN),  # a chamber at 60 s loses nothing
    ],
)
def test_a_takeover_excuses_fast_chambers_for_its_time_only(run: GapRun, verdict: str) -> None:
    assert judged(Rule(takeover), [run]).row.verdict == verdict


def test_a_row_that_allows_any_gap_counts_them_by_kind_of_chamber() -> None:
    row = judged(Rule(None), [missed("fast", 640_000, 649_000), missed("slow", 660_000, 660_000)]).row
    assert (row.verdict, row.gaps_fast, row.gaps_slow) == (KEPT, {"missed": 10}, {"missed": 1})
    assert (row.allowed_fast, row.allowed_slow, row.longest_gap_s) == (None, None, 60)


def planted_double(found: Found) -> Found:
    wrong = replace(found.readings[5], serial=found.readings[4].serial)
    return replace(found, readings=[*found.readings[:5], wrong, *found.readings[6:]])


def planted_second_question(found: Found) -> Found:
    return replace(found, answers=[*found.answers, Answer("fast", 99_999, 605_500)])


def planted_reading_out_of_nothing(found: Found) -> Found:
    return replace(found, answers=found.answers[1:])


def planted_hole(found: Found) -> Found:
    return replace(found, readings=found.readings[1:])


def planted_open_end(found: Found) -> Found:
    return replace(found, readings=found.readings[1:], settled_ms={"fast": 599_000, "slow": END})


@pytest.mark.parametrize(
    ("plant", "complaint"),
    [
        (planted_double, "1 answers stored twice: ('fast', 604, [604000, 605000])"),
        (planted_second_question, "1 slots for which a device was asked twice: ('fast', 605000, 2)"),
        (planted_reading_out_of_nothing, "1 readings that the device did not serve then: ('fast', 600000, 600)"),
        (planted_hole, "1 slots unaccounted: ('fast', 600000)"),
        (planted_open_end, "1 slots still open: ('fast', 600000)"),
    ],
)
def test_a_planted_violation_breaks_the_row(plant: Any, complaint: str) -> None:
    found = world()
    row = judge(case(Rule(None, asked_once=True), audit(found)), plant(found)).row
    assert row.verdict == BROKEN
    assert complaint in row.complaints


def test_a_second_question_is_only_counted_where_it_is_allowed() -> None:
    found = world()
    row = judge(case(Rule(nothing), audit(found)), planted_second_question(found)).row
    assert (row.verdict, row.asked_twice, row.unstored) == (KEPT, 1, 1)


@pytest.mark.parametrize(("after_s", "verdict"), [(60.0, KEPT), (60.1, BROKEN), (None, BROKEN)])
def test_what_settles_too_late_breaks_the_row(after_s: float | None, verdict: str) -> None:
    found = world()
    assert judge(case(Rule(nothing), audit(found), after_s), found).row.verdict == verdict


@pytest.mark.parametrize(
    ("name", "value"), [("expected", 71), ("stored", 71), ("unaccounted", 1), ("gaps", {"missed": 1})]
)
def test_an_audit_that_counts_otherwise_breaks_the_row(name: str, value: object) -> None:
    found = world()
    row = judge(case(Rule(nothing), audit(found) | {name: value}), found).row
    assert row.verdict == BROKEN
    assert row.complaints[0].startswith(f"the audit says {name}")


def slots_of(allowance: Allowance, chamber: Chamber) -> list[int]:
    stretch = allowance(chamber, Happened(BEGAN + 400, RECOVERED))
    return [] if stretch is None else list(stretch.slots(chamber))


def test_what_each_allowance_excuses() -> None:
    assert slots_of(nothing, FAST) == []
    fast = slots_of(takeover, FAST)
    assert (fast[0], fast[-1] + 1_000 <= BEGAN + 400 + TAKEOVER_MS < fast[-1] + 2_000) == (602_000, True)
    assert slots_of(takeover, SLOW) == []
    assert slots_of(standstill, FAST)[-1] + 1_000 <= RECOVERED + TAKEOVER_MS


def test_an_outage_of_temporal_excuses_nothing_of_the_round_in_flight() -> None:
    chamber = Chamber("sim-01", Grid(1_000, 0), 120_000)
    over = chamber.round_over_ms(1_000_000)
    long_before, just_before = Happened(over - 110_000, over - 100_000), Happened(over - 5_000, over + 10_000)
    assert outage_of_temporal(chamber, long_before) == Stretch(over, over - 100_000 + TAKEOVER_MS)
    assert list(Stretch(over, over - 100_000 + TAKEOVER_MS).slots(chamber)) == []
    stretch = outage_of_temporal(chamber, just_before)
    assert stretch is not None
    assert stretch.slots(chamber)[0] == over


def test_chambers_that_are_too_fast_for_the_rule_are_counted_and_not_judged() -> None:
    lenient = Rule(nothing, asked_once=True, judged_from_ms=5_000)
    row = judged(lenient, [missed("fast", 603_000, 603_000)]).row
    assert (row.verdict, row.gaps_fast) == (KEPT, {"missed": 1})
    assert judged(lenient, [missed("slow", 660_000, 660_000)]).row.verdict == BROKEN
    found = world()
    assert judge(case(lenient, audit(found)), planted_second_question(found)).row.verdict == KEPT
    assert judge(case(lenient, audit(found)), planted_hole(found)).row.verdict == BROKEN
