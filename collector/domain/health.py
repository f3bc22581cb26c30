"""How a chamber is doing: transitions between `starting`, `collecting` and `failing`."""

from dataclasses import dataclass, replace
from enum import StrEnum

FAILING_AFTER = 3
"""Slots in a row without a reading that make a chamber `failing`: one or two are a hiccup that people forgive."""


class Status(StrEnum):
    """What people see. `stale` is computed in SQL, never by the chamber itself: a wedged workflow cannot say so."""

    STARTING = "starting"
    COLLECTING = "collecting"
    FAILING = "failing"
    PAUSED = "paused"
    STALE = "stale"
    RETIRING = "retiring"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Spell:
    """The last time that the chamber was failing, from its first slot without a reading to the reading that ended it.

    Attributes:
        from_ms: the first slot without a reading.
        to_ms: the slot of the reading.
        slots: how many of those between were tried and have none.
    """

    from_ms: int
    to_ms: int
    slots: int


@dataclass(frozen=True, slots=True)
class Health:
    """How the last slots went.

    Attributes:
        failures: slots in a row without a reading.
        last_reading_ms: slot of the last reading.
        last_failure: reason and detail of the last gap that was this chamber's own.
        last_failure_ms: its slot.
        since_ms: the first of the slots in a row without a reading; None without any, or where an older worker
            counted them.
        spell: the last time that it was failing and recovered.
    """

    failures: int = 0
    last_reading_ms: int | None = None
    last_failure: str = ""
    last_failure_ms: int | None = None
    since_ms: int | None = None
    spell: Spell | None = None

    @property
    def status(self) -> Status:
        """`failing` after `FAILING_AFTER` slots in a row without a reading; `starting` while nothing is known."""
        if self.failures >= FAILING_AFTER:
            return Status.FAILING
        return Status.STARTING if self.last_reading_ms is None else Status.COLLECTING

    def succeeded(self, slot_ms: int) -> "Health":
        """After a reading."""
        spell = self.spell
        if self.status is Status.FAILING:
            spell = None if self.since_ms is None else Spell(self.since_ms, slot_ms, self.failures)
        return replace(self, failures=0, last_reading_ms=slot_ms, since_ms=None, spell=spell)

    def failed(self, slot_ms: int, what: str) -> "Health":
        """After a slot that was tried and has no reading; a `missed` slot says nothing about the device."""
        since_ms = self.since_ms if self.failures else slot_ms
        failures = self.failures + 1
        return replace(self, failures=failures, last_failure=what[:500], last_failure_ms=slot_ms, since_ms=since_ms)
