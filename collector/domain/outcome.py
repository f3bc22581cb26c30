"""What becomes of a slot: a reading or a gap; and the changes of the schedule that travel beside them.

Every instant is an integer of milliseconds since the Unix epoch, UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeGuard

DETAIL_LIMIT = 1024
"""Characters of a reason, label or detail that are kept: an unsaved outcome travels in Temporal, which is bounded."""


class GapReason(StrEnum):
    """Why a slot has no reading: a closed list."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    DENIED = "denied"
    HTTP_STATUS = "http_status"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    BLOCKED = "blocked"
    UNAUTHORIZED = "unauthorized"
    MISCONFIGURED = "misconfigured"
    OVERRUN = "overrun"
    MISSED = "missed"
    PAUSED = "paused"
    OVERFLOW = "overflow"
    LOST = "lost"


UNTRIED = frozenset({GapReason.MISSED, GapReason.LOST, GapReason.OVERFLOW})
"""Reasons of gaps that no round decided by trying: whoever stores them counts them."""


class Quality(StrEnum):
    """How far a measurement can be trusted: a closed list. `bad` and `missing` have no value."""

    GOOD = "good"
    SUSPECT = "suspect"
    BAD = "bad"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One detector's value in a reading.

    Attributes:
        name: the detector, as the profile names it.
        value: a finite number in `unit`, or None when the quality is `bad` or `missing`.
        unit: UCUM code, or what the device sent where the table has none.
        quality: see `Quality`.
    """

    name: str
    value: float | None
    unit: str
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class Reading:
    """All measurements of one collection.

    Attributes:
        slot_ms: the scheduled instant: with the chamber it is the identity of the collection.
        requested_ms: the request's start, worker's clock.
        received_ms: the answer's arrival, worker's clock.
        measurements: in the profile's order; at least one has a value.
        spec_version: version of the chamber's spec that was used.
        observed_ms: the device's own time, if it gives one that can be trusted.
    """

    slot_ms: int
    requested_ms: int
    received_ms: int
    measurements: tuple[Measurement, ...]
    spec_version: int
    observed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of slots without a reading: every slot of the chamber's grids in the closed time interval.

    Attributes:
        first_ms: the run's first slot.
        last_ms: its last slot; None = open (only for `paused`).
        reason: see `GapReason`.
        detail: a short code and what was seen; at most `DETAIL_LIMIT` characters.
        by: who paused it.
        until_ms: when the pause ends by itself.
    """

    first_ms: int
    last_ms: int | None
    reason: GapReason
    detail: str = ""
    by: str = ""
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class PauseEnd:
    """Closes the open `paused` run that began at `first_ms`.

    `last_ms` is the last instant of the run; it may lie before `first_ms` when no slot fell into the pause.
    Storing it twice changes nothing.
    """

    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """Opens a new grid of the chamber and closes the one before.

    Attributes:
        first_slot_ms: first slot of the new grid.
        interval_ms: distance of its slots.
        phase_ms: offset of its slots from the Unix epoch, modulo the interval.
        spec_version: the spec that asked for it.
        previous_last_ms: last slot handed out on the old grid; the old epoch ends there (it may be empty).
        decided_ms: orders the epochs of a chamber: no two have the same, and a later one stands; 0 = not known.
    """

    first_slot_ms: int
    interval_ms: int
    phase_ms: int
    spec_version: int
    previous_last_ms: int | None = None
    decided_ms: int = 0


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """Closes the open epoch at `last_slot_ms` because the chamber retires; it may be empty."""

    last_slot_ms: int


@dataclass(frozen=True, slots=True)
class Change:
    """What a signal changed, to be written back to the registry row by compare-and-set on its version.

    Attributes:
        expected_version: version the workflow knew; if the row has another, the row wins and nothing is written.
        kind: `pause`, `resume` or `set_interval`.
        reason: of the pause.
        by: who, as claimed by the signal.
        until_ms: end of the pause.
        since_ms: start of the pause.
        interval_ms: the new interval.
    """

    expected_version: int
    kind: str
    reason: str = ""
    by: str = ""
    until_ms: int | None = None
    since_ms: int | None = None
    interval_ms: int | None = None


Outcome = Reading | Gap | PauseEnd | Epoch | EpochEnd | Change


def decides_slots(outcome: Outcome) -> TypeGuard[Reading | Gap]:
    """Whether it is a reading or a closed gap run: the others change the schedule."""
    return isinstance(outcome, Reading) or (isinstance(outcome, Gap) and outcome.last_ms is not None)


def first_slot_of(outcome: Outcome) -> int | None:
    """The earliest slot whose fate the outcome decides; None for a change, which decides none.

    An epoch decides from the end of the one before: until it is stored, slots after that end are still expected.
    """
    match outcome:
        case Reading(slot_ms=slot):
            return slot
        case Gap(first_ms=first) | PauseEnd(first_ms=first):
            return first
        case Epoch(first_slot_ms=first, previous_last_ms=last):
            return first if last is None else min(first, last + 1)
        case EpochEnd(last_slot_ms=last):
            return last
        case Change():
            return None


def merge_runs(gaps: Iterable[Gap], interval_ms: int) -> list[Gap]:
    """Join neighbouring runs of one grid that have the same reason, detail and author.

    Args:
        gaps: closed runs in the order of their slots.
        interval_ms: distance of the grid's slots.
    """
    merged: list[Gap] = []
    for gap in gaps:
        before = merged[-1] if merged else None
        if (
            before is not None
            and before.last_ms is not None
            and gap.first_ms == before.last_ms + interval_ms
            and _alike(before, gap)
        ):
            merged[-1] = replace(before, last_ms=gap.last_ms)
        else:
            merged.append(gap)
    return merged


def _alike(a: Gap, b: Gap) -> bool:
    return (a.reason, a.detail, a.by, a.until_ms) == (b.reason, b.detail, b.by, b.until_ms)
