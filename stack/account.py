"""The account of a run: what was expected and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

UNACCOUNTED, OVERDUE = 1, 2
"""Exit codes, the same as `chamberlog audit`."""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the slots of a run; `document()` is what scripts read.

    Attributes:
        chambers: that collected.
        expected: slots of all chambers.
        stored: slots with a reading.
        gaps: reason to slots.
        unaccounted: settled slots without outcome: always a fault of the system.
        overdue: slots whose outcome was not in the database when the run had drained.
        lateness_ms: `p50` and `p99` of how late requests started; None without a reading.
    """

    chambers: int
    expected: int
    stored: int
    gaps: Mapping[str, int]
    unaccounted: int
    overdue: int
    lateness_ms: Mapping[str, float] | None

    @property
    def exit_code(self) -> int:
        """1 when something is unaccounted, 2 when something is overdue, else 0."""
        if self.unaccounted:
            return UNACCOUNTED
        return OVERDUE if self.overdue else 0

    def document(self) -> dict[str, Any]:
        """The one JSON object that `up --json` prints."""
        return {
            "chambers": self.chambers,
            "expected": self.expected,
            "stored": self.stored,
            "gaps": dict(self.gaps),
            "unaccounted": self.unaccounted,
            "overdue": self.overdue,
            "lateness_ms": None if self.lateness_ms is None else dict(self.lateness_ms),
        }

    def table(self) -> Table:
        """The same for people."""
        table = Table("", "slots", title=f"{self.chambers} chambers")
        table.columns[1].justify = "right"
        rows = {"expected": self.expected, "stored": self.stored}
        rows |= {f"gap: {reason}": slots for reason, slots in self.gaps.items()}
        rows |= {"unaccounted": self.unaccounted, "overdue": self.overdue}
        for name, slots in rows.items():
            bad = slots and name in ("unaccounted", "overdue")
            table.add_row(name, f"[red]{slots}[/red]" if bad else str(slots))
        for name, late in (self.lateness_ms or {}).items():
            table.add_row(f"lateness {name}", f"{late:.1f} ms")
        return table


def account_of(audit: Mapping[str, Any], chambers: int, lateness_ms: Mapping[str, float] | None) -> Account:
    """The account of a drained run.

    Args:
        audit: the API's answer for exactly the run's time; slots that are still `pending` after the drain are counted
            as overdue: nobody will bring them while the stack is stopped.
        chambers: that collected.
        lateness_ms: see `Account`.
    """
    gaps = {reason: slots for reason, slots in audit["gaps"].items() if slots}
    overdue = audit["overdue"] + audit["pending"]
    return Account(chambers, audit["expected"], audit["stored"], gaps, audit["unaccounted"], overdue, lateness_ms)
