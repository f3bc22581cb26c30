"""What is in the ledger, as the API answers it. Instants are RFC 3339, UTC, milliseconds."""

from typing import Any

from pydantic import BaseModel, Field

from api.schemas import Instant, instant, shows
from collector.domain.instants import iso
from collector.domain.outcome import Measurement, Reading
from collector.ports import Audit, Bin, DetectorRecord, GapRun, StoredReading
from collector.usecases.collect_now import Collected
from collector.usecases.readings import Latest

TEMPERATURE = {"value": 37.02, "unit": "Cel", "quality": "good"}
READING: dict[str, Any] = {
    "slot": "2026-03-01T12:00:17.000Z",
    "requested_at": "2026-03-01T12:00:17.002Z",
    "received_at": "2026-03-01T12:00:17.093Z",
    "observed_at": None,
    "stored_at": "2026-03-01T12:00:17.101Z",
    "measurements": {"temperature": TEMPERATURE},
}


class MeasurementOut(BaseModel):
    """One detector's value; `bad` and `missing` have none."""

    value: float | None
    unit: str
    quality: str


class ReadingOut(BaseModel):
    """All measurements of one collection."""

    model_config = shows(**READING)

    slot: Instant
    requested_at: Instant
    received_at: Instant
    observed_at: Instant | None
    stored_at: Instant | None
    measurements: dict[str, MeasurementOut]


class BatchReadingOut(ReadingOut):
    """A reading of a batch, and the chamber that it is of."""

    model_config = shows(chamber="incubator-3", **READING)

    chamber: str


class AdhocReadingOut(ReadingOut):
    """A reading off the grid; `slot` is the instant it was asked for. `stored` is false while the store is away."""

    model_config = shows(**READING, adhoc=True, stored=True)

    adhoc: bool
    stored: bool


class LatestOut(BaseModel):
    """The newest reading of a chamber, null before the first; from the cache it has no `stored_at`."""

    model_config = shows(chamber="incubator-3", reading=READING)

    chamber: str
    reading: ReadingOut | None


class BinOut(BaseModel):
    """One detector's readings in one bin of time."""

    model_config = shows(
        start="2026-03-01T12:00:00.000Z",
        min=36.9,
        mean=37.0,
        max=37.2,
        count=12,
        worst_quality="good",
        gap_reason=None,
    )

    start: Instant
    min: float | None
    mean: float | None
    max: float | None
    count: int
    worst_quality: str | None
    gap_reason: str | None


class GapOut(BaseModel):
    """A run of slots without a reading; `last_slot` is null while it is open."""

    model_config = shows(
        first_slot="2026-03-01T12:03:17.000Z",
        last_slot="2026-03-01T12:04:17.000Z",
        slots=2,
        reason="timeout",
        detail="no whole answer in 10 s",
        by="",
        until=None,
        recorded_at="2026-03-01T12:04:17.620Z",
    )

    first_slot: Instant
    last_slot: Instant | None
    slots: int
    reason: str
    detail: str
    by: str
    until: Instant | None
    recorded_at: Instant


class DetectorOut(BaseModel):
    """One quantity of a chamber; one that is not active is stored, and left out unless asked for by name."""

    model_config = shows(name="temperature", unit="Cel", alias="core temperature", active=True)

    name: str
    unit: str
    alias: str | None
    active: bool


class OffenderOut(BaseModel):
    """A chamber with slots that are not accounted for, or overdue."""

    chamber: str
    unaccounted: int
    overdue: int


class AuditOut(BaseModel):
    """The proof: `expected` = `stored` + all `gaps` + `unaccounted` + `overdue` + `pending`."""

    model_config = shows(
        **{"from": "2026-03-01T00:00:00.000Z"},
        to="2026-03-02T00:00:00.000Z",
        chambers=1,
        expected=1440,
        stored=1437,
        gaps={"timeout": 3},
        unaccounted=0,
        overdue=0,
        pending=0,
        retained_from="2026-02-01T00:00:00.000Z",
        offenders=[],
    )

    from_: Instant = Field(serialization_alias="from")
    to: Instant
    chambers: int
    expected: int
    stored: int
    gaps: dict[str, int]
    unaccounted: int
    overdue: int
    pending: int
    retained_from: Instant
    offenders: list[OffenderOut]


def reading_out(reading: Reading, stored_ms: int | None) -> ReadingOut:
    """A reading as JSON."""
    return ReadingOut(
        slot=iso(reading.slot_ms),
        requested_at=iso(reading.requested_ms),
        received_at=iso(reading.received_ms),
        observed_at=instant(reading.observed_ms),
        stored_at=instant(stored_ms),
        measurements={m.name: _measurement_out(m) for m in reading.measurements},
    )


def stored_out(stored: StoredReading) -> ReadingOut:
    """A stored reading as JSON."""
    return reading_out(stored.reading, stored.stored_ms)


def batch_reading_out(stored: StoredReading) -> BatchReadingOut:
    """A reading of a batch as JSON."""
    return BatchReadingOut(chamber=stored.chamber_id, **stored_out(stored).model_dump())


def adhoc_out(collected: Collected, reading: Reading) -> AdhocReadingOut:
    """A reading off the grid as JSON."""
    plain = reading_out(reading, None).model_dump()
    return AdhocReadingOut(**plain, adhoc=True, stored=collected.stored)


def latest_out(latest: Latest) -> LatestOut:
    """A chamber's newest reading as JSON."""
    reading = latest.reading and reading_out(latest.reading, latest.stored_ms)
    return LatestOut(chamber=latest.chamber_id, reading=reading)


def bin_out(found: Bin) -> BinOut:
    """A bin as JSON."""
    return BinOut(
        start=iso(found.start_ms),
        min=found.minimum,
        mean=found.mean,
        max=found.maximum,
        count=found.count,
        worst_quality=found.worst,
        gap_reason=found.gap_reason,
    )


def gap_out(run: GapRun) -> GapOut:
    """A gap run as JSON."""
    return GapOut(
        first_slot=iso(run.first_ms),
        last_slot=instant(run.last_ms),
        slots=run.slots,
        reason=run.reason,
        detail=run.detail,
        by=run.by,
        until=instant(run.until_ms),
        recorded_at=iso(run.recorded_ms),
    )


def detector_out(record: DetectorRecord) -> DetectorOut:
    """A detector as JSON."""
    return DetectorOut(name=record.name, unit=record.unit, alias=record.alias, active=record.active)


def audit_out(audit: Audit) -> AuditOut:
    """A proof as JSON."""
    return AuditOut(
        from_=iso(audit.from_ms),
        to=iso(audit.to_ms),
        chambers=audit.chambers,
        expected=audit.expected,
        stored=audit.stored,
        gaps={reason.value: slots for reason, slots in audit.gaps.items()},
        unaccounted=audit.unaccounted,
        overdue=audit.overdue,
        pending=audit.pending,
        retained_from=iso(audit.retained_from_ms),
        offenders=[OffenderOut(chamber=c, unaccounted=u, overdue=o) for c, u, o in audit.offenders],
    )


def _measurement_out(measurement: Measurement) -> MeasurementOut:
    return MeasurementOut(value=measurement.value, unit=measurement.unit, quality=measurement.quality)
