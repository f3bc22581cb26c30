"""What is told of statements, connections and the writer's transactions, by a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
import pytest_asyncio

from adapters.postgres.pool import Postgres, Watch
from adapters.postgres.watching import OTHER, error_type, operation_of
from adapters.postgres.writer import PostgresOutcomes
from adapters.telemetry import OtelDatabaseMetrics, OtelWriterMetrics
from collector.domain.errors import AwayError, StoreRefusedError
from collector.ports.outcomes import SaveBatch
from tests.contract.ledger_rooms import enrolled, opened_rooms, reading, spec
from tests.unit.metric_points import Attributes, Points, at

DURATION, COUNT = "db.client.operation.duration", "db.client.connection.count"
SIZE, WRITES = "chamberlog.writer.batch.size", "chamberlog.writer.duration"


@pytest.fixture
def points() -> Points:
    return Points()


@pytest_asyncio.fixture
async def postgres(database: str, points: Points) -> AsyncIterator[Postgres]:
    pool = Postgres(database, size=3, watch=Watch(OtelDatabaseMetrics(points.provider), "ledger"))
    yield pool
    await pool.close()


def statement(operation: str, **more: str) -> Attributes:
    return at(db__system__name="postgresql", db__operation__name=operation, **more)


def connections(used: int, idle: int) -> dict[Attributes, float]:
    pool = {"db__client__connection__pool__name": "ledger"}
    return {
        at(db__client__connection__state="used", **pool): used,
        at(db__client__connection__state="idle", **pool): idle,
    }


async def test_statements_are_counted_by_their_first_word(postgres: Postgres, points: Points) -> None:
    async with postgres.connection() as connection:
        await connection.fetchval("SELECT 1")
        await connection.fetch("\n  select 2")
        await connection.fetchval("WITH t AS (SELECT 3) SELECT * FROM t")
        async with connection.transaction():
            await connection.execute("-- why\nUPDATE rolled_up SET through = through")
    await asyncio.sleep(0)
    assert points.values(DURATION) == {
        statement("SELECT"): 2,
        statement("WITH"): 1,
        statement("BEGIN"): 1,
        statement("UPDATE"): 1,
        statement("COMMIT"): 1,
    }


async def test_durations_are_what_the_caller_waits(postgres: Postgres, points: Points) -> None:
    async with postgres.connection() as connection:
        await connection.execute("SELECT pg_sleep(0.2)")
    await asyncio.sleep(0)
    assert 0.2 <= points.sum(DURATION) < 5


async def test_a_refused_statement_has_its_sqlstate(postgres: Postgres, points: Points) -> None:
    with pytest.raises(AwayError):
        async with postgres.connection() as connection:
            await connection.fetch("SELECT * FROM nowhere")
    with pytest.raises(asyncpg.PostgresError):
        async with postgres.connection() as connection:
            await connection.fetch("SELECT 1 / 0")
    await asyncio.sleep(0)
    assert points.values(DURATION) == {
        statement("SELECT", error__type="42P01"): 1,
        statement("SELECT", error__type="22012"): 1,
    }


async def test_connections_are_told_by_state(postgres: Postgres, points: Points) -> None:
    assert points.values(COUNT) == connections(0, 0), "none is made before it is needed"
    async with postgres.connection() as connection:
        await connection.execute("SELECT 1")
        async with postgres.connection() as other:
            await other.execute("SELECT 1")
            assert points.values(COUNT) == connections(2, 0)
    assert points.values(COUNT) == connections(0, 2)
    await postgres.close()
    assert points.values(COUNT) == connections(0, 0)


def test_words_are_bounded() -> None:
    assert operation_of("\n-- a comment\n  Insert INTO x") == "INSERT"
    assert operation_of("COMMIT;") == "COMMIT"
    assert [operation_of(text) for text in ("", "   ", "frobnicate 1", "--only this")] == [OTHER] * 4


def test_of_what_an_error_became_the_first_cause_counts() -> None:
    away = AwayError("PostgreSQL cannot be reached")
    away.__cause__ = ConnectionRefusedError()
    assert error_type(away) == "ConnectionRefusedError"
    assert error_type(asyncpg.UniqueViolationError("twice")) == "23505"
    assert error_type(TimeoutError()) == "TimeoutError"
    assert error_type(None) == ""


async def test_what_took_too_long_is_a_time_out_and_no_cancel() -> None:
    """`asyncio.timeout` cancels what it times, and names that as the cause."""
    with pytest.raises(TimeoutError) as raised:
        async with asyncio.timeout(0):
            await asyncio.sleep(1)
    assert isinstance(raised.value.__cause__, asyncio.CancelledError)
    away = AwayError("PostgreSQL is too slow")
    away.__cause__ = raised.value
    assert error_type(away) == error_type(raised.value) == "TimeoutError"


async def test_outcomes_of_one_transaction_are_counted_together(database: str, points: Points) -> None:
    async with opened_rooms(database) as rooms:
        chambers = [await enrolled(rooms, spec(f"c-{number}")) for number in range(5)]
        pool = Postgres(database)
        store = PostgresOutcomes(pool, metrics=OtelWriterMetrics(points.provider))
        first = [store.save(SaveBatch(c.spec.id, [reading(c.slot(0)), reading(c.slot(1))])) for c in chambers]
        await asyncio.gather(*first)
        await asyncio.gather(*(store.save(SaveBatch(c.spec.id, [reading(c.slot(2))])) for c in chambers))
        await store.close()
        await pool.close()
    assert points.values(SIZE) == {at(): 2}
    assert points.sum(SIZE) == 15
    assert points.values(WRITES) == {at(): 2}
    assert 0 < points.sum(WRITES) < 10


async def test_a_transaction_that_is_refused_has_an_error_and_no_size(points: Points) -> None:
    pool = Postgres("postgresql://nobody@127.0.0.1:1/none")
    store = PostgresOutcomes(pool, metrics=OtelWriterMetrics(points.provider))
    with pytest.raises(StoreRefusedError):
        await store.save(SaveBatch("nobody", [reading(0)]))
    await store.close()
    assert points.values(WRITES) == {at(error__type="ConnectionRefusedError"): 1}
    assert points.values(SIZE) == {}


async def test_poison_is_told_as_what_it_is_and_what_is_left_is_stored(database: str, points: Points) -> None:
    async with opened_rooms(database) as rooms:
        chamber = await enrolled(rooms, spec("poisoned"))
        pool = Postgres(database)
        store = PostgresOutcomes(pool, metrics=OtelWriterMetrics(points.provider))
        poison = replace(reading(chamber.slot(0)), spec_version=2**40)
        await store.save(SaveBatch(chamber.spec.id, [poison]))
        await store.close()
        await pool.close()
    told = points.values(WRITES)
    assert told.keys() == {at(), at(error__type="OverflowError")}, "the driver refused it before the server could"
    assert told[at()] == 1
    assert points.sum(SIZE) == 1
