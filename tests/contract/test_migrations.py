"""Migrations: forward only, each once, and clear words when something is wrong."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.migrate import MigrationError, migrate
from collector.domain.errors import AwayError
from stack.ports import free_port
from tests.contract.conftest import TestServer

NO_PARTITIONS = "CREATE OR REPLACE FUNCTION ensure_partitions(date, date) RETURNS int LANGUAGE sql RETURN 0;"
"""`migrate` calls it when all files are applied."""


async def value(address: str, query: str) -> object:
    connection = await asyncpg.connect(address)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def write(folder: Path, **files: str) -> Path:
    for name, sql in files.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(f"{sql};\n{NO_PARTITIONS}")
    return folder


async def test_the_schema_has_its_first_organization_and_partitions(postgres_server: TestServer) -> None:
    address = await postgres_server.database("template0")
    steps: list[str] = []

    applied = await migrate(address, steps.append)

    assert applied == steps
    assert applied[0] == "0001_ledger.sql"
    assert await value(address, "SELECT organization || '/' || id FROM section") == "default/default"
    today = datetime.now(UTC).date()
    expected = [f"reading_{today + timedelta(days=n):%Y%m%d}" for n in range(-1, 3)]
    found = await value(
        address, "SELECT array_agg(relid::regclass::text ORDER BY 1) FROM pg_partition_tree('reading') WHERE isleaf"
    )
    assert found == expected


async def test_again_applies_nothing_and_two_at_once_apply_once(postgres_server: TestServer) -> None:
    address = await postgres_server.database("template0")
    both = await asyncio.gather(migrate(address), migrate(address))
    assert sorted(len(applied) for applied in both) == [0, len(max(both, key=len))]
    assert await migrate(address) == []


async def test_a_newer_file_is_applied_alone(postgres_server: TestServer, tmp_path: Path) -> None:
    address = await postgres_server.database("template0")
    write(tmp_path, m0001_one="CREATE TABLE one (n int)", m0002_two="CREATE TABLE two (n int)")
    assert await migrate(address, folder=tmp_path) == ["0001_one.sql", "0002_two.sql"]
    write(tmp_path, m0003_three="CREATE TABLE three (n int)")
    assert await migrate(address, folder=tmp_path) == ["0003_three.sql"]


async def test_an_older_release_leaves_a_newer_schema_alone(postgres_server: TestServer, tmp_path: Path) -> None:
    address = await postgres_server.database("template0")
    write(tmp_path, m0001_one="SELECT 1", m0002_two="SELECT 2")
    await migrate(address, folder=tmp_path)
    (tmp_path / "0002_two.sql").unlink()
    assert await migrate(address, folder=tmp_path) == []


async def test_a_changed_file_is_refused(postgres_server: TestServer, tmp_path: Path) -> None:
    address = await postgres_server.database("template0")
    await migrate(address, folder=write(tmp_path, m0001_one="SELECT 1"))
    with pytest.raises(MigrationError, match=r"0001_one\.sql was changed after it was applied; restore it"):
        await migrate(address, folder=write(tmp_path, m0001_one="SELECT 2"))


async def test_a_file_out_of_order_is_refused(postgres_server: TestServer, tmp_path: Path) -> None:
    address = await postgres_server.database("template0")
    await migrate(address, folder=write(tmp_path, m0002_two="SELECT 1"))
    with pytest.raises(MigrationError, match=r"0001_one\.sql is older than the newest applied migration"):
        await migrate(address, folder=write(tmp_path, m0001_one="SELECT 1"))


async def test_a_file_that_is_gone_is_missed(postgres_server: TestServer, tmp_path: Path) -> None:
    address = await postgres_server.database("template0")
    await migrate(address, folder=write(tmp_path, m0001_one="SELECT 1", m0002_two="SELECT 1"))
    (tmp_path / "0001_one.sql").unlink()
    with pytest.raises(MigrationError, match=r"0001_one\.sql was applied but its file is gone"):
        await migrate(address, folder=tmp_path)


@pytest.mark.parametrize("name", ["1_short.sql", "0001-dash.sql", "first.sql"])
async def test_names_are_checked(postgres_server: TestServer, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(MigrationError, match="name migrations like"):
        await migrate(await postgres_server.database("template0"), folder=tmp_path)


async def test_two_of_one_number_are_refused(postgres_server: TestServer, tmp_path: Path) -> None:
    write(tmp_path, m0001_one="SELECT 1", m0001_uno="SELECT 1")
    with pytest.raises(MigrationError, match="same number"):
        await migrate(await postgres_server.database("template0"), folder=tmp_path)


async def test_a_failing_file_leaves_nothing_behind(postgres_server: TestServer, tmp_path: Path) -> None:
    address = await postgres_server.database("template0")
    write(tmp_path, m0001_one="SELECT 1", m0002_bad="CREATE TABLE half (n int); SELECT nonsense")
    with pytest.raises(MigrationError, match=r"0002_bad\.sql failed, nothing of it was kept: 42703"):
        await migrate(address, folder=tmp_path)
    assert await value(address, "SELECT to_regclass('half')") is None
    assert await value(address, "SELECT array_agg(name) FROM schema_migration") == ["0001_one.sql"]


async def test_a_server_that_is_away_is_told_so() -> None:
    with pytest.raises(AwayError, match="cannot be reached"):
        await migrate(f"postgresql://u:p@127.0.0.1:{free_port()}/none")


async def test_a_wrong_password_is_told_so(postgres_server: TestServer) -> None:
    address = (await postgres_server.database("template0")).replace(":", ":wrong", 2).replace("wrong//", "//", 1)
    with pytest.raises(AwayError, match="28P01"):
        await migrate(address)


async def test_partitions_are_made_once_each(database: str) -> None:
    query = "SELECT ensure_partitions('2031-01-31', '2031-02-02')"
    made = await asyncio.gather(value(database, query), value(database, query))
    assert set(made) == {3, 0}
    bounds = await value(
        database, "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'reading_20310131'"
    )
    assert bounds == "FOR VALUES FROM ('2031-01-31 00:00:00+00') TO ('2031-02-01 00:00:00+00')"


async def test_only_built_in_extensions_are_used(database: str) -> None:
    assert await value(database, "SELECT array_agg(extname) FROM pg_extension") == ["plpgsql"]


@pytest.mark.parametrize("instant_ms", [0, 1, 999, 1_795_490_217_339, 4_102_444_799_999])
async def test_instants_are_exact_to_the_millisecond(database: str, instant_ms: int) -> None:
    assert await value(database, f"SELECT ms_of(instant_of({instant_ms}))") == instant_ms
    digits = f"to_char(instant_of({instant_ms}) AT TIME ZONE 'UTC', 'US')"
    assert await value(database, f"SELECT {digits}") == f"{instant_ms % 1000:03}000"
