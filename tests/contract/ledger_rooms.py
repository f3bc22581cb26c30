"""What the contract tests of the ledger share: both implementations behind one face, and short ways to say things."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from adapters.memory import (
    InMemoryAnswers,
    InMemoryBatches,
    InMemoryEvents,
    InMemoryHistory,
    InMemoryKeys,
    InMemoryLedger,
    InMemoryMaintenance,
    InMemoryOrganizations,
    InMemoryOutcomes,
    InMemoryProfiles,
    InMemoryRegistry,
    InMemorySections,
)
from adapters.postgres.answers import PostgresAnswers
from adapters.postgres.batches import PostgresBatches
from adapters.postgres.events import PostgresEvents
from adapters.postgres.history import PostgresHistory
from adapters.postgres.keys import PostgresKeys
from adapters.postgres.maintenance import LOCK_TIMEOUT, PostgresMaintenance
from adapters.postgres.organizations import PostgresOrganizations, PostgresSections
from adapters.postgres.pool import Postgres
from adapters.postgres.profiles import PostgresProfiles
from adapters.postgres.registry import PostgresRegistry
from adapters.postgres.writer import PostgresOutcomes
from collector.domain.cadence import Grid
from collector.domain.chamber import ChamberSpec
from collector.domain.outcome import Epoch, Gap, GapReason, Measurement, Outcome, Quality, Reading
from collector.domain.timerange import TimeRange
from collector.ports import (
    Batches,
    EventLog,
    KeyStore,
    LedgerMaintenance,
    LedgerReader,
    Organizations,
    OutcomeStore,
    ProfileLibrary,
    Registry,
    SaveBatch,
    SaveResult,
    Sections,
)
from collector.ports.registry import ChamberRecord

MINUTE = 60_000
HOUR = 60 * MINUTE


@dataclass(slots=True)
class Rooms:
    """The ports over one ledger, of either kind."""

    kind: str
    outcomes: OutcomeStore
    registry: Registry
    history: LedgerReader
    keys: KeyStore
    add_section: Callable[[str, str], Awaitable[None]]
    maintenance: LedgerMaintenance
    organizations: Organizations
    sections: Sections
    batches: Batches
    profiles: ProfileLibrary
    answers: InMemoryAnswers | PostgresAnswers
    events: EventLog


def memory_rooms(ledger: InMemoryLedger) -> Rooms:
    """The ports over a ledger in memory."""

    async def add_section(organization: str, section: str) -> None:
        ledger.add_section(organization, section)

    ports = (InMemoryOutcomes(ledger), InMemoryRegistry(ledger), InMemoryHistory(ledger), InMemoryKeys(ledger))
    entities = (InMemoryOrganizations(ledger), InMemorySections(ledger), InMemoryBatches(ledger))
    read = (InMemoryProfiles(ledger), InMemoryAnswers(ledger), InMemoryEvents(ledger))
    return Rooms("memory", *ports, add_section, InMemoryMaintenance(ledger, committed_ms=0), *entities, *read)


@asynccontextmanager
async def opened_rooms(address: str, timeout_s: float = 5.0) -> AsyncIterator[Rooms]:
    """The ports over a PostgreSQL database."""
    postgres = Postgres(address, timeout_s=timeout_s)
    upkeep = Postgres(address, size=2, timeout_s=timeout_s, settings=LOCK_TIMEOUT)
    outcomes, answers = PostgresOutcomes(postgres), PostgresAnswers(postgres, pace_s=0.01)

    async def add_section(organization: str, section: str) -> None:
        async with postgres.connection() as connection:
            await connection.execute("INSERT INTO organization (id) VALUES ($1) ON CONFLICT DO NOTHING", organization)
            await connection.execute("INSERT INTO section VALUES ($1, $2)", organization, section)

    try:
        ports = (outcomes, PostgresRegistry(postgres), PostgresHistory(postgres), PostgresKeys(postgres))
        entities = (PostgresOrganizations(postgres), PostgresSections(postgres), PostgresBatches(postgres))
        read = (PostgresProfiles(postgres), answers, PostgresEvents(postgres))
        maintenance = PostgresMaintenance(upkeep, committed=timedelta())
        yield Rooms("postgres", *ports, add_section, maintenance, *entities, *read)
    finally:
        await answers.close()
        await outcomes.close()
        await upkeep.close()
        await postgres.close()


def now() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


def spec(name: str, interval_ms: int = MINUTE, organization: str = "default", section: str = "default") -> ChamberSpec:
    """A chamber with nothing special."""
    return ChamberSpec(
        id=name,
        organization=organization,
        section=section,
        url="http://192.0.2.7/measures/current",
        profile="generic-json",
        interval_ms=interval_ms,
        timeout_ms=interval_ms // 2,
    )


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A chamber that was enrolled so long ago; `slot(0)` is its first one."""

    rooms: Rooms
    spec: ChamberSpec
    first_ms: int

    def slot(self, number: int) -> int:
        """The n-th slot since it was enrolled."""
        return self.first_ms + number * self.spec.interval_ms

    async def save(self, *outcomes: Outcome, settled: int | None = None) -> SaveResult:
        """Store outcomes of the chamber."""
        return await self.rooms.outcomes.save(SaveBatch(self.spec.id, outcomes, settled))

    async def settle(self, to_ms: int) -> None:
        """Say that every slot up to there has its outcome, whatever is there: what only a defect does."""
        before = gap(self.first_ms - 1, self.first_ms - 1, GapReason.MISSED)  # no slot: it accounts from here on
        await self.save(before, settled=to_ms)

    async def record(self) -> ChamberRecord:
        """Its row."""
        return await self.rooms.registry.find(self.spec.organization, self.spec.id)


async def enrolled(rooms: Rooms, wanted: ChamberSpec, ago_ms: int = HOUR) -> Enrolled:
    """Enrol a chamber whose first slot lies at least so long ago."""
    started_ms = now() - ago_ms
    first_ms = wanted.grid.at_or_before(started_ms)
    epoch = Epoch(first_ms, wanted.grid.interval_ms, wanted.grid.phase_ms, wanted.version)
    await rooms.registry.enrol(wanted, epoch, started_ms)
    return Enrolled(rooms, wanted, first_ms)


def reading(slot_ms: int, *values: float | None, late_ms: int = 0) -> Reading:
    """A reading with temperature, and whatever follows as `channel_1`, `channel_2`, ...; None = a bad channel."""
    names = ["temperature", *(f"channel_{n}" for n in range(1, len(values)))]
    units = ["Cel", *("%" for _ in values[1:])]
    measurements = tuple(
        Measurement(n, v, u, Quality.BAD if v is None else Quality.GOOD)
        for n, v, u in zip(names, values or (21.5,), units, strict=True)
    )
    return Reading(slot_ms, slot_ms + late_ms, slot_ms + late_ms + 20, measurements, 1)


def gap(first_ms: int, last_ms: int | None, reason: GapReason = GapReason.TIMEOUT, detail: str = "") -> Gap:
    """A gap run."""
    return Gap(first_ms, last_ms, reason, detail)


def epoch_after(grid: Grid, last_ms: int, version: int = 2) -> Epoch:
    """The epoch of a grid that begins with its first slot after the last one handed out."""
    return Epoch(grid.after(last_ms), grid.interval_ms, grid.phase_ms, version, last_ms)


def whole_past() -> TimeRange:
    """Everything until now."""
    return TimeRange(0, now())
