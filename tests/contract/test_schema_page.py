"""docs/schema.md and the picture in ARCHITECTURE.md are of the schema that the migrations make."""

from pathlib import Path

import asyncpg
import pytest

from handbook.made import schema_pages
from handbook.migrations import remarks
from handbook.schema import read_schema
from handbook.schema_page import UnknownTableError, schema_page

ROOT = Path(__file__).parents[2]
REMARKS = remarks(ROOT / "adapters/postgres/migrations")


async def run(address: str, *statements: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_pages_are_fresh(database: str) -> None:
    for path, text in (await schema_pages(ROOT, database)).items():
        assert (ROOT / path).read_text("utf-8") == text, f"{path} is stale: make schema"


async def test_remarks_are_on_columns_that_there_are(database: str) -> None:
    tables = (await read_schema(database)).tables
    known = {(name, column.name) for name, table in tables.items() for column in table.columns}
    assert REMARKS.keys() - known == set()
    assert len(REMARKS) > 30


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("ALTER TABLE gap ADD COLUMN floor int NOT NULL DEFAULT 3", "| `floor` | `int` | `3` |  |"),
        ("ALTER TABLE gap ADD COLUMN seen timestamptz", "        timestamptz seen"),
        ("CREATE INDEX gap_by ON gap (by)", "- `CREATE INDEX gap_by ON gap USING btree (by)`"),
        ("ALTER TABLE gap ADD COLUMN other int REFERENCES chamber", '    chamber |o--o{ gap : "other"'),
        ("ALTER TABLE gap ADD COLUMN twin int UNIQUE REFERENCES chamber", '    chamber |o--o| gap : "twin"'),
    ],
)
async def test_a_change_of_the_schema_is_seen(database: str, statement: str, line: str) -> None:
    before = schema_page(await read_schema(database), REMARKS).splitlines()
    await run(database, statement)
    assert line not in before
    assert line in schema_page(await read_schema(database), REMARKS).splitlines()


async def test_a_partition_is_no_table_of_its_own(database: str) -> None:
    before = await read_schema(database)
    await run(database, "SELECT ensure_partitions('2031-01-01', '2031-01-02')")
    assert await read_schema(database) == before


async def test_a_table_of_which_nothing_is_said_is_refused(database: str) -> None:
    await run(database, "CREATE TABLE nameless (n int)")
    with pytest.raises(UnknownTableError, match=r"nameless: say in handbook/tables\.py"):
        schema_page(await read_schema(database), REMARKS)
