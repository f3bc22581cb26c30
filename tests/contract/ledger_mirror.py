"""The memory twins and a real PostgreSQL side by side: every call goes to both, and both must answer alike.

The twins live in time that jumps, the server in real time: its calls run in a loop of their own, in a thread, while the
model's time stands still. The twin answers first; while it plays a server that is away, the real one is not asked.
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence, Set
from dataclasses import replace
from typing import Any, TypeVar

from adapters.memory import InMemoryLedger
from adapters.postgres.history import PostgresHistory
from adapters.postgres.pool import Postgres
from adapters.postgres.registry import PostgresRegistry
from adapters.postgres.writer import PostgresOutcomes
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.errors import ChamberlogError
from collector.domain.outcome import Epoch, Reading
from collector.domain.timerange import TimeRange
from collector.ports import (
    CHANGEABLE,
    ActiveChamber,
    Audit,
    ChamberFilter,
    ChamberRecord,
    DetectorRecord,
    Page,
    SaveBatch,
    SaveResult,
    Standing,
)
from tests.unit.ledger_world import ModelPorts, memory_ports

T = TypeVar("T")
ANSWER_S = 30.0
MOST = 10_000
EPOCHS = """
SELECT ms_of(e.first_slot), ms_of(e.last_slot), e.interval_ms, e.phase_ms, e.final, e.decided_ms
FROM schedule_epoch e JOIN chamber c ON c.key = e.chamber WHERE c.id = $1 ORDER BY e.first_slot
"""


class RealTime:
    """A loop in a thread, for servers that know nothing of the model's time."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the answer; nothing else of this thread runs meanwhile."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_S)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_S)
        self._loop.close()


class Mirror:
    """The ports over one PostgreSQL database, beside those of the twins; only within `call` of a `RealTime`.

    A new run of the model needs a chamber that the database does not know: `clear` forgets all.
    """

    def __init__(self, real: RealTime, address: str) -> None:
        self._real = real
        self.postgres = Postgres(address)
        self.outcomes = real.call(_made(self.postgres))
        self.registry, self.history = PostgresRegistry(self.postgres), PostgresHistory(self.postgres)

    def close(self) -> None:
        """Close the connections."""
        self._real.call(self.outcomes.close())
        self._real.call(self.postgres.close())

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """See `RealTime.call`."""
        return self._real.call(work)

    def clear(self) -> None:
        """Forget every chamber; what the writer learned of its detectors is forgotten by a new writer."""
        self.call(self._execute("TRUNCATE chamber, detector_set CASCADE"))
        self.call(self.outcomes.close())
        self.outcomes = self.call(_made(self.postgres))

    def epochs(self, chamber_id: str) -> list[tuple[object, ...]]:
        """Its epochs in their order."""
        return [tuple(row) for row in self.call(self._fetch(EPOCHS, chamber_id))]

    async def _execute(self, statement: str) -> None:
        async with self.postgres.connection() as connection:
            await connection.execute(statement)

    async def _fetch(self, statement: str, *values: object) -> list[Any]:
        async with self.postgres.connection() as connection:
            return list(await connection.fetch(statement, *values))


async def _made(postgres: Postgres) -> PostgresOutcomes:
    return PostgresOutcomes(postgres, pace_s=0.0)


def mirrored_ports(ledger: InMemoryLedger, mirror: Mirror) -> ModelPorts:
    """The twins' ports, each call compared with the server's answer."""
    twins = memory_ports(ledger)
    return ModelPorts(MirroredOutcomes(twins, mirror), MirroredRegistry(twins, mirror), MirroredHistory(twins, mirror))


class MirroredOutcomes:
    """`OutcomeStore` over both."""

    def __init__(self, twins: ModelPorts, mirror: Mirror) -> None:
        self._twin, self._mirror = twins.outcomes, mirror

    async def save(self, batch: SaveBatch) -> SaveResult:
        result = await self._twin.save(batch)
        real = self._mirror.call(self._mirror.outcomes.save(batch))
        assert real == result, f"PostgreSQL answers {real}, its twin {result} to {batch}"
        return result

    async def save_adhoc(self, chamber_id: str, request_id: str, reading: Reading) -> None:
        await self._twin.save_adhoc(chamber_id, request_id, reading)
        self._mirror.call(self._mirror.outcomes.save_adhoc(chamber_id, request_id, reading))

    async def decided_slots(self, chamber_id: str, first_ms: int, last_ms: int) -> frozenset[int]:
        slots = await self._twin.decided_slots(chamber_id, first_ms, last_ms)
        real = self._mirror.call(self._mirror.outcomes.decided_slots(chamber_id, first_ms, last_ms))
        assert real == slots, f"PostgreSQL knows {sorted(real)}, its twin {sorted(slots)}"
        return slots

    async def wait_available(self) -> None:
        await self._twin.wait_available()


class MirroredRegistry:
    """`Registry` over both; they may differ in when rows were written, and in who is stale."""

    def __init__(self, twins: ModelPorts, mirror: Mirror) -> None:
        self._twin, self._mirror = twins.registry, mirror

    async def has_section(self, organization: str, section: str) -> bool:
        return await self._twin.has_section(organization, section)

    async def sections(self, organization: str) -> Sequence[str]:
        return await self._twin.sections(organization)

    async def page(
        self, organization: str, wanted: ChamberFilter, limit: int, cursor: str | None
    ) -> Page[ChamberRecord]:
        return await self._twin.page(organization, wanted, limit, cursor)

    async def active(self, organization: str, at_most: int) -> Sequence[ActiveChamber]:
        return await self._twin.active(organization, at_most)

    async def standings(self, organization: str, section: str | None, text: str | None) -> Sequence[Standing]:
        found = await self._twin.standings(organization, section, text)
        real = self._mirror.call(self._mirror.registry.standings(organization, section, text))
        told = [replace(standing, status="") for standing in real]
        assert told == [replace(standing, status="") for standing in found], f"PostgreSQL has {real}, its twin {found}"
        return found

    async def enrol(self, spec: ChamberSpec, epoch: Epoch, now_ms: int, trace: str = "") -> ChamberRecord:
        return await self._both("enrol", spec, epoch, now_ms, trace)

    async def find(self, organization: str, chamber_id: str) -> ChamberRecord:
        return await self._both("find", organization, chamber_id)

    async def change_spec(self, spec: ChamberSpec, expected_version: int) -> ChamberRecord:
        return await self._both("change_spec", spec, expected_version)

    async def change_pause(self, organization: str, chamber_id: str, pause: Pause | None) -> ChamberRecord:
        return await self._both("change_pause", organization, chamber_id, pause)

    async def retire(self, organization: str, chamber_id: str) -> ChamberRecord:
        return await self._both("retire", organization, chamber_id)

    async def change_detector(
        self, organization: str, chamber_id: str, wanted: DetectorRecord, given: Set[str] = CHANGEABLE
    ) -> DetectorRecord:
        changed = await self._twin.change_detector(organization, chamber_id, wanted, given)
        real = self._mirror.call(self._mirror.registry.change_detector(organization, chamber_id, wanted, given))
        assert real == changed, f"PostgreSQL has {real}, its twin {changed}"
        return changed

    async def _both(self, method: str, *values: object) -> ChamberRecord:
        try:
            record: ChamberRecord = await getattr(self._twin, method)(*values)
        except ChamberlogError as error:
            if not self._here():
                raise
            self._refused_as_well(error, method, values)
            raise
        real = self._mirror.call(getattr(self._mirror.registry, method)(*values))
        assert timeless(real) == timeless(record), f"{method}: PostgreSQL has {real}, its twin {record}"
        return record

    def _here(self) -> bool:
        ledger: InMemoryLedger = self._twin._ledger  # type: ignore[attr-defined]  # the port has none
        return not ledger.away

    def _refused_as_well(self, error: ChamberlogError, method: str, values: tuple[object, ...]) -> None:
        try:
            self._mirror.call(getattr(self._mirror.registry, method)(*values))
        except type(error):
            return
        raise AssertionError(f"{method}: PostgreSQL accepts what its twin refuses: {error}")


class MirroredHistory:
    """The part of `LedgerReader` that the model reads: the proof."""

    def __init__(self, twins: ModelPorts, mirror: Mirror) -> None:
        self._twin, self._mirror = twins.history, mirror

    async def audit(self, organization: str, chamber_id: str | None, span: TimeRange, now_ms: int) -> Audit:
        audit = await self._twin.audit(organization, chamber_id, span, now_ms)
        real = self._mirror.call(self._mirror.history.audit(organization, chamber_id, span, now_ms))
        assert counted(real) == counted(audit), f"PostgreSQL proves {real}, its twin {audit}"
        return audit


def counted(audit: Audit) -> Audit:
    """The proof without reasons that count nothing."""
    return replace(audit, gaps={reason: slots for reason, slots in audit.gaps.items() if slots})


def timeless(record: ChamberRecord) -> ChamberRecord:
    """The record without what the wall clock decides."""
    retired = None if record.retired_ms is None else 0
    lasting = record.status if record.status in ("retiring", "retired") else ""
    return replace(record, retired_ms=retired, status=lasting)
