"""Reading what was stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.domain.outcome import GapReason, Quality, Reading
from collector.domain.timerange import TimeRange
from collector.ports.paging import Page


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A reading as it is kept. `stored_ms` is the commit; `adhoc` readings lie off the grid."""

    chamber_id: str
    reading: Reading
    stored_ms: int
    adhoc: bool = False


@dataclass(frozen=True, slots=True)
class GapRun:
    """A gap as it is kept.

    Attributes:
        first_ms: first slot.
        last_ms: last slot, None while the run is open.
        slots: how many slots of the chamber's grids it covers within the range asked for.
        recorded_ms: the commit.
    """

    chamber_id: str
    first_ms: int
    last_ms: int | None
    reason: GapReason
    detail: str
    by: str
    until_ms: int | None
    slots: int
    recorded_ms: int


@dataclass(frozen=True, slots=True)
class Audit:
    """The proof for a range: `expected = stored + sum(gaps) + unaccounted + overdue + pending`.

    Attributes:
        from_ms: inclusive.
        to_ms: exclusive; never later than the audit itself.
        chambers: chambers with at least one expected slot.
        expected: slots of all epochs in the range.
        stored: of them, slots with a reading.
        gaps: reason -> distinct slots without reading, by the earliest recorded run.
        unaccounted: settled slots without outcome: always a bug.
        overdue: slots past their deadline, not settled, without outcome: somebody is down, or outcomes wait.
        pending: younger slots without outcome.
        retained_from_ms: nothing before is kept in full.
        offenders: up to 20 chambers with unaccounted or overdue slots: (id, unaccounted, overdue).
    """

    from_ms: int
    to_ms: int
    chambers: int
    expected: int
    stored: int
    gaps: Mapping[GapReason, int]
    unaccounted: int
    overdue: int
    pending: int
    retained_from_ms: int
    offenders: Sequence[tuple[str, int, int]] = ()


@dataclass(frozen=True, slots=True)
class DetectorRecord:
    """One quantity of a chamber."""

    name: str
    unit: str
    alias: str | None
    active: bool


CHANGEABLE = frozenset({"alias", "active"})
"""What can be changed of a `DetectorRecord`."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One detector's readings in one bin of time.

    Attributes:
        start_ms: inclusive.
        minimum: None when no value lies in the bin.
        mean: of the values.
        maximum: an excursion is never averaged away.
        count: values in the bin.
        worst: worst quality in the bin, None without any reading.
        gap_reason: reason of the earliest gap that touches the bin, if any.
    """

    start_ms: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    count: int
    worst: Quality | None
    gap_reason: GapReason | None


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late requests started against their slots, in milliseconds, over stored readings."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class BatchPart:
    """Which of a batch's readings are wanted; None does not restrict.

    Attributes:
        chamber_id: only this chamber's; one that never stood in the batch's section has none.
        span: only slots in it.
    """

    chamber_id: str | None = None
    span: TimeRange | None = None


class LedgerReader(Protocol):
    """Reads what was stored, inside one organization. A foreign or unknown chamber raises `NotFoundError`."""

    async def readings(
        self, organization: str, chamber_id: str, span: TimeRange, *, limit: int, cursor: str | None = None
    ) -> Page[StoredReading]:
        """Readings of the grid in the order of their slots."""
        ...

    async def bins(
        self, organization: str, chamber_id: str, detector: str, span: TimeRange, points: int
    ) -> Sequence[Bin]:
        """`points` equal bins of one detector over the range, empty ones included.

        Raises:
            InvalidFieldError: field `detector`, when the chamber has none of that name or alias; the remedy lists them.
        """
        ...

    async def latest(self, organization: str, chamber_id: str) -> StoredReading | None:
        """The newest reading of the grid, or None."""
        ...

    async def latest_of(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, StoredReading]:
        """The newest reading of each chamber that has one, by chamber id; unknown and foreign ids are absent."""
        ...

    async def gaps(
        self, organization: str, chamber_id: str, span: TimeRange, *, limit: int, cursor: str | None = None
    ) -> Page[GapRun]:
        """Gap runs that touch the range, in the order of their first slots."""
        ...

    async def detectors(self, organization: str, chamber_id: str) -> Sequence[DetectorRecord]:
        """The chamber's detectors by name."""
        ...

    async def inactive_detectors(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Names of switched-off detectors, by the id of each chamber that has some; foreign ids are absent."""
        ...

    async def batch_readings(
        self, organization: str, batch_id: str, wanted: BatchPart, *, limit: int, cursor: str | None = None
    ) -> Page[StoredReading]:
        """Readings that belong to a batch, in the order of chamber id and slot.

        They are those of slots within the batch, of chambers that stood in its section at that slot. When a reading
        was stored is of no account, nor where its chamber stands now.

        Raises:
            NotFoundError: no such batch, or another organization's.
            InvalidFieldError: field `cursor`, when it is not one of ours.
        """
        ...

    async def audit(self, organization: str, chamber_id: str | None, span: TimeRange, now_ms: int) -> Audit:
        """The proof for one chamber, or for all of the organization; the range is cut at `now_ms`."""
        ...

    async def lateness(self, organization: str, span: TimeRange) -> Lateness | None:
        """Lateness of the organization's readings in the range; None without any."""
        ...
