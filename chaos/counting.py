"""What became of every slot, by plain counting over what the database and the devices say: no clock, no server."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chaos.fleet import Chamber
from collector.domain.timerange import TimeRange

EARLY_MS = 50
"""A round waits on the monotonic clock: the wall clock may have been set a little since, and served before its slot."""
APART_MS = 500
"""The device notes when it answers, the worker when it asked and when it heard: same machine, but both may be busy."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A reading: its slot, when it was asked for and received, and the number that the device gave the answer."""

    chamber: str
    slot_ms: int
    requested_ms: int
    received_ms: int
    serial: int | None


@dataclass(frozen=True, slots=True)
class GapRun:
    """A recorded gap run; `last_ms` is None while it is open."""

    chamber: str
    first_ms: int
    last_ms: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that a device gave, as the device wrote it down."""

    chamber: str
    serial: int | None
    served_ms: int


@dataclass(frozen=True, slots=True)
class Found:
    """What there is after a fault.

    Attributes:
        readings: of the range and around it: an answer of the range may be stored under a slot outside.
        runs: gap runs in the order in which they were recorded.
        settled_ms: chamber to its `settled_through`.
        answers: what the devices served, of the range and around it.
    """

    readings: Sequence[Stored]
    runs: Sequence[GapRun]
    settled_ms: Mapping[str, int]
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class GapSlot:
    """A slot that has a recorded gap and no reading."""

    chamber: str
    slot_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Count:
    """Every slot of a range by its fate.

    Attributes:
        expected: all of them.
        stored: those with a reading.
        gaps: those with a gap.
        unaccounted: (chamber, slot) that is settled and has neither.
        open: (chamber, slot) that has neither and is not settled.
    """

    expected: int
    stored: int
    gaps: Sequence[GapSlot]
    unaccounted: Sequence[tuple[str, int]]
    open: Sequence[tuple[str, int]]


def count_slots(chambers: Iterable[Chamber], found: Found, span: TimeRange) -> Count:
    """The fate of every slot in the range: a reading wins, else the gap that was recorded first."""
    stored = {(reading.chamber, reading.slot_ms) for reading in found.readings}
    runs: defaultdict[str, list[GapRun]] = defaultdict(list)
    for run in found.runs:
        runs[run.chamber].append(run)
    expected, here = 0, 0
    gaps: list[GapSlot] = []
    unaccounted: list[tuple[str, int]] = []
    opened: list[tuple[str, int]] = []
    for chamber in chambers:
        for slot in chamber.slots(span.from_ms, span.to_ms):
            expected += 1
            if (chamber.id, slot) in stored:
                here += 1
            elif (reason := _reason(runs[chamber.id], slot)) is not None:
                gaps.append(GapSlot(chamber.id, slot, reason))
            else:
                settled = slot <= found.settled_ms.get(chamber.id, 0)
                (unaccounted if settled else opened).append((chamber.id, slot))
    return Count(expected, here, gaps, unaccounted, opened)


def told_twice(chambers: Iterable[Chamber], found: Found, span: TimeRange) -> list[tuple[str, int]]:
    """Slots of the range that have more than one outcome: two gap runs, or a gap run beside a reading."""
    outcomes = Counter((reading.chamber, reading.slot_ms) for reading in found.readings)
    by_id = {chamber.id: chamber for chamber in chambers}
    for run in found.runs:
        if run.chamber in by_id:
            last_ms = span.to_ms - 1 if run.last_ms is None else run.last_ms
            slots = by_id[run.chamber].slots(max(run.first_ms, span.from_ms), min(last_ms + 1, span.to_ms))
            outcomes.update((run.chamber, slot) for slot in slots)
    return sorted(key for key, n in outcomes.items() if n > 1 and span.from_ms <= key[1] < span.to_ms)


def doubled(readings: Iterable[Stored]) -> list[tuple[str, int, list[int]]]:
    """Answers that are stored under more than one slot: chamber, serial number, slots."""
    slots: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for reading in readings:
        if reading.serial is not None:
            slots[reading.chamber, reading.serial].append(reading.slot_ms)
    return [(chamber, serial, under) for (chamber, serial), under in slots.items() if len(under) > 1]


def asked_twice(chambers: Iterable[Chamber], found: Found, span: TimeRange) -> list[tuple[str, int, int]]:
    """Slots for which a device gave more than one answer: chamber, slot, answers.

    An answer belongs to the slot under which it is stored, else to the one that was open when it was served.
    """
    grids = {chamber.id: chamber.grid for chamber in chambers}
    under = {(r.chamber, r.serial): r.slot_ms for r in found.readings if r.serial is not None}
    answers: Counter[tuple[str, int]] = Counter()
    for answer in found.answers:
        if answer.chamber in grids:
            slot = under.get((answer.chamber, answer.serial)) if answer.serial is not None else None
            open_slot = grids[answer.chamber].at_or_before(answer.served_ms + EARLY_MS)
            answers[answer.chamber, open_slot if slot is None else slot] += 1
    inside = ((key, n) for key, n in answers.items() if n > 1 and span.from_ms <= key[1] < span.to_ms)
    return [(chamber, slot, n) for (chamber, slot), n in sorted(inside)]


def unstored(found: Found, span: TimeRange) -> list[Answer]:
    """Answers of the range that no reading has: read, and lost on the way."""
    kept = {(reading.chamber, reading.serial) for reading in found.readings}
    inside = (a for a in found.answers if a.serial is not None and span.from_ms <= a.served_ms < span.to_ms)
    return [answer for answer in inside if (answer.chamber, answer.serial) not in kept]


def strange(found: Found, span: TimeRange, apart_ms: int = APART_MS) -> list[Stored]:
    """Readings of the range that their device did not serve, or not between the request and the answer."""
    served = {(answer.chamber, answer.serial): answer.served_ms for answer in found.answers}
    return [
        reading
        for reading in found.readings
        if reading.serial is not None
        and span.from_ms <= reading.slot_ms < span.to_ms
        and not _between(reading, served.get((reading.chamber, reading.serial)), apart_ms)
    ]


def lateness_p99_ms(readings: Iterable[Stored], span: TimeRange) -> int | None:
    """How late requests for the slots of the range began, 99th percentile (nearest rank); None without a reading."""
    late = sorted(r.requested_ms - r.slot_ms for r in readings if span.from_ms <= r.slot_ms < span.to_ms)
    return late[math.ceil(0.99 * len(late)) - 1] if late else None


def longest_gap_s(chambers: Iterable[Chamber], gaps: Iterable[GapSlot]) -> float:
    """The longest run of consecutive slots of one chamber that have gaps, in seconds; 0 without any."""
    slots: defaultdict[str, list[int]] = defaultdict(list)
    for gap in gaps:
        slots[gap.chamber].append(gap.slot_ms)
    return max((_longest_run(sorted(slots[c.id]), c.grid.interval_ms) for c in chambers), default=0) / 1000


def _longest_run(slots: Iterable[int], step: int) -> int:
    longest = length = 0
    before: int | None = None
    for slot in slots:
        length = length + step if before == slot - step else step
        longest, before = max(longest, length), slot
    return longest


def _reason(runs: Iterable[GapRun], slot_ms: int) -> str | None:
    covering = (r.reason for r in runs if r.first_ms <= slot_ms and (r.last_ms is None or slot_ms <= r.last_ms))
    return next(covering, None)


def _between(reading: Stored, served_ms: int | None, apart_ms: int) -> bool:
    return served_ms is not None and reading.requested_ms - apart_ms <= served_ms <= reading.received_ms + apart_ms
