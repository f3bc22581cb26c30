"""Outcomes that wait for the store: how many may wait, in what portions they leave, how far a chamber is settled."""

from collections.abc import Sequence

from collector.domain.outcome import DETAIL_LIMIT, Gap, GapReason, Reading, first_slot_of
from collector.packing import Packed, pack, packed_bytes, unpack

STATE_LIMIT_BYTES = 512 * 1024
"""Of one chamber: a workflow state over 2 MB can never continue as new (the server refuses the payload)."""
PORTION_BYTES = 128 * 1024
"""Of one `store` activity: well below the payload warning of 256 KiB."""
ROUND_LIMIT_BYTES = 64 * 1024
"""Of one round: it travels in every heartbeat."""


CHANGES_LIMIT_BYTES = 128 * 1024
"""Of what changes the schedule, which is never folded: over it a chamber heeds no signal until the store is back."""


def changes_bytes(rows: Sequence[Packed]) -> int:
    """Size of those packed outcomes that change the schedule."""
    return total_bytes([row for row in rows if row["kind"] != "reading" and _span(row) is None])


def total_bytes(rows: Sequence[Packed]) -> int:
    """Size of packed outcomes as they travel."""
    return sum(packed_bytes(row) + 1 for row in rows)


def portion(rows: Sequence[Packed], limit_bytes: int = PORTION_BYTES) -> list[Packed]:
    """The oldest outcomes that fit into the limit; at least one if there is any."""
    taken: list[Packed] = []
    size = 0
    for row in rows:
        size += packed_bytes(row) + 1
        if taken and size > limit_bytes:
            break
        taken.append(row)
    return taken


def bounded(rows: Sequence[Packed], limit_bytes: int = STATE_LIMIT_BYTES) -> list[Packed]:
    """The same outcomes, the oldest readings and gaps folded into one `overflow` gap when they pass the limit.

    Folding goes down to three quarters of the limit, so that it is not done again for every next outcome. What
    changes the schedule (epochs, pauses, changes) is never folded.
    """
    if total_bytes(rows) <= limit_bytes:
        return list(rows)
    excess = total_bytes(rows) - limit_bytes * 3 // 4
    folded: list[tuple[int, int]] = []
    kept: list[Packed] = []
    for row in rows:
        span = _span(row) if excess > 0 else None
        if span is None:
            kept.append(row)
        else:
            folded.append(span)
            excess -= packed_bytes(row) + 1
    return [pack(overflow_run(folded)), *kept] if folded else kept


def overflow_run(spans: Sequence[tuple[int, int]]) -> Gap:
    """One gap over all the spans; readings between them, stored in time, win over it in the audit."""
    detail = f"backlog_full: {len(spans)} outcomes folded"[:DETAIL_LIMIT]
    return Gap(min(first for first, _ in spans), max(last for _, last in spans), GapReason.OVERFLOW, detail)


def oldest_slot(rows: Sequence[Packed]) -> int | None:
    """The earliest slot whose fate waits in these outcomes: nothing may be settled from there on."""
    slots = [slot for row in rows if (slot := first_slot_of(unpack(row))) is not None]
    return min(slots, default=None)


def _span(row: Packed) -> tuple[int, int] | None:
    outcome = unpack(row)
    if isinstance(outcome, Reading):
        return outcome.slot_ms, outcome.slot_ms
    if isinstance(outcome, Gap) and outcome.last_ms is not None:
        return outcome.first_ms, outcome.last_ms
    return None
