"""`OutcomeStore`: everything may be stored twice, nothing is lost, nothing is doubled."""

import asyncio
from dataclasses import replace

import pytest

from collector.domain.errors import StoreRefusedError
from collector.domain.outcome import Change, Gap, GapReason, Measurement, Outcome, PauseEnd, Quality
from collector.domain.timerange import TimeRange
from collector.ports.outcomes import SaveBatch
from tests.contract.ledger_rooms import HOUR, MINUTE, Enrolled, Rooms, enrolled, gap, now, reading, spec

EVERYTHING = TimeRange(0, 4_102_444_800_000)


async def gap_runs(chamber: Enrolled) -> list[tuple[int, int | None, GapReason]]:
    page = await chamber.rooms.history.gaps("default", chamber.spec.id, EVERYTHING, limit=100)
    return [(run.first_ms, run.last_ms, run.reason) for run in page.items]


async def slots(chamber: Enrolled) -> list[int]:
    page = await chamber.rooms.history.readings("default", chamber.spec.id, EVERYTHING, limit=1000)
    return [stored.reading.slot_ms for stored in page.items]


async def test_a_reading_comes_back_as_it_was(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("as-it-was"))
    qualities = (Quality.GOOD, Quality.SUSPECT, Quality.BAD, Quality.MISSING)
    values = (0.1 + 0.2, -40.0, None, None)
    measurements = tuple(
        Measurement(f"quantity {n} \"'{{}},\\", v, "m\u00b2", q)
        for n, (v, q) in enumerate(zip(values, qualities, strict=True))
    )
    wanted = replace(reading(chamber.slot(0), late_ms=37), measurements=measurements, observed_ms=1_700_000_000_123)

    result = await chamber.save(wanted, settled=chamber.slot(0))

    assert (result.new_readings, result.lost_changes) == (1, ())
    latest = await rooms.history.latest("default", "as-it-was")
    assert latest is not None
    assert latest.reading == wanted
    assert abs(latest.stored_ms - now()) < MINUTE
    assert not latest.adhoc


async def test_storing_twice_changes_nothing(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("twice"))
    readings = (reading(chamber.slot(4), 20.0), reading(chamber.slot(5), 21.0))
    outcomes: tuple[Outcome, ...] = (
        gap(chamber.slot(0), chamber.slot(3), GapReason.MISSED),
        *readings,
        Gap(chamber.slot(6), None, GapReason.PAUSED, "door", "signal", chamber.slot(9)),
        PauseEnd(chamber.slot(6), chamber.slot(8)),
    )
    first = await chamber.save(*outcomes, settled=chamber.slot(8))
    runs, record = await gap_runs(chamber), await chamber.record()

    second = await chamber.save(*outcomes, replace(readings[1], received_ms=now()), settled=chamber.slot(5))

    assert (first.new_readings, second.new_readings) == (2, 0)
    assert await gap_runs(chamber) == runs == [
        (chamber.slot(0), chamber.slot(3), GapReason.MISSED),
        (chamber.slot(6), chamber.slot(8), GapReason.PAUSED),
    ]  # fmt: skip
    assert await slots(chamber) == [chamber.slot(4), chamber.slot(5)]
    assert await chamber.record() == record
    assert record.settled_through_ms == chamber.slot(8)
    latest = await rooms.history.latest("default", "twice")
    assert latest is not None
    assert latest.reading == readings[1]


async def test_a_late_reading_does_not_move_latest_back(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("late"))
    await chamber.save(reading(chamber.slot(5), 5.0))
    await chamber.save(reading(chamber.slot(2), 2.0))

    latest = await rooms.history.latest("default", "late")

    assert latest is not None
    assert latest.reading.slot_ms == chamber.slot(5)
    assert (await chamber.record()).last_reading_ms == chamber.slot(5)


async def test_the_poison_outcome_is_found_and_the_others_are_stored(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("poison"))
    healthy = await enrolled(rooms, spec("healthy"))
    outcomes: list[Outcome] = [reading(chamber.slot(n), float(n)) for n in range(9)]
    outcomes[5] = replace(reading(chamber.slot(5)), observed_ms=10**17)
    outcomes[7] = Gap(chamber.slot(7), None, GapReason.TIMEOUT)

    mine, theirs = await asyncio.gather(
        chamber.save(*outcomes, settled=chamber.slot(8)), healthy.save(reading(healthy.slot(0)))
    )

    assert (mine.new_readings, theirs.new_readings) == (7, 1)
    page = await rooms.history.gaps("default", "poison", EVERYTHING, limit=9)
    assert [(r.first_ms, r.last_ms, r.reason) for r in page.items] == [
        (chamber.slot(5), chamber.slot(5), GapReason.MALFORMED),
        (chamber.slot(7), chamber.slot(7), GapReason.MALFORMED),
    ]
    assert [r.detail.split(":")[0] for r in page.items] == ["sqlstate 22008", "sqlstate 23514"]
    assert (await chamber.record()).settled_through_ms == chamber.slot(8)


async def test_texts_that_no_database_keeps_are_cleaned(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("nul"))
    dirty = Measurement("temp\x00\ud800", 1.0, "Cel\x00")
    await chamber.save(
        replace(reading(chamber.slot(0)), measurements=(dirty,)),
        gap(chamber.slot(1), chamber.slot(1), detail="\x00x" * 2000),
        Change(1, "pause", "\x00", "\ud800", 10**17, chamber.slot(2)),
    )

    latest = await rooms.history.latest("default", "nul")
    assert latest is not None
    assert latest.reading.measurements[0].name == "temp\ufffd?"
    page = await rooms.history.gaps("default", "nul", EVERYTHING, limit=9)
    assert [(r.reason, len(r.detail)) for r in page.items] == [(GapReason.TIMEOUT, 1024)]
    assert (await chamber.record()).spec.version == 2


async def test_outcomes_outside_the_window_become_misconfigured(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("clock"))
    ahead_ms = chamber.spec.grid.at_or_before(now() + 2 * HOUR)
    before_ms = chamber.slot(-1)

    result = await chamber.save(
        reading(ahead_ms), reading(before_ms), reading(10**17), gap(before_ms, before_ms), reading(chamber.slot(0))
    )

    assert result.new_readings == 1
    assert await slots(chamber) == [chamber.slot(0)]
    reasons = {first: reason for first, _, reason in await gap_runs(chamber)}
    assert reasons[ahead_ms] is reasons[before_ms] is GapReason.MISCONFIGURED
    assert GapReason.TIMEOUT not in reasons.values()


async def test_a_pause_that_begins_at_a_far_slot_is_kept(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("daily", 24 * HOUR), ago_ms=24 * HOUR)
    far_ms = chamber.spec.grid.after(now())
    await chamber.save(Gap(far_ms, None, GapReason.PAUSED))
    assert await gap_runs(chamber) == [(far_ms, None, GapReason.PAUSED)]


async def test_decided_slots(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("decided"))
    await chamber.save(
        reading(chamber.slot(1)), gap(chamber.slot(2), chamber.slot(4)), gap(chamber.slot(5), chamber.slot(5))
    )
    await chamber.save(Gap(chamber.slot(7), None, GapReason.PAUSED))
    decided = await rooms.outcomes.decided_slots("decided", chamber.slot(1), chamber.slot(3))
    assert decided == {chamber.slot(1), chamber.slot(2), chamber.slot(3)}
    assert await rooms.outcomes.decided_slots("decided", chamber.slot(3), chamber.slot(9)) == {
        chamber.slot(number) for number in (3, 4, 5)
    }


async def test_an_adhoc_reading_lies_off_the_grid(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("adhoc"))
    for value in (1.0, 2.0):
        await rooms.outcomes.save_adhoc("adhoc", "request-1", reading(chamber.slot(0) + 17, value))

    assert await slots(chamber) == []
    assert await rooms.history.latest("default", "adhoc") is None
    assert [d.name for d in await rooms.history.detectors("default", "adhoc")] == ["temperature"]
    audit = await rooms.history.audit("default", "adhoc", TimeRange(0, now()), now())
    assert audit.stored == 0


async def test_a_chamber_that_is_not_in_the_registry_is_refused(rooms: Rooms) -> None:
    batch = SaveBatch("restored", (reading(now()),), now())
    known = await enrolled(rooms, spec("known"))

    refused, result = await asyncio.gather(
        rooms.outcomes.save(batch), known.save(reading(known.slot(0))), return_exceptions=True
    )

    assert isinstance(refused, StoreRefusedError)
    assert "'restored' is not in the registry" in str(refused)
    assert not isinstance(result, BaseException)
    assert result.new_readings == 1
    with pytest.raises(StoreRefusedError, match="not in the registry"):
        await rooms.outcomes.save_adhoc("restored", "r", reading(now()))
    with pytest.raises(StoreRefusedError, match="not in the registry"):
        await rooms.outcomes.decided_slots("restored", 0, 1)
    await asyncio.wait_for(rooms.outcomes.wait_available(), 1)


async def test_only_settling_needs_no_outcome_but_those_that_are_there(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("settled"))
    await chamber.save(*(reading(chamber.slot(n)) for n in range(8)))
    for number in (7, 2, 9):
        await chamber.save(settled=chamber.slot(number))
    assert (await chamber.record()).settled_through_ms == chamber.slot(7), "nothing is there of 8 and 9"


async def test_many_rounds_at_once_each_learn_their_own(rooms: Rooms) -> None:
    chambers = [await enrolled(rooms, spec(f"many-{n}")) for n in range(12)]
    saves = [c.save(*(reading(c.slot(k)) for k in range(n % 4))) for n, c in enumerate(chambers)]
    again = [c.save(reading(c.slot(0)), reading(c.slot(9))) for c in chambers]

    results = await asyncio.gather(*saves, *again)

    assert [r.new_readings for r in results[:12]] == [n % 4 for n in range(12)]
    assert [r.new_readings for r in results[12:]] == [1 if n % 4 else 2 for n in range(12)]
