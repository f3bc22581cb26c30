"""Outcomes as JSON, for their travel through Temporal: a chamber may have to carry hundreds while the store is away.

Additive changes only: a field may be added, none renamed or retyped. Empty fields are left out, and the instants of a
reading are distances from its slot.
"""

import json
from collections.abc import Iterable
from typing import Any

from collector.domain.outcome import (
    DETAIL_LIMIT,
    Change,
    Epoch,
    EpochEnd,
    Gap,
    GapReason,
    Measurement,
    Outcome,
    PauseEnd,
    Quality,
    Reading,
)

Packed = dict[str, Any]
"""One outcome as JSON."""


def pack(outcome: Outcome) -> Packed:
    """Encode an outcome for its travel; `unpack(pack(x)) == x` but for texts cut at `DETAIL_LIMIT`."""
    match outcome:
        case Reading():
            return _pack_reading(outcome)
        case Gap():
            row: Packed = {
                "kind": "gap",
                "first": outcome.first_ms,
                "last": outcome.last_ms,
                "reason": outcome.reason.value,
            }
            row |= {"detail": outcome.detail[:DETAIL_LIMIT], "by": outcome.by[:DETAIL_LIMIT], "until": outcome.until_ms}
        case PauseEnd():
            row = {"kind": "pause_end", "first": outcome.first_ms, "last": outcome.last_ms}
        case Epoch():
            row = {
                "kind": "epoch",
                "first": outcome.first_slot_ms,
                "interval": outcome.interval_ms,
                "phase": outcome.phase_ms,
            }
            row |= {"v": outcome.spec_version, "previous_last": outcome.previous_last_ms, "decided": outcome.decided_ms}
        case EpochEnd():
            row = {"kind": "epoch_end", "last": outcome.last_slot_ms}
        case Change():
            row = {
                "kind": "change",
                "v": outcome.expected_version,
                "what": outcome.kind,
                "reason": outcome.reason[:DETAIL_LIMIT],
            }
            row |= {"by": outcome.by[:DETAIL_LIMIT], "until": outcome.until_ms, "since": outcome.since_ms}
            row |= {"interval": outcome.interval_ms}
    return {k: v for k, v in row.items() if v is not None and v != ""}


def unpack(row: Packed) -> Outcome:
    """Decode what `pack` made, of this version or an older one.

    Raises:
        ValueError: the kind is unknown (a newer worker packed it).
        KeyError: a field is missing.
    """
    match row["kind"]:
        case "reading":
            return _unpack_reading(row)
        case "gap":
            reason = GapReason(row["reason"])
            return Gap(
                row["first"], row.get("last"), reason, row.get("detail", ""), row.get("by", ""), row.get("until")
            )
        case "pause_end":
            return PauseEnd(row["first"], row["last"])
        case "epoch":
            grid = (row["first"], row["interval"], row["phase"])
            return Epoch(*grid, row["v"], row.get("previous_last"), row.get("decided", 0))
        case "epoch_end":
            return EpochEnd(row["last"])
        case "change":
            texts = (row.get("reason", ""), row.get("by", ""))
            return Change(row["v"], row["what"], *texts, row.get("until"), row.get("since"), row.get("interval"))
        case kind:
            raise ValueError(f"outcome of unknown kind {kind!r}")


def _pack_reading(r: Reading) -> Packed:
    row: Packed = {
        "kind": "reading",
        "slot": r.slot_ms,
        "req": r.requested_ms - r.slot_ms,
        "rec": r.received_ms - r.slot_ms,
    }
    if r.observed_ms is not None:
        row["obs"] = r.observed_ms - r.slot_ms
    row |= {"v": r.spec_version, "names": [m.name for m in r.measurements], "units": [m.unit for m in r.measurements]}
    row["values"] = [m.value for m in r.measurements]
    if any(m.quality is not Quality.GOOD for m in r.measurements):
        row["quality"] = [m.quality.value for m in r.measurements]
    return row


def _unpack_reading(row: Packed) -> Reading:
    slot, obs = row["slot"], row.get("obs")
    quality = row.get("quality") or [Quality.GOOD] * len(row["names"])
    columns = zip(row["names"], row["values"], row["units"], quality, strict=True)
    measurements = tuple(Measurement(n, None if v is None else float(v), u, Quality(q)) for n, v, u, q in columns)
    return Reading(
        slot, slot + row["req"], slot + row["rec"], measurements, row["v"], None if obs is None else slot + obs
    )


def packed_bytes(row: Packed) -> int:
    """Size of a packed outcome as it travels: Temporal's default converter escapes all that is not ASCII."""
    return len(json.dumps(row, separators=(",", ":")))


def count_readings(rows: Iterable[Packed]) -> int:
    """How many of the packed outcomes are readings."""
    return sum(row["kind"] == "reading" for row in rows)
