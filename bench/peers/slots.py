"""What became of the slots of a range: arithmetic over the grid and the stored rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.domain.cadence import Grid
from collector.domain.timerange import TimeRange

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


@dataclass(frozen=True, slots=True)
class Row:
    """A stored reading; a slot may have several.

    Attributes:
        chamber: its number.
        slot_ms: the slot.
        requested_ms: when its request began.
    """

    chamber: int
    slot_ms: int
    requested_ms: int

    @property
    def late_ms(self) -> int:
        """Start of the request against the slot."""
        return self.requested_ms - self.slot_ms


@dataclass(frozen=True, slots=True)
class SlotCount:
    """The slots of a range.

    Attributes:
        expected: of all grids.
        stored: with at least one reading.
        doubled: with more than one.
        missing: with none.
        astray: rows whose instant is no slot of their chamber.
    """

    expected: int
    stored: int
    doubled: int
    missing: int
    astray: int


def expected_slots(grids: Iterable[Grid], span: TimeRange) -> int:
    """How many slots lie in [from, to)."""
    return sum(grid.count(span.from_ms, span.to_ms - 1) for grid in grids)


def count_slots(grids: Mapping[int, Grid], rows: Sequence[Row], span: TimeRange) -> SlotCount:
    """What became of the slots.

    Args:
        grids: number of the chamber to its grid.
        rows: those whose slot lies in the range.
        span: [from, to).
    """
    of_slot = Counter((row.chamber, row.slot_ms) for row in rows)
    on_grid = {(c, slot): n for (c, slot), n in of_slot.items() if grids[c].at_or_after(slot) == slot}
    expected = expected_slots(grids.values(), span)
    doubled = sum(rows_of_it > 1 for rows_of_it in on_grid.values())
    astray = len(rows) - sum(on_grid.values())
    return SlotCount(expected, len(on_grid), doubled, expected - len(on_grid), astray)


def lateness_ms(rows: Iterable[Row]) -> dict[str, float]:
    """p50, p95, p99 and max, interpolated as PostgreSQL's percentile_cont does; empty without a row."""
    late = sorted(row.late_ms for row in rows)
    return {name: round(_percentile(late, share), 2) for name, share in PERCENTILES.items()} if late else {}


def _percentile(ordered: Sequence[int], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
