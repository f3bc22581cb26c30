"""Between rows and the words of the core."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from collector.domain.cadence import Grid
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.outcome import Measurement, Quality, Reading
from collector.domain.settling import clean
from collector.ports.history import StoredReading
from collector.ports.registry import ChamberRecord, Standing

Row = Mapping[str, Any]
SetKey = tuple[tuple[str, ...], tuple[str, ...]]
"""Names and units of a detector set, in their order."""

QUALITIES = (Quality.GOOD, Quality.SUSPECT, Quality.BAD, Quality.MISSING)
"""A quality's place is its code in the database; the worst is the highest."""
CODE = {quality: code for code, quality in enumerate(QUALITIES)}
ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\"})

SPEC_COLUMNS = """id, organization, section, version, name, url, profile, interval_ms, timeout_ms, round_span_ms,
    aligned, labels::text AS labels, secret_ref, verify_tls, ms_of(pause_since) AS pause_since_ms, pause_reason,
    pause_by, ms_of(pause_until) AS pause_until_ms, retiring"""
DEVICE_OF_ROW = """(SELECT ARRAY[j ->> 'profile_version', j ->> 'timezone', j ->> 'serial_number',
    j ->> 'enrolment_trace'] FROM (SELECT to_jsonb(c) AS j OFFSET 0) d) AS device"""
"""Of a row `chamber c`, and behind them its enrolment's trace context, because the row is looked through only once.
A schema that is not migrated yet has no such columns, and no chamber that has any of them."""
DEVICE = f"(SELECT {DEVICE_OF_ROW} FROM chamber c WHERE c.key = chamber_overview.key) AS device"  # noqa: S608 - ours
RECORD_COLUMNS = f"""{SPEC_COLUMNS}, {DEVICE}, status, ms_of(settled_through) AS settled_through_ms,
    ms_of(first_slot) AS first_slot_ms, ms_of(created_at) AS created_ms, ms_of(last_reading) AS last_reading_ms,
    ms_of(retired_at) AS retired_ms,
    (SELECT ARRAY[e.interval_ms, e.phase_ms] FROM schedule_epoch e WHERE e.chamber = chamber_overview.key
     ORDER BY e.last_slot IS NULL DESC, e.first_slot DESC LIMIT 1) AS grid"""  # noqa: S608 - constants of ours
READING_COLUMNS = """ms_of(r.scheduled_at) AS slot_ms, ms_of(r.requested_at) AS requested_ms,
    ms_of(r.received_at) AS received_ms, ms_of(r.observed_at) AS observed_ms, ms_of(r.stored_at) AS stored_ms,
    r.spec_version, s.names, s.units, r."values", r.quality"""


def spec_from(row: Row) -> ChamberSpec:
    """The spec of a row with `SPEC_COLUMNS`; what `device` would say stays unsaid without that column."""
    profile_version, timezone, serial_number = device_from(row)
    return ChamberSpec(
        id=row["id"],
        organization=row["organization"],
        section=row["section"],
        url=row["url"],
        profile=row["profile"],
        interval_ms=row["interval_ms"],
        timeout_ms=row["timeout_ms"],
        name=row["name"],
        round_span_ms=row["round_span_ms"],
        aligned=row["aligned"],
        labels=json.loads(row["labels"]),
        secret_ref=row["secret_ref"],
        verify_tls=row["verify_tls"],
        version=row["version"],
        profile_version=profile_version,
        timezone=timezone,
        serial_number=serial_number,
    )


def spec_values(spec: ChamberSpec) -> tuple[object, ...]:
    """Values in the order id, organization, section, version, name, ... verify_tls of `SPEC_COLUMNS`."""
    labels = json.dumps({clean(k): clean(v) for k, v in spec.labels.items()})
    texts = (clean(text) for text in (spec.name, spec.url, spec.profile))
    whose = (spec.id, spec.organization, clean(spec.section), spec.version, *texts)
    times = (spec.interval_ms, spec.timeout_ms, spec.round_span_ms, spec.aligned)
    return (*whose, *times, labels, spec.secret_ref, spec.verify_tls)


def device_from(row: Row) -> tuple[str, ...]:
    """Profile version, zone and serial number of a row with `device`; texts that are not there are empty."""
    return tuple(text or "" for text in (row.get("device") or ("", "", ""))[:3])


def device_values(spec: ChamberSpec) -> tuple[str, ...]:
    """Values in the order profile version, zone, serial number."""
    return tuple(clean(text) for text in (spec.profile_version, spec.timezone, spec.serial_number))


def pause_from(row: Row) -> Pause | None:
    """The pause of a row with `SPEC_COLUMNS`."""
    if row["pause_since_ms"] is None:
        return None
    return Pause(row["pause_since_ms"], row["pause_reason"], row["pause_by"], row["pause_until_ms"])


def pause_values(pause: Pause | None) -> tuple[int | None, str, str, int | None]:
    """Values in the order since (ms), reason, by, until (ms)."""
    return (None, "", "", None) if pause is None else (pause.since_ms, pause.reason, pause.by, pause.until_ms)


def record_from(row: Row) -> ChamberRecord:
    """The record of a row of `chamber_overview` with `RECORD_COLUMNS`."""
    return ChamberRecord(
        spec=spec_from(row),
        pause=pause_from(row),
        status=row["status"],
        settled_through_ms=row["settled_through_ms"],
        first_slot_ms=row["first_slot_ms"],
        created_ms=row["created_ms"],
        last_reading_ms=row["last_reading_ms"],
        retired_ms=row["retired_ms"],
        grid=Grid(*row["grid"]),
        enrolment_trace=row["device"][3] or "",
    )


def standing_from(row: Sequence[Any]) -> Standing:
    """How a chamber stands, of a row of `STANDINGS`."""
    values = [*row[:6], Grid(row[6], row[7]), *row[8:]]
    return Standing(*values)


def stored_reading_from(chamber_id: str, row: Row) -> StoredReading:
    """The reading of a row with `READING_COLUMNS`."""
    codes = row["quality"] or [0] * len(row["names"])
    columns = zip(row["names"], row["values"], row["units"], codes, strict=True)
    reading = Reading(
        slot_ms=row["slot_ms"],
        requested_ms=row["requested_ms"],
        received_ms=row["received_ms"],
        measurements=tuple(Measurement(n, v, u, QUALITIES[c]) for n, v, u, c in columns),
        spec_version=row["spec_version"],
        observed_ms=row["observed_ms"],
    )
    return StoredReading(chamber_id, reading, row["stored_ms"])


def names_and_units(reading: Reading) -> SetKey:
    """What makes a reading's detector set."""
    return tuple(m.name for m in reading.measurements), tuple(m.unit for m in reading.measurements)


def reading_values(reading: Reading, detector_set: int) -> tuple[object, ...]:
    """Slot, requested, received, observed (ms), detector set, spec version, and values and quality as array literals.

    Literals, because arrays of different lengths cannot travel as one array of arrays.
    """
    values = _literal([repr(m.value) if m.value is not None else "NULL" for m in reading.measurements])
    good = all(m.quality is Quality.GOOD for m in reading.measurements)
    quality = None if good else _literal([str(CODE[m.quality]) for m in reading.measurements])
    instants = (reading.slot_ms, reading.requested_ms, reading.received_ms, reading.observed_ms)
    return (*instants, detector_set, reading.spec_version, values, quality)


def array_of_texts(items: Sequence[str]) -> str:
    """An array literal of texts."""
    return "{" + ",".join('"' + item.translate(ESCAPES) + '"' for item in items) + "}"


def _literal(items: Sequence[str]) -> str:
    return "{" + ",".join(items) + "}"
