"""One run of the maintenance over the twin, on a clock that can be set."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest

from adapters.memory import InMemoryHistory, InMemoryLedger, InMemoryMaintenance, InMemoryOutcomes, InMemoryRegistry
from collector.domain.chamber import ChamberSpec
from collector.domain.errors import AwayError
from collector.domain.instants import iso
from collector.domain.outcome import Epoch, Gap, GapReason, Measurement, Outcome, Reading
from collector.domain.sealing import DAY_MS, HOUR_MS, MaintenanceOutcome, day_of, first_ms_of, whole_days
from collector.domain.timerange import TimeRange
from collector.ports import RolledUp, SaveBatch
from collector.usecases.maintain import AHEAD_DAYS, BUDGET_MS, MaintainLedger

MINUTE_MS = 60_000
FIRST_MS = first_ms_of(date(2026, 3, 1))
SPEC = ChamberSpec(
    id="c",
    organization="default",
    section="default",
    url="http://192.0.2.7/",
    profile="generic-json",
    interval_ms=HOUR_MS,
    timeout_ms=10_000,
)


class NoHours(InMemoryMaintenance):
    """Its hours cannot be computed."""

    async def roll_up(self) -> RolledUp:
        raise ZeroDivisionError("no hours")


@dataclass
class Room:
    """A ledger with one chamber at an hour, enrolled at the begin of March; `now_ms` is the clock."""

    now_ms: int = FIRST_MS
    ledger: InMemoryLedger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = InMemoryLedger(lambda: self.now_ms)
        self.outcomes = InMemoryOutcomes(self.ledger)
        self.history = InMemoryHistory(self.ledger)

    async def enrol(self) -> "Room":
        epoch = Epoch(FIRST_MS, HOUR_MS, 0, 1)
        await InMemoryRegistry(self.ledger).enrol(SPEC, epoch, FIRST_MS)
        return self

    async def save(self, *outcomes: Outcome, settled_ms: int | None = None) -> None:
        await self.outcomes.save(SaveBatch("c", outcomes, settled_ms))

    async def live_until(self, now_ms: int) -> None:
        """Every slot until then gets its reading."""
        slots = range(FIRST_MS, now_ms, HOUR_MS)
        self.now_ms = now_ms
        await self.save(*(reading(slot) for slot in slots), settled_ms=slots[-1])
        self.now_ms += HOUR_MS // 2

    async def run(self, retention_days: int | None = None) -> MaintenanceOutcome:
        return await MaintainLedger(InMemoryMaintenance(self.ledger), retention_days, ProcessClock(self))()


@dataclass
class ProcessClock:
    """The clock of the worker, `behind_ms` behind the store's."""

    room: Room
    behind_ms: int = 0

    def now_ms(self) -> int:
        return self.room.now_ms - self.behind_ms

    def monotonic_ms(self) -> int:
        return self.now_ms()


def ticking(room: Room) -> Callable[[], int]:
    def tick() -> int:
        room.now_ms += MINUTE_MS
        return room.now_ms

    return tick


def reading(slot_ms: int) -> Reading:
    return Reading(slot_ms, slot_ms, slot_ms, (Measurement("temperature", 21.5, "Cel"),), 1)


def days(first: int, count: int) -> list[str]:
    return [(date(2026, 3, first) + timedelta(days=n)).isoformat() for n in range(count)]


async def test_an_empty_ledger_gets_room_and_nothing_else() -> None:
    done = await Room().run(3)
    assert done == MaintenanceOutcome(partitions_made=AHEAD_DAYS + 2)


async def test_days_are_sealed_two_days_after_their_end_and_kept_for_ever() -> None:
    room = await Room().enrol()
    await room.live_until(FIRST_MS + 10 * DAY_MS)
    done = await room.run()
    assert done.days_sealed == days(1, 8)
    assert done.hours_rolled_up == 240
    assert (done.days_dropped, done.retained_from, done.failures, done.days_not_sealed) == ([], "", [], [])
    assert len(room.ledger.chambers["c"].readings) == 240


async def test_a_second_run_changes_nothing() -> None:
    room = await Room().enrol()
    await room.live_until(FIRST_MS + 10 * DAY_MS)
    first = await room.run(5)
    again = await room.run(5)
    assert first.days_dropped == days(1, 5)
    assert again == MaintenanceOutcome(retained_from=first.retained_from)
    assert again.retained_from == iso(FIRST_MS + 5 * DAY_MS)


async def test_whole_days_are_kept_as_long_as_was_asked() -> None:
    room = await Room().enrol()
    await room.live_until(FIRST_MS + 10 * DAY_MS)
    await room.run(5)
    kept = sorted(room.ledger.chambers["c"].readings)
    assert kept[0] == FIRST_MS + 5 * DAY_MS
    assert room.now_ms - kept[0] >= 5 * DAY_MS


async def test_nothing_is_dropped_past_a_day_that_cannot_be_sealed() -> None:
    room = await Room().enrol()
    await room.live_until(FIRST_MS + 10 * DAY_MS)
    del room.ledger.chambers["c"].readings[FIRST_MS + 3 * DAY_MS]  # a defect

    done = await room.run(4)

    assert done.days_sealed == [*days(1, 3), *days(5, 4)]
    (sentence,) = done.days_not_sealed
    assert sentence == "2026-03-04 is not sealed: 1 slots unaccounted, 0 overdue: c"
    assert done.days_dropped == days(1, 3)
    assert done.days_not_dropped == [sentence]
    assert done.failures == [], "it is said, and no fault of the maintenance"
    await room.save(Gap(FIRST_MS + 3 * DAY_MS, FIRST_MS + 3 * DAY_MS, GapReason.LOST))
    assert (await room.run(4)).days_dropped == days(4, 3)


async def test_a_reading_after_a_month_is_in_hours_and_seals_while_its_day_is_kept() -> None:
    room = await Room().enrol()
    hole = FIRST_MS + DAY_MS
    await room.save(Gap(hole, hole, GapReason.MISSED))
    slots = [slot for slot in range(FIRST_MS, FIRST_MS + 30 * DAY_MS, HOUR_MS) if slot != hole]
    room.now_ms = FIRST_MS + 30 * DAY_MS
    await room.save(*(reading(slot) for slot in slots), settled_ms=slots[-1])
    room.now_ms += HOUR_MS
    await room.run()

    await room.save(reading(hole))
    room.now_ms += HOUR_MS
    done = await room.run()

    assert (done.hours_rolled_up, done.days_sealed) == (1, days(2, 1))
    account = room.ledger.sealed[day_of(hole)]["c"]
    assert (account.expected, account.stored, dict(account.gaps)) == (24, 24, {})


async def test_the_audit_says_the_same_before_and_after() -> None:
    room = await Room().enrol()
    await room.live_until(FIRST_MS + 10 * DAY_MS)
    span = TimeRange(FIRST_MS, FIRST_MS + 10 * DAY_MS)
    before = await room.history.audit("default", None, span, room.now_ms)
    await room.run(3)
    after = await room.history.audit("default", None, span, room.now_ms)
    assert after == replace(before, retained_from_ms=FIRST_MS + 7 * DAY_MS)
    assert after.stored == 240


async def test_a_step_that_fails_stops_no_other_and_is_told() -> None:
    room = await Room().enrol()
    await room.live_until(FIRST_MS + 10 * DAY_MS)
    done = await MaintainLedger(NoHours(room.ledger), 4, ProcessClock(room))()
    assert done.failures == ["hours: ZeroDivisionError: no hours"]
    assert done.partitions_made == AHEAD_DAYS + 2
    assert len(done.days_sealed) == 8
    assert done.days_dropped == []
    assert done.days_not_dropped == ["2026-03-01: readings of it are not rolled up yet"]


async def test_a_store_that_is_away_is_no_outcome() -> None:
    room = Room()
    room.ledger.away = True
    with pytest.raises(AwayError):
        await room.run()


async def test_a_ledger_that_was_never_looked_after_takes_several_runs() -> None:
    """Each look at the clock takes a minute: reading a day of a large fleet does."""
    room = await Room().enrol()
    await room.live_until(FIRST_MS + 40 * DAY_MS)
    sealed, dropped, runs = 0, 0, 0
    while not sealed or dropped < 36:
        room.ledger.now_ms = ticking(room)
        done = await room.run(4)
        assert not done.failures
        assert len(done.days_sealed) < BUDGET_MS // MINUTE_MS
        sealed, dropped, runs = sealed + len(done.days_sealed), dropped + len(done.days_dropped), runs + 1
        assert runs < 40
    assert runs > 5


def test_ends_in_dropped_days_move_to_midnights() -> None:
    retained_ms = FIRST_MS + 5 * DAY_MS
    inside = TimeRange(FIRST_MS + 1, FIRST_MS + DAY_MS + 1)
    assert whole_days(inside, retained_ms) == TimeRange(FIRST_MS, FIRST_MS + 2 * DAY_MS)
    reaching = TimeRange(FIRST_MS + DAY_MS, retained_ms + 7)
    assert whole_days(reaching, retained_ms) == reaching
    later = TimeRange(retained_ms + 3, retained_ms + 4)
    assert whole_days(later, retained_ms) == later
    assert whole_days(inside, 0) == inside


async def test_a_store_whose_clock_is_ahead_by_years_drops_no_day_that_the_worker_would_keep() -> None:
    room = await Room().enrol()
    await room.live_until(FIRST_MS + 10 * DAY_MS)
    await room.run()
    room.now_ms += 400 * DAY_MS
    clock = ProcessClock(room, behind_ms=400 * DAY_MS)
    done = await MaintainLedger(InMemoryMaintenance(room.ledger), 8, clock)()
    assert done.days_dropped == ["2026-03-01", "2026-03-02"]
