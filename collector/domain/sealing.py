"""Days that are sealed: their bounds, and the digest by which anybody can check what was sealed.

A day is a UTC day: every slot belongs to exactly one.
"""

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from collector.domain.outcome import GapReason, Quality, Reading
from collector.domain.timerange import TimeRange

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
LONG_SPAN_MS = 14 * DAY_MS
"""A curve over more than this is drawn from hours: of a chamber at 60 s that is one row in place of sixty."""
_EPOCH_DAY = date(1970, 1, 1)
_TEXT, _SMALLINT, _FLOAT8 = 25, 21, 701
_NO_INSTANT = -(2**63)
_QUALITIES = (Quality.GOOD, Quality.SUSPECT, Quality.BAD, Quality.MISSING)


def day_of(instant_ms: int) -> date:
    """The UTC day of an instant."""
    return datetime.fromtimestamp(instant_ms // 1000, UTC).date()


def first_ms_of(day: date) -> int:
    """The instant at which a UTC day begins."""
    return (day - _EPOCH_DAY) // timedelta(days=1) * DAY_MS


def span_of(day: date) -> TimeRange:
    """The instants of a UTC day."""
    return TimeRange(first_ms_of(day), first_ms_of(day) + DAY_MS)


def next_day(day: date) -> date:
    """The day after."""
    return day + timedelta(days=1)


def whole_days(span: TimeRange, retained_from_ms: int) -> TimeRange:
    """The range as it can be answered: of days that were dropped nothing smaller than a day is known.

    Ends that lie before `retained_from_ms`, which is a midnight, move outwards to the ends of their days.
    """
    from_ms, to_ms = span.from_ms, span.to_ms
    if from_ms < retained_from_ms:
        from_ms = from_ms // DAY_MS * DAY_MS
    if to_ms < retained_from_ms:
        to_ms = -(-to_ms // DAY_MS) * DAY_MS
    return TimeRange(from_ms, to_ms)


def hours_until(span: TimeRange, points: int, retained_from_ms: int) -> int:
    """Where the part of a curve ends that is drawn from hours; what follows is drawn from readings.

    A long range is drawn from hours altogether, unless its bins are narrower than an hour; of days that were dropped
    there is nothing else.
    """
    width_ms = span.to_ms - span.from_ms
    if width_ms > LONG_SPAN_MS and width_ms >= points * HOUR_MS:
        return span.to_ms
    return min(retained_from_ms, span.to_ms)


@dataclass(frozen=True, slots=True)
class SealedAccount:
    """What became of one chamber's day, and the digest of its readings.

    Attributes:
        expected: slots of the day.
        stored: of them, slots with a reading.
        gaps: reason -> slots of the others; together with `stored` they are `expected`.
        sha256: see `digest_of`.
    """

    expected: int
    stored: int
    gaps: Mapping[GapReason, int]
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Sealing:
    """What an attempt to seal a day came to.

    Attributes:
        day: UTC.
        unaccounted: settled slots without outcome; a day with any is not sealed.
        overdue: slots past their deadline without outcome; likewise.
        offenders: chambers that have either, a few of them.
        changed: the day was not sealed before, or other things were.
    """

    day: date
    unaccounted: int = 0
    overdue: int = 0
    offenders: Sequence[str] = field(default=())
    changed: bool = False

    @property
    def sealed(self) -> bool:
        """Whether every slot of the day has its outcome."""
        return self.unaccounted == 0 and self.overdue == 0

    def __str__(self) -> str:
        if self.sealed:
            return f"{self.day} is sealed"
        missing = f"{self.unaccounted} slots unaccounted, {self.overdue} overdue"
        return f"{self.day} is not sealed: {missing}: {', '.join(self.offenders)}"


@dataclass(slots=True)
class MaintenanceOutcome:
    """What one run of the maintenance did. It travels through Temporal: fields are added with a default, none renamed.

    Attributes:
        partitions_made: days for which room was made.
        hours_rolled_up: hours of detectors that are new or have other figures now.
        days_sealed: days that have a new seal.
        days_not_sealed: a sentence each: how many slots are unaccounted or overdue, and whose.
        days_dropped: days whose readings are gone.
        days_not_dropped: why the oldest day had to stay, though it is older than the retention.
        retained_from: where readings begin; empty while none was dropped.
        failures: steps that failed, a sentence each.
    """

    partitions_made: int = 0
    hours_rolled_up: int = 0
    days_sealed: list[str] = field(default_factory=list)
    days_not_sealed: list[str] = field(default_factory=list)
    days_dropped: list[str] = field(default_factory=list)
    days_not_dropped: list[str] = field(default_factory=list)
    retained_from: str = ""
    failures: list[str] = field(default_factory=list)


def digest_of(rows: Iterable[tuple[Reading, int]]) -> bytes:
    """SHA-256 of a chamber's readings of one day, each with the instant of its commit in ms, in the order of slots.

    The bytes are those of PostgreSQL's binary forms, so that a database and an export can both be checked. Of each
    reading: slot, requested, received, observed (-2^63 = none) and stored as int8 milliseconds; the spec's version as
    int4; then the arrays of names (text), units (text), values (float8, NULL = none) and, unless all are good, of
    qualities (int2; 0 good, 1 suspect, 2 bad, 3 missing), else one byte 0xff. All are big-endian.
    """
    digest = hashlib.sha256()
    for reading, stored_ms in rows:
        digest.update(_bytes_of(reading, stored_ms))
    return digest.digest()


def _bytes_of(reading: Reading, stored_ms: int) -> bytes:
    observed_ms = _NO_INSTANT if reading.observed_ms is None else reading.observed_ms
    instants = (reading.slot_ms, reading.requested_ms, reading.received_ms, observed_ms, stored_ms)
    found = reading.measurements
    texts = (
        _array(_TEXT, [t.encode() for t in column]) for column in ([m.name for m in found], [m.unit for m in found])
    )
    values = _array(_FLOAT8, [None if m.value is None else struct.pack(">d", m.value) for m in found])
    quality = b"\xff"
    if any(m.quality is not Quality.GOOD for m in found):
        quality = _array(_SMALLINT, [struct.pack(">h", _QUALITIES.index(m.quality)) for m in found])
    return struct.pack(">5qi", *instants, reading.spec_version) + b"".join((*texts, values, quality))


def _array(element: int, items: Sequence[bytes | None]) -> bytes:
    if not items:
        return struct.pack(">iiI", 0, 0, element)
    head = struct.pack(">iiIii", 1, None in items, element, len(items), 1)
    parts = (struct.pack(">i", -1) if i is None else struct.pack(">i", len(i)) + i for i in items)
    return head + b"".join(parts)
