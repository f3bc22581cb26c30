"""The audit is exact to the slot: compared with a model that looks at every slot, one by one."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.domain.cadence import Grid
from collector.domain.outcome import Epoch, EpochEnd, Gap, GapReason, Outcome, PauseEnd
from collector.domain.timerange import TimeRange
from collector.ports.history import Audit
from tests.contract.ledger_rooms import HOUR, MINUTE, Enrolled, Rooms, enrolled, epoch_after, gap, now, reading, spec

_NAMES = (f"audited-{n}" for n in itertools.count())
INTERVALS = (1_000, 1_700, 7_000, 30_001, MINUTE, 17 * MINUTE, HOUR)
REASONS = (GapReason.TIMEOUT, GapReason.MISSED, GapReason.LOST, GapReason.UNREACHABLE)


@dataclass(slots=True)
class Story:
    """What happened to a chamber, and what is asked; instants are distances from its first slot."""

    intervals: list[tuple[int, int]]
    ended: bool
    runs: list[tuple[int, int, GapReason]]
    pause: tuple[int, int | None] | None
    readings: list[int]
    settled: int
    asked: tuple[int, int, int]
    gaps: list[Gap] = field(default_factory=list)


instants = st.integers(-5_000, HOUR)
stories = st.builds(
    Story,
    intervals=st.lists(st.tuples(st.sampled_from(INTERVALS), st.integers(0, 20 * MINUTE)), min_size=1, max_size=4),
    ended=st.booleans(),
    runs=st.lists(st.tuples(instants, st.integers(-2_000, 20 * MINUTE), st.sampled_from(REASONS)), max_size=8),
    pause=st.none() | st.tuples(instants, st.none() | st.integers(-1, 30 * MINUTE)),
    readings=st.lists(st.integers(0, HOUR), max_size=30),
    settled=st.just(-1) | instants,
    asked=st.tuples(st.just(0) | instants, st.just(2 * HOUR) | instants, st.integers(30 * MINUTE, HOUR) | instants),
)


@dataclass(frozen=True, slots=True)
class Told:
    """A story as it was stored."""

    chamber: Enrolled
    epochs: list[tuple[Grid, int, int | None]]
    runs: list[Gap]
    readings: set[int]
    settled_ms: int

    def slots(self) -> Iterator[tuple[int, Grid]]:
        """Every slot until an hour after the story, naively."""
        for grid, first_ms, last_ms in self.epochs:
            end_ms = self.chamber.first_ms + 2 * HOUR if last_ms is None else last_ms
            yield from ((slot, grid) for slot in range(grid.at_or_after(first_ms), end_ms + 1, grid.interval_ms))


def naive(told: Told, span: TimeRange, now_ms: int) -> Counter[str]:
    """The fate of every slot, looked at one by one."""
    fates: Counter[str] = Counter()
    for slot, grid in told.slots():
        if not span.from_ms <= slot < min(span.to_ms, now_ms):
            continue
        covering = [r for r in told.runs if r.first_ms <= slot and (r.last_ms is None or slot <= r.last_ms)]
        fates["expected"] += 1
        if slot in told.readings:
            fates["stored"] += 1
        elif covering:
            fates[covering[0].reason.value] += 1
        elif slot <= told.settled_ms:
            fates["unaccounted"] += 1
        elif grid.deadline(slot) <= now_ms:
            fates["overdue"] += 1
        else:
            fates["pending"] += 1
    return +fates


def told_by(audit: Audit) -> Counter[str]:
    figures = ("expected", "stored", "unaccounted", "overdue", "pending")
    fates = Counter({name: getattr(audit, name) for name in figures})
    return +(fates + Counter({reason.value: slots for reason, slots in audit.gaps.items()}))


async def tell(rooms: Rooms, story: Story) -> Told:
    chamber = await enrolled(rooms, spec(next(_NAMES), story.intervals[0][0]), ago_ms=2 * HOUR)
    start_ms = chamber.first_ms
    epochs: list[tuple[Grid, int, int | None]] = [(chamber.spec.grid, start_ms, None)]
    changes: list[Outcome] = []
    end_ms = start_ms
    for (interval_ms, _), (_, lasts_ms) in zip(story.intervals[1:], story.intervals, strict=False):
        end_ms += lasts_ms
        grid = Grid(interval_ms, 311 % interval_ms)
        epoch: Epoch = epoch_after(grid, epochs[-1][0].at_or_before(end_ms))
        changes.append(epoch)
        epochs[-1] = (*epochs[-1][:2], epoch.previous_last_ms)
        epochs.append((grid, epoch.first_slot_ms, None))
        end_ms = max(end_ms, epoch.first_slot_ms)
    if story.ended:
        last_ms = epochs[-1][0].at_or_before(end_ms + story.intervals[-1][1])
        changes.append(EpochEnd(last_ms))
        epochs[-1] = (*epochs[-1][:2], last_ms)
    runs = await _tell_runs(chamber, story, changes)
    slots = {epochs[0][0].at_or_after(start_ms + at_ms) if at_ms % 3 else start_ms + at_ms for at_ms in story.readings}
    settled_ms = start_ms + story.settled
    await chamber.save(*(reading(slot) for slot in slots))
    await chamber.settle(settled_ms)
    return Told(chamber, epochs, runs, slots, max(settled_ms, start_ms - 1))


async def _tell_runs(chamber: Enrolled, story: Story, changes: list[Outcome]) -> list[Gap]:
    """Store the runs in the order in which they count: the pause first."""
    start_ms = chamber.first_ms
    runs: list[Gap] = []
    await chamber.save(*changes)
    if story.pause is not None:
        first_ms, lasts_ms = start_ms + story.pause[0], story.pause[1]
        await chamber.save(gap(first_ms, None, GapReason.PAUSED))
        last_ms = None if lasts_ms is None else first_ms + lasts_ms
        if last_ms is not None:
            await chamber.save(PauseEnd(first_ms, last_ms))
        runs.append(gap(first_ms, last_ms, GapReason.PAUSED))
    closed = [gap(start_ms + at, start_ms + at + lasts, reason) for at, lasts, reason in story.runs if at + lasts >= 0]
    await chamber.save(*closed)
    return runs + closed


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories)
async def test_the_audit_is_exact_to_the_slot(rooms: Rooms, story: Story) -> None:
    told = await tell(rooms, story)
    from_ms, to_ms, now_ms = (told.chamber.first_ms + at for at in story.asked)
    span = TimeRange(from_ms, to_ms)

    audit = await rooms.history.audit("default", told.chamber.spec.id, span, now_ms)

    assert told_by(audit) == naive(told, span, now_ms)
    assert audit.expected == (
        audit.stored + sum(audit.gaps.values()) + audit.unaccounted + audit.overdue + audit.pending
    )
    assert audit.to_ms == min(to_ms, now_ms)
    assert audit.chambers == (audit.expected > 0)
    assert audit.retained_from_ms == min(first_ms for _, first_ms, _ in told.epochs)


async def test_a_fleet_is_the_sum_of_its_chambers_and_names_offenders(rooms: Rooms) -> None:
    good, silent, wrong = [await enrolled(rooms, spec(name)) for name in ("good", "silent", "wrong")]
    await rooms.add_section("elsewhere", "default")
    foreign = await enrolled(rooms, spec("foreign", organization="elsewhere"))
    for chamber in (good, silent, wrong):
        await chamber.save(*(reading(chamber.slot(n)) for n in range(30)), settled=chamber.slot(29))
    await wrong.settle(wrong.slot(34))
    await good.save(gap(good.slot(30), good.slot(200), GapReason.MISSED))
    now_ms = now()

    span = TimeRange(0, now_ms + HOUR)
    fleet = await rooms.history.audit("default", None, span, now_ms)
    parts = [await rooms.history.audit("default", c.spec.id, span, now_ms) for c in (good, silent, wrong)]

    assert fleet.chambers == 3
    assert told_by(fleet) == sum((told_by(part) for part in parts), Counter())
    assert [name for name, _, _ in fleet.offenders] == ["wrong", "silent"]
    assert fleet.offenders[0][1] == 5
    assert fleet.unaccounted == 5
    other = await rooms.history.audit("elsewhere", None, span, now_ms)
    assert (other.chambers, other.stored, other.offenders[0][0]) == (1, 0, foreign.spec.id)


async def test_an_organization_without_chambers_expects_nothing(rooms: Rooms) -> None:
    audit = await rooms.history.audit("default", None, TimeRange(5, 10), 8)
    assert told_by(audit) == Counter()
    assert (audit.from_ms, audit.to_ms, audit.retained_from_ms) == (5, 8, 5)


async def test_a_reading_wins_over_a_gap_and_an_earlier_gap_over_a_later_one(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("winner"))
    await chamber.save(gap(chamber.slot(2), chamber.slot(4), GapReason.TIMEOUT))
    await chamber.save(gap(chamber.slot(0), chamber.slot(9), GapReason.LOST))
    await chamber.save(reading(chamber.slot(3)), settled=chamber.slot(9))

    audit = await rooms.history.audit("default", "winner", TimeRange(0, chamber.slot(10)), now())

    assert (audit.expected, audit.stored) == (10, 1)
    assert audit.gaps == {GapReason.TIMEOUT: 2, GapReason.LOST: 7}
