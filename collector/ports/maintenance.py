"""What keeps a ledger in order over the years: partitions, hours, seals, and what is dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from collector.domain.sealing import SealedAccount, Sealing


@dataclass(frozen=True, slots=True)
class RolledUp:
    """What one portion of rolling up came to.

    Attributes:
        rows: hours of detectors that are new or have other figures now.
        complete: nothing is left but what was stored within the last minute.
    """

    rows: int
    complete: bool


class LedgerMaintenance(Protocol):
    """Keeps the whole ledger, of all organizations. Each call commits by itself; a second one changes nothing more."""

    async def now_ms(self) -> int:
        """The store's own clock: what is dropped is gone, so no worker's clock decides on it."""
        ...

    async def ensure_partitions(self, ahead_days: int) -> int:
        """Make room for the readings of yesterday, today and so many days; says for how many days it was made."""
        ...

    async def roll_up(self) -> RolledUp:
        """Compute anew every hour that got readings since the last call, however old their slots are.

        A portion at a time. A day that got a reading loses its seal: `days_to_seal` names it again.
        """
        ...

    async def days_to_seal(self, through: date) -> Sequence[date]:
        """Days up to this one, from the first that is retained, that have no seal, oldest first."""
        ...

    async def seal(self, day: date) -> Sealing:
        """Account for every chamber's day and keep the accounts with the digests of its readings.

        It is not sealed while a slot is unaccounted or overdue; a seal that it had is broken then. Again: what was
        stored meanwhile is in the seal. The seal of a dropped day is never touched.
        """
        ...

    async def seals(self, day: date) -> Mapping[str, SealedAccount]:
        """What is kept of a sealed day, by chamber id."""
        ...

    async def oldest_day(self) -> date | None:
        """The first day that was not dropped altogether; None while nothing was ever expected."""
        ...

    async def drop_day(self, day: date) -> str:
        """Drop the readings of a day; its seals, hours, gaps and epochs stay.

        Only the oldest day, only sealed (it is sealed anew first), and only with its hours rolled up. From then on
        outcomes of its slots are refused, and audits answer from its seals. A reading that is stored while it is
        dropped is not lost: the day stays, and a later call drops it. A call that was cut off is carried on by the
        next one.

        Returns:
            Why the day stays; empty when it is gone, or was before.
        """
        ...

    async def retained_from(self) -> int:
        """Readings of slots before this instant, ms, are gone; 0 = none is."""
        ...
