"""Keeping the ledger in order: seals, digests, dropped days, late readings; over the twin and over PostgreSQL."""

import asyncio
import itertools
from dataclasses import replace
from datetime import date, timedelta

from collector.domain.outcome import EpochEnd, GapReason, PauseEnd
from collector.domain.sealing import DAY_MS, day_of, digest_of, first_ms_of, next_day, span_of
from collector.domain.timerange import TimeRange
from collector.ports.history import Audit
from tests.contract.ledger_rooms import HOUR, Enrolled, Rooms, enrolled, gap, now, reading, spec, whole_past

LONG_AGO = 6 * DAY_MS
NOON = 12 * HOUR


async def told(rooms: Rooms, name: str) -> Enrolled:
    """A chamber at an hour whose every past slot has its outcome: each seventh is a gap, one channel fails at times.

    It begins at a noon: an oldest day that had no slot but the gap at its end would have no readings to drop.
    """
    began_ms = first_ms_of(day_of(now() - LONG_AGO)) + NOON
    chamber = await enrolled(rooms, spec(name, HOUR), ago_ms=now() - began_ms)
    slots = range((now() - chamber.first_ms) // HOUR + 1)
    await chamber.save(*(gap(chamber.slot(n), chamber.slot(n)) for n in slots if n % 7 == 0))
    readings = (reading(chamber.slot(n), float(n), None if n % 5 == 0 else n / 10) for n in slots if n % 7)
    await chamber.save(*readings, settled=chamber.slot(slots[-1]))
    return chamber


async def rolled_up(rooms: Rooms) -> int:
    """Roll up all that is stored; says how many hours changed."""
    await asyncio.sleep(0.01)  # what is stored in this very millisecond is left to the next time
    rows, complete = 0, False
    while not complete:
        portion = await rooms.maintenance.roll_up()
        rows, complete = rows + portion.rows, portion.complete
    return rows


async def oldest(rooms: Rooms) -> date:
    day = await rooms.maintenance.oldest_day()
    assert day is not None
    return day


async def dropped_days(rooms: Rooms, count: int) -> list[date]:
    """Drop so many of the oldest days."""
    await rolled_up(rooms)
    gone = []
    for _ in range(count):
        gone.append(await oldest(rooms))
        assert await rooms.maintenance.drop_day(gone[-1]) == ""
    return gone


def figures(audit: Audit) -> Audit:
    """The audit but for what is retained."""
    return replace(audit, retained_from_ms=0)


async def whole_audit(rooms: Rooms, chamber: Enrolled, name: str | None) -> Audit:
    """Of whole days, so that it can be compared before and after some were dropped."""
    today_ms = first_ms_of(day_of(now()))
    span = TimeRange(first_ms_of(day_of(chamber.first_ms)), today_ms)
    return await rooms.history.audit("default", name, span, now())


async def test_a_sealed_day_says_what_became_of_every_slot(rooms: Rooms) -> None:
    chamber = await told(rooms, "sealed")
    day = next_day(day_of(chamber.first_ms))

    first, again = await rooms.maintenance.seal(day), await rooms.maintenance.seal(day)

    assert (first.sealed, first.changed) == (True, True)
    assert (again.sealed, again.changed) == (True, False)
    (account,) = (await rooms.maintenance.seals(day)).values()
    assert account.expected == 24 == account.stored + sum(account.gaps.values())
    assert account.gaps.keys() == {GapReason.TIMEOUT}


async def test_the_digest_can_be_computed_from_what_the_ledger_shows(rooms: Rooms) -> None:
    chamber = await told(rooms, "digest")
    day = next_day(day_of(chamber.first_ms))
    odd = replace(reading(span_of(day).from_ms + 1, 1e300, None, -0.0), observed_ms=5)
    odd = replace(odd, measurements=tuple(replace(m, name=m.name + ' "ä"', unit="°") for m in odd.measurements))
    await chamber.save(odd)
    await rooms.maintenance.seal(day)

    page = await rooms.history.readings("default", "digest", span_of(day), limit=100)

    account = (await rooms.maintenance.seals(day))["digest"]
    assert account.sha256 == digest_of((stored.reading, stored.stored_ms) for stored in page.items)
    assert len(page.items) == account.stored + 1, "a reading off the grid is in the digest, not in the account"


async def test_a_day_with_slots_without_outcome_is_not_sealed(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("late", HOUR), ago_ms=LONG_AGO)
    day = next_day(day_of(chamber.first_ms))
    overdue = await rooms.maintenance.seal(day)
    assert (overdue.sealed, overdue.unaccounted, overdue.overdue) == (False, 0, 24)
    assert overdue.offenders == ("late",)

    await chamber.settle(chamber.slot(24 * 3))
    unaccounted = await rooms.maintenance.seal(day)
    assert (unaccounted.unaccounted, unaccounted.overdue) == (24, 0)
    assert await rooms.maintenance.seals(day) == {}
    assert "24 slots unaccounted" in str(unaccounted)


async def test_a_seal_breaks_when_its_slots_lose_their_outcomes(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("paused", HOUR), ago_ms=LONG_AGO)
    await chamber.save(gap(chamber.slot(0), None, GapReason.PAUSED), settled=chamber.slot(0))
    day = next_day(day_of(chamber.first_ms))
    assert (await rooms.maintenance.seal(day)).sealed
    assert (await rooms.maintenance.seals(day))["paused"].gaps == {GapReason.PAUSED: 24}

    await chamber.save(PauseEnd(chamber.slot(0), chamber.slot(1)))

    assert not (await rooms.maintenance.seal(day)).sealed
    assert await rooms.maintenance.seals(day) == {}
    assert day in await rooms.maintenance.days_to_seal(day)


async def test_days_to_seal_are_named_oldest_first_and_once(rooms: Rooms) -> None:
    assert await rooms.maintenance.days_to_seal(day_of(now())) == []
    chamber = await told(rooms, "named")
    first = day_of(chamber.first_ms)
    days = [first + timedelta(days=n) for n in range(4)]
    assert list(await rooms.maintenance.days_to_seal(days[-1])) == days
    await rooms.maintenance.seal(days[1])
    assert list(await rooms.maintenance.days_to_seal(days[-1])) == [days[0], *days[2:]]
    assert await rooms.maintenance.days_to_seal(first - timedelta(days=1)) == []


async def test_a_late_reading_is_in_the_next_seal(rooms: Rooms) -> None:
    chamber = await told(rooms, "filled")
    day = next_day(day_of(chamber.first_ms))
    await rolled_up(rooms)
    await rooms.maintenance.seal(day)
    before = (await rooms.maintenance.seals(day))["filled"]
    hole = next(n for n in itertools.count() if n % 7 == 0 and day_of(chamber.slot(n)) == day)

    await chamber.save(reading(chamber.slot(hole), 99.0))
    assert await rolled_up(rooms) >= 1

    assert list(await rooms.maintenance.days_to_seal(day))[-1] == day, "its seal is broken"
    assert (await rooms.maintenance.seal(day)).changed
    after = (await rooms.maintenance.seals(day))["filled"]
    gaps = {GapReason.TIMEOUT: before.gaps[GapReason.TIMEOUT] - 1}
    assert (after.stored, dict(after.gaps)) == (before.stored + 1, gaps)
    assert after.sha256 != before.sha256


async def test_dropped_days_leave_the_audit_as_it_was(rooms: Rooms) -> None:
    one, other = await told(rooms, "one"), await told(rooms, "other")
    ended = await told(rooms, "ended")
    await ended.save(EpochEnd(ended.slot(30)))
    await rooms.add_section("elsewhere", "default")
    foreign = await enrolled(rooms, spec("foreign", HOUR, "elsewhere"), ago_ms=LONG_AGO)
    await foreign.save(gap(foreign.slot(0), foreign.slot(400), GapReason.MISSED))
    names = (None, "one", "other", "ended")
    before = [await whole_audit(rooms, one, name) for name in names]

    gone = await dropped_days(rooms, 3)

    after = [await whole_audit(rooms, one, name) for name in names]
    assert [figures(audit) for audit in after] == [figures(audit) for audit in before]
    assert before[0].retained_from_ms == min(one.first_ms, other.first_ms, ended.first_ms)
    assert {audit.retained_from_ms for audit in after} == {first_ms_of(next_day(gone[-1]))}
    assert await rooms.maintenance.retained_from() == after[0].retained_from_ms
    page = await rooms.history.readings("default", "one", whole_past(), limit=1_000)
    assert page.items[0].reading.slot_ms >= after[0].retained_from_ms
    runs = await rooms.history.gaps("default", "one", span_of(gone[1]), limit=100)
    assert sum(run.slots for run in runs.items) > 0, "gaps stay"


async def test_the_seal_of_a_dropped_day_is_never_touched(rooms: Rooms) -> None:
    await told(rooms, "final")
    day = (await dropped_days(rooms, 2))[1]
    before = dict(await rooms.maintenance.seals(day))
    assert before["final"].expected == 24

    again = await rooms.maintenance.seal(day)

    assert (again.sealed, again.changed) == (True, False)
    assert await rooms.maintenance.seals(day) == before
    assert day not in await rooms.maintenance.days_to_seal(day_of(now()))


async def test_the_audit_of_a_part_of_a_dropped_day_is_of_the_whole_day(rooms: Rooms) -> None:
    chamber = await told(rooms, "part")
    day = (await dropped_days(rooms, 2))[1]
    start_ms = first_ms_of(day)

    audit = await rooms.history.audit("default", "part", TimeRange(start_ms + HOUR, start_ms + 2 * HOUR), now())
    assert (audit.from_ms, audit.to_ms, audit.expected) == (start_ms, start_ms + DAY_MS, 24)

    reaching = TimeRange(start_ms + HOUR, start_ms + DAY_MS + 12 * HOUR)
    audit = await rooms.history.audit("default", "part", reaching, now())
    assert (audit.from_ms, audit.to_ms, audit.expected) == (start_ms, reaching.to_ms, 36)
    assert audit.expected == audit.stored + sum(audit.gaps.values())
    assert (await chamber.record()).settled_through_ms > start_ms


async def test_days_are_dropped_oldest_first_sealed_and_rolled_up(rooms: Rooms) -> None:
    chamber = await told(rooms, "order")
    first = await oldest(rooms)
    assert "not rolled up" in await rooms.maintenance.drop_day(first)
    await rolled_up(rooms)
    assert f"{first} is older" in await rooms.maintenance.drop_day(next_day(first))
    assert await rooms.maintenance.drop_day(first) == ""
    assert await rooms.maintenance.drop_day(first) == "", "again: it is gone"
    assert await oldest(rooms) == next_day(first)

    silent = await enrolled(rooms, spec("silent", HOUR), ago_ms=LONG_AGO - DAY_MS)
    why = await rooms.maintenance.drop_day(next_day(first))
    assert "overdue" in why
    assert "silent" in why
    assert await rooms.maintenance.retained_from() == first_ms_of(next_day(first))
    assert (await whole_audit(rooms, chamber, "order")).unaccounted == 0
    assert (await silent.record()).settled_through_ms < now() - DAY_MS


async def test_outcomes_of_dropped_days_are_refused_and_counted_in_no_audit(rooms: Rooms) -> None:
    chamber = await told(rooms, "refused")
    gone = await dropped_days(rooms, 2)
    before = await whole_audit(rooms, chamber, "refused")
    slot_ms = span_of(gone[-1]).from_ms + 7

    result = await chamber.save(reading(slot_ms, 1.0))
    again = await chamber.save(reading(slot_ms, 1.0), gap(slot_ms, slot_ms, GapReason.OVERFLOW))

    assert (result.new_readings, again.new_readings) == (0, 0)
    runs = (await rooms.history.gaps("default", "refused", TimeRange(slot_ms, slot_ms + 1), limit=9)).items
    assert [(run.reason, run.detail.partition(":")[0]) for run in runs] == [(GapReason.MISCONFIGURED, "outside_window")]
    page = await rooms.history.readings("default", "refused", span_of(gone[-1]), limit=9)
    assert page.items == []
    assert figures(await whole_audit(rooms, chamber, "refused")) == figures(before)
    later = await chamber.save(reading(span_of(next_day(gone[-1])).from_ms + 7, 1.0))
    assert later.new_readings == 1, "the next day is kept"


async def test_what_is_settled_moves_on_although_days_before_were_dropped(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("behind", HOUR), ago_ms=LONG_AGO)
    slots = range((now() - chamber.first_ms) // HOUR + 1)
    await chamber.save(*(reading(chamber.slot(n)) for n in slots), settled=None)
    await dropped_days(rooms, 2)
    assert (await chamber.record()).settled_through_ms < chamber.first_ms

    await chamber.save(reading(chamber.slot(slots[-1])), settled=chamber.slot(slots[-1]))

    assert (await chamber.record()).settled_through_ms == chamber.slot(slots[-1])


async def test_partitions_are_made_once(rooms: Rooms) -> None:
    made = await rooms.maintenance.ensure_partitions(14)
    assert made in (12, 16), "PostgreSQL has those around today from its migration"
    assert await rooms.maintenance.ensure_partitions(14) == 0
    assert abs(await rooms.maintenance.now_ms() - now()) < 5_000
