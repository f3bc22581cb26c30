"""The writer of a process: rounds that save at the same time share a transaction."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextvars import Context
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import asyncpg

from adapters.postgres import outcome_queries as q
from adapters.postgres.availability import Availability
from adapters.postgres.hunting import store_piecewise
from adapters.postgres.live import KnownDetectors, store_live
from adapters.postgres.pool import Connection, Postgres, poison_state
from adapters.postgres.retention import Retention
from adapters.postgres.rows import names_and_units, reading_values
from adapters.postgres.spans import ADHOC, DECIDED, OUTCOMES, READINGS, group_span, sql_span
from adapters.postgres.storing import PartitionMissingError, find_sets, lock_chambers, part_of, store_parts
from adapters.postgres.waiting import Waiting, next_group
from adapters.postgres.watching import WriterMetrics, written
from collector.domain.errors import AwayError, StoreRefusedError
from collector.domain.outcome import Reading
from collector.domain.settling import clean
from collector.ports import NO_TRACING, Tracing
from collector.ports.outcomes import SaveBatch, SaveResult

T = TypeVar("T")

GROUP_TIMEOUT_S = 15.0
"""Three statements' time: what takes longer is given up and tried again by whoever holds the outcomes."""
PACE_S = 0.1
"""Two groups begin at least so far apart, unless `ENOUGH` wait: a save that comes alone is written at once, and under
load so many share a transaction that it costs each of them a tenth. No round waits for it: its next slot is far."""
ENOUGH = 25
"""More in one group are hardly cheaper, and all of them come back to the event loop together."""
UNKNOWN = (
    "chamber {!r} is not in the registry (was it restored from a dump?): enrol it again, then its outcomes are taken"
)


class PostgresOutcomes:
    """`OutcomeStore` over PostgreSQL; one per process.

    While PostgreSQL is known to be away every save is refused at once; one probe finds out when it is back.
    """

    def __init__(
        self,
        postgres: Postgres,
        pace_s: float = PACE_S,
        *,
        tracing: Tracing = NO_TRACING,
        metrics: WriterMetrics | None = None,
    ) -> None:
        self._postgres, self._pace_s, self._tracing = postgres, pace_s, tracing
        self._available = Availability(postgres.ping)
        self._waiting: list[Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._ensured: date | None = None
        self._known, self._retention = KnownDetectors(), Retention()
        self._began_s = -pace_s
        self._enough = asyncio.Event()
        self._metrics = metrics

    async def save(self, batch: SaveBatch) -> SaveResult:
        """Store the outcomes and move `settled_through`; see `OutcomeStore.save`. Again: nothing changes.

        Schedule changes are stored before readings and closed gap runs of the same batch.
        """
        self._refuse_while_away()
        waiting = Waiting(batch, self._tracing.here())
        self._waiting.append(waiting)
        if len(self._waiting) >= ENOUGH:
            self._enough.set()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="postgres-writer", context=Context())
        return await waiting.done

    async def save_adhoc(self, chamber_id: str, request_id: str, reading: Reading) -> None:
        """Store a reading off the grid; see `OutcomeStore.save_adhoc`. Again: nothing changes."""
        self._refuse_while_away()
        try:
            with sql_span(self._tracing, ADHOC):
                async with self._postgres.connection() as connection, connection.transaction():
                    await _store_adhoc(connection, chamber_id, request_id, reading)
        except AwayError as away:
            raise self._lost(away) from away

    async def decided_slots(self, chamber_id: str, first_ms: int, last_ms: int) -> frozenset[int]:
        """Slots that have an outcome; see `OutcomeStore.decided_slots`."""
        self._refuse_while_away()
        try:
            with sql_span(self._tracing, DECIDED):
                async with self._postgres.connection() as connection:
                    key = await _find_key(connection, chamber_id)
                    rows = await connection.fetch(q.DECIDED, key, first_ms, last_ms)
        except AwayError as away:
            raise self._lost(away) from away
        return frozenset(row["slot_ms"] for row in rows)

    async def wait_available(self) -> None:
        """Return when PostgreSQL answers; see `OutcomeStore.wait_available`."""
        await self._available.wait()

    async def close(self) -> None:
        """Finish what is being written, refuse what waits behind it, stop the probe."""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.answer(StoreRefusedError("this process ends; the outcome is kept by whoever handed it over"))
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)
        await self._available.close()

    def _refuse_while_away(self) -> None:
        if not self._available.here:
            raise StoreRefusedError(self._available.why)

    def _lost(self, away: AwayError) -> StoreRefusedError:
        if isinstance(away, StoreRefusedError):
            return away
        self._available.lost(str(away))
        self._known.forget()
        return StoreRefusedError(str(away))

    async def _write(self) -> None:
        while self._waiting:
            await self._pace()
            group, self._waiting = next_group(self._waiting)
            try:
                await self._store(await self._store_live(group))
            except BaseException as error:
                for waiting in (*group, *self._waiting):
                    waiting.answer(StoreRefusedError(f"the writer failed: {type(error).__name__}: {error}"))
                self._waiting.clear()
                raise

    async def _pace(self) -> None:
        clock = asyncio.get_running_loop().time
        delay_s = self._began_s + self._pace_s - clock()
        if delay_s > 0 and len(self._waiting) < ENOUGH:
            self._enough.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await self._enough.wait()
        self._began_s = clock()

    async def _store_live(self, group: Sequence[Waiting]) -> Sequence[Waiting]:
        """Store what is one plain reading each, all in one statement; answers with those that are left."""
        plain = [waiting for waiting in group if self._known.covers(waiting.batch)]
        if not plain:
            return group
        try:
            with self._told(READINGS, plain):
                async with asyncio.timeout(GROUP_TIMEOUT_S), self._postgres.connection() as connection:
                    await self._ensure_ahead(connection)
                    found = await store_live(connection, [waiting.batch for waiting in plain], _now_ms())
        except (AwayError, TimeoutError) as error:
            self._refuse(group, error)
            return ()
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if poison_state(error) is None:
                raise
            return group  # nothing is stored: the other path finds out whose fault it is
        self._available.worked()
        for waiting in group:
            if waiting.batch.chamber_id in found:
                waiting.answer(found[waiting.batch.chamber_id])
        return [waiting for waiting in group if waiting.batch.chamber_id not in found]

    def _refuse(self, group: Sequence[Waiting], error: Exception) -> None:
        refused = self._lost(AwayError(str(error) or f"the store took longer than {GROUP_TIMEOUT_S:g} s"))
        for waiting in group:
            waiting.answer(StoreRefusedError(str(refused)))

    async def _store(self, group: Sequence[Waiting]) -> None:
        if not group:
            return
        try:
            with self._told(OUTCOMES, group):
                async with asyncio.timeout(GROUP_TIMEOUT_S):
                    results = await self._store_group([w.batch for w in group])
        except (AwayError, TimeoutError) as error:
            self._refuse(group, error)
            return
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if poison_state(error) is None:
                raise
            await self._split(group)
            return
        self._available.worked()
        for waiting in group:
            result = results.get(waiting.batch.chamber_id)
            if result is not None:
                self._known.learn(waiting.batch, result)
            waiting.answer(result or _unknown(waiting.batch.chamber_id))

    async def _split(self, group: Sequence[Waiting]) -> None:
        """One of the group is poison: store its halves, and the one that is left piece by piece."""
        if len(group) > 1:
            half = len(group) // 2
            await self._store(group[:half])
            await self._store(group[half:])
            return
        try:
            batch = group[0].batch
            with self._told(OUTCOMES, group):
                async with asyncio.timeout(GROUP_TIMEOUT_S), self._postgres.connection() as connection:
                    result = await self._with_partitions(
                        connection, lambda retained_ms: store_piecewise(connection, batch, _now_ms(), retained_ms)
                    )
            group[0].answer(result or _unknown(group[0].batch.chamber_id))
        except (AwayError, TimeoutError) as error:
            group[0].answer(self._lost(AwayError(str(error) or "the store is too slow")))

    @contextlib.contextmanager
    def _told(self, summary: str, group: Sequence[Waiting]) -> Iterator[None]:
        """Around a transaction that stores a group: its span, and its measure."""
        outcomes = sum(len(waiting.batch.outcomes) for waiting in group)
        with group_span(self._tracing, summary, [waiting.trace for waiting in group]), written(self._metrics, outcomes):
            yield

    async def _store_group(self, batches: Sequence[SaveBatch]) -> dict[str, SaveResult]:
        async with self._postgres.connection() as connection:
            await self._ensure_ahead(connection)
            return await self._with_partitions(
                connection, lambda retained_ms: _store_batches(connection, batches, retained_ms)
            )

    async def _with_partitions(self, connection: Connection, store: Callable[[int], Awaitable[T]]) -> T:
        """Run a transaction, making the partitions of its readings' days when they are missing.

        Those of days that were dropped are not made: the next try learns from where on readings are retained.
        """
        made: set[date] = set()
        while True:
            try:
                return await store(await self._retention.from_ms(connection))
            except PartitionMissingError as missing:
                if made.issuperset(missing.days):
                    raise AwayError(f"PostgreSQL has no partition for {missing}, and it could not be made") from missing
                for day in missing.days:
                    await connection.execute(q.ENSURE_DAY, day, day)
                made.update(missing.days)

    async def _ensure_ahead(self, connection: Connection) -> None:
        today = datetime.now(UTC).date()
        if self._ensured != today:
            await connection.execute(q.ENSURE_DAY, today - timedelta(days=1), today + timedelta(days=2))
            self._ensured = today


async def _store_batches(
    connection: Connection, batches: Sequence[SaveBatch], retained_ms: int
) -> dict[str, SaveResult]:
    async with connection.transaction():
        rows = await lock_chambers(connection, (b.chamber_id for b in batches))
        now_ms = _now_ms()
        parts = [part_of(rows[b.chamber_id], b, now_ms, retained_ms) for b in batches if b.chamber_id in rows]
        await store_parts(connection, parts)
    return {part.row["id"]: part.result() for part in parts}


async def _store_adhoc(connection: Connection, chamber_id: str, request_id: str, reading: Reading) -> None:
    key = await _find_key(connection, chamber_id)
    detector_set = (await find_sets(connection, [reading]))[names_and_units(reading)]
    await connection.execute(q.ADD_DETECTORS, [key], [detector_set])
    await connection.execute(q.STORE_ADHOC, key, *reading_values(reading, detector_set), clean(request_id))


async def _find_key(connection: Connection, chamber_id: str) -> int:
    key = await connection.fetchval(q.FIND_KEY, clean(chamber_id))
    if key is None:
        raise _unknown(chamber_id)
    return int(key)


def _unknown(chamber_id: str) -> StoreRefusedError:
    return StoreRefusedError(UNKNOWN.format(chamber_id))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
