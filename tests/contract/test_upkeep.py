"""`UpkeepLog`: the fleet in figures, over the twin and over PostgreSQL; then what only a database has to tell."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from adapters.memory import InMemoryLedger, InMemoryUpkeep
from adapters.postgres.pool import Postgres
from adapters.postgres.upkeep import PostgresUpkeep
from adapters.telemetry import OtelFleetMetrics
from collector.domain.errors import AwayError
from collector.ports import UpkeepLog
from collector.usecases.observe import ObserveFleet
from tests.contract.conftest import TestServer
from tests.contract.ledger_rooms import MINUTE, Rooms, enrolled, memory_rooms, now, opened_rooms, reading, spec
from tests.unit.metric_points import Points, at


@dataclass(frozen=True)
class Watched:
    """A ledger's ports, and the one that is tested."""

    rooms: Rooms
    upkeep: UpkeepLog


@pytest_asyncio.fixture
async def postgres(database: str) -> AsyncIterator[Postgres]:
    pool = Postgres(database, size=2)
    yield pool
    await pool.close()


@pytest_asyncio.fixture(params=["memory", "postgres"])
async def watched(request: pytest.FixtureRequest) -> AsyncIterator[Watched]:
    if request.param == "memory":
        ledger = InMemoryLedger()
        yield Watched(memory_rooms(ledger), InMemoryUpkeep(ledger))
        return
    server: TestServer = request.getfixturevalue("postgres_server")
    address = await server.database()
    pool = Postgres(address, size=2)
    async with opened_rooms(address) as rooms:
        yield Watched(rooms, PostgresUpkeep(pool))
    await pool.close()


async def test_chambers_are_counted_by_organization_and_status(watched: Watched) -> None:
    await watched.rooms.add_section("lab", "default")
    for name in ("a", "b"):
        await enrolled(watched.rooms, spec(name, organization="lab"))
    figures = await watched.upkeep.figures()
    assert {whose: count for (whose, _), count in figures.chambers.items()} == {"lab": 2}
    assert abs(figures.at_ms - now()) < MINUTE


async def test_the_lag_is_that_of_the_latest_chamber_less_its_interval(watched: Watched) -> None:
    for name, settled in (("prompt", 9), ("late", 2)):
        chamber = await enrolled(watched.rooms, spec(name))
        slots = [chamber.slot(number) for number in range(settled + 1)]
        await chamber.save(*(reading(slot) for slot in slots), settled=slots[-1])
        if name == "late":
            latest_ms = slots[-1]
    figures = await watched.upkeep.figures()
    assert figures.lags.keys() == {"default"}
    assert abs(figures.lags["default"] - (figures.at_ms - latest_ms - MINUTE)) <= 1_000
    assert figures.lags["default"] > 5 * MINUTE


async def test_what_is_settled_up_to_now_lags_by_nothing(watched: Watched) -> None:
    chamber = await enrolled(watched.rooms, spec("prompt"))
    await chamber.save(reading(chamber.slot(0)), settled=now())
    assert (await watched.upkeep.figures()).lags == {"default": 0}


async def test_notes_are_kept_by_kind_and_the_newest_counts(watched: Watched) -> None:
    await watched.upkeep.note("maintain", {"sealed": 1})
    await watched.upkeep.note("reconcile", {"orphan": 2})
    await watched.upkeep.note("reconcile", {"orphan": 0})
    figures = await watched.upkeep.figures()
    assert {kind: dict(note.counts) for kind, note in figures.upkeep.items()} == {
        "maintain": {"sealed": 1},
        "reconcile": {"orphan": 0},
    }
    assert all(abs(note.finished_ms - now()) < MINUTE for note in figures.upkeep.values())


# ---- the database


async def test_sizes_are_those_of_the_database_and_days_stand_together(postgres: Postgres) -> None:
    ledger = await PostgresUpkeep(postgres).ledger()
    async with postgres.connection() as connection:
        await connection.execute("SELECT ensure_partitions(current_date + 30, current_date + 32)")
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
        parts = await connection.fetchval(
            "SELECT sum(pg_total_relation_size(inhrelid))::bigint FROM pg_inherits "
            "WHERE inhparent = 'reading'::regclass"
        )
        gap = await connection.fetchval("SELECT pg_total_relation_size('gap')")
    again = await PostgresUpkeep(postgres).ledger()
    assert again.size == pytest.approx(size, rel=0.05)
    assert again.relations["reading"] == parts > ledger.relations["reading"]
    assert again.relations["gap"] == gap
    assert not [name for name in again.relations if name.startswith("reading_2")]


async def test_transactions_and_connections_are_counted(postgres: Postgres) -> None:
    upkeep = PostgresUpkeep(postgres)
    before = await upkeep.ledger()
    async with postgres.connection() as busy, busy.transaction():
        await busy.execute("SELECT 1")
        during = await upkeep.ledger()
    assert during.connections["idle_in_transaction"] == before.connections["idle_in_transaction"] + 1
    assert during.connections["active"] >= 1, "the one that asks"
    assert set(during.connections) == {
        "active",
        "idle",
        "idle_in_transaction",
        "idle_in_transaction_aborted",
        "other",
    }
    assert before.committed <= during.committed
    assert during.rolled_back >= before.rolled_back


async def test_how_far_the_hourly_figures_are_is_told(postgres: Postgres) -> None:
    async with postgres.connection() as connection:
        await connection.execute("UPDATE rolled_up SET through = clock_timestamp() - interval '90 minutes'")
    ledger = await PostgresUpkeep(postgres).ledger()
    assert ledger.at_ms - ledger.rolled_up_ms == pytest.approx(90 * MINUTE, abs=5_000)


async def test_statuses_are_shown_also_while_sizes_have_to_wait(database: str, postgres: Postgres) -> None:
    points = Points()
    async with opened_rooms(database) as rooms:
        await enrolled(rooms, spec("a"))
        observe = ObserveFleet(PostgresUpkeep(postgres), OtelFleetMetrics(points.provider))
        await observe()
        assert points.values("chamberlog.ledger.size")
        locker = Postgres(database, size=1)
        async with locker.connection() as connection, connection.transaction():
            await connection.execute("LOCK TABLE profile_offer IN ACCESS EXCLUSIVE MODE")
            await observe()
            assert points.values("chamberlog.ledger.size") == {}
            assert sum(points.values("chamberlog.chambers").values()) == 1
        await locker.close()
        await observe()
        assert points.values("chamberlog.ledger.size")


async def test_while_it_is_away_neither_is_known() -> None:
    nobody = Postgres("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(AwayError):
        await PostgresUpkeep(nobody).ledger()
    points = Points()
    await ObserveFleet(PostgresUpkeep(nobody), OtelFleetMetrics(points.provider))()
    assert points.values("chamberlog.chambers") == points.values("chamberlog.settled.lag") == {}
    assert points.values("chamberlog.database.connections") == {at(): 0} or not points.values(
        "chamberlog.database.connections"
    )
