"""Keeping the ledger in order, in memory."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from adapters.memory.audit import account_of
from adapters.memory.curves import figures_of
from adapters.memory.ledger import InMemoryLedger, KeptChamber, KeptReading
from collector.domain.outcome import Reading
from collector.domain.sealing import (
    HOUR_MS,
    SealedAccount,
    Sealing,
    day_of,
    digest_of,
    first_ms_of,
    next_day,
    span_of,
)
from collector.ports.maintenance import RolledUp

OFFENDERS = 5
COMMITTED_MS = 60_000


class InMemoryMaintenance:
    """`LedgerMaintenance` over an `InMemoryLedger`. Partitions are only counted.

    Args:
        ledger: of all organizations.
        committed_ms: what was stored within so long is left to the next rolling up.
    """

    def __init__(self, ledger: InMemoryLedger, committed_ms: int = COMMITTED_MS) -> None:
        self._ledger, self._committed_ms = ledger, committed_ms

    async def now_ms(self) -> int:
        """The ledger's clock; see `LedgerMaintenance.now_ms`."""
        self._ledger.check_here()
        return self._ledger.now_ms()

    async def ensure_partitions(self, ahead_days: int) -> int:
        """Remember for which days there is room; see `LedgerMaintenance.ensure_partitions`."""
        today = day_of(await self.now_ms())
        wanted = {today + timedelta(days=ahead) for ahead in range(-1, ahead_days + 1)}
        made = len(wanted - self._ledger.partitions)
        self._ledger.partitions |= wanted
        return made

    async def roll_up(self) -> RolledUp:
        """Everything in one portion; see `LedgerMaintenance.roll_up`."""
        until_ms = await self.now_ms() - self._committed_ms
        rows = 0
        for kept in self._ledger.chambers.values():
            for hour_ms, readings in self._touched(kept, until_ms).items():
                self._ledger.sealed.pop(day_of(hour_ms), None)
                rows += _roll_up_hour(kept, hour_ms, readings)
        self._ledger.rolled_up_ms = max(self._ledger.rolled_up_ms, until_ms)
        return RolledUp(rows, complete=True)

    async def days_to_seal(self, through: date) -> Sequence[date]:
        """Days without a seal; see `LedgerMaintenance.days_to_seal`."""
        first = self._first_day()
        if first is None:
            return []
        days = (first + timedelta(days=n) for n in range((through - first).days + 1))
        return [day for day in days if day not in self._ledger.sealed]

    async def seal(self, day: date) -> Sealing:
        """Account for a day; see `LedgerMaintenance.seal`."""
        now_ms, span = await self.now_ms(), span_of(day)
        if span.from_ms < self._ledger.retained_from_ms:
            return Sealing(day)
        found = {name: account_of(kept, span, now_ms) for name, kept in self._ledger.chambers.items()}
        unaccounted = sum(a.unaccounted for a in found.values())
        overdue = sum(a.overdue + a.pending for a in found.values())
        if unaccounted or overdue:
            self._ledger.sealed.pop(day, None)
            offenders = sorted(n for n, a in found.items() if a.unaccounted or a.overdue or a.pending)
            return Sealing(day, unaccounted, overdue, tuple(offenders[:OFFENDERS]))
        readings = {name: _readings_of(kept, day) for name, kept in self._ledger.chambers.items()}
        seals = {
            name: SealedAccount(a.expected, a.stored, dict(a.gaps), _digest(readings[name]))
            for name, a in found.items()
            if a.expected or readings[name]
        }
        changed = self._ledger.sealed.get(day) != seals
        self._ledger.sealed[day] = seals
        return Sealing(day, changed=changed)

    async def seals(self, day: date) -> Mapping[str, SealedAccount]:
        """What is kept of a day; see `LedgerMaintenance.seals`."""
        self._ledger.check_here()
        return self._ledger.sealed.get(day, {})

    async def oldest_day(self) -> date | None:
        """The first day that is not dropped; see `LedgerMaintenance.oldest_day`."""
        self._ledger.check_here()
        return self._first_day()

    async def drop_day(self, day: date) -> str:
        """Drop the readings of a day; see `LedgerMaintenance.drop_day`."""
        first = self._first_day()
        if first_ms_of(day) < self._ledger.retained_from_ms:
            return ""
        if first is not None and day > first:
            return f"{day}: {first} is older and goes first"
        doomed = [(kept, r) for kept in self._ledger.chambers.values() for r in _readings_of(kept, day)]
        if any(r.stored_ms >= self._ledger.rolled_up_ms for _, r in doomed):
            return f"{day}: readings of it are not rolled up yet"
        sealing = await self.seal(day)
        if not sealing.sealed:
            return str(sealing)
        self._ledger.retained_from_ms = first_ms_of(next_day(day))
        for kept, reading in doomed:
            del kept.readings[reading.reading.slot_ms]
        return ""

    async def retained_from(self) -> int:
        """Where readings begin; see `LedgerMaintenance.retained_from`."""
        self._ledger.check_here()
        return self._ledger.retained_from_ms

    def _first_day(self) -> date | None:
        firsts = [e.first_ms for kept in self._ledger.chambers.values() for e in kept.epochs]
        return day_of(max(min(firsts), self._ledger.retained_from_ms)) if firsts else None

    def _touched(self, kept: KeptChamber, until_ms: int) -> dict[int, list[Reading]]:
        since_ms = self._ledger.rolled_up_ms
        touched = {s // HOUR_MS * HOUR_MS for s, r in kept.readings.items() if since_ms <= r.stored_ms < until_ms}
        hours: defaultdict[int, list[Reading]] = defaultdict(list)
        for slot_ms, stored in kept.readings.items():
            if slot_ms // HOUR_MS * HOUR_MS in touched:
                hours[slot_ms // HOUR_MS * HOUR_MS].append(stored.reading)
        return hours


def _roll_up_hour(kept: KeptChamber, hour_ms: int, readings: Sequence[Reading]) -> int:
    changed = 0
    for detector in {m.name for reading in readings for m in reading.measurements}:
        figures = figures_of(readings, detector)
        if figures is not None and kept.hours.get((detector, hour_ms)) != figures:
            kept.hours[detector, hour_ms] = figures
            changed += 1
    return changed


def _readings_of(kept: KeptChamber, day: date) -> list[KeptReading]:
    span = span_of(day)
    return [kept.readings[s] for s in sorted(kept.readings) if span.from_ms <= s < span.to_ms]


def _digest(readings: Sequence[KeptReading]) -> bytes:
    return digest_of((r.reading, r.stored_ms) for r in readings)
