"""Every block of SQL in the documents is understood by a migrated database, and so is what psql is given there."""

import re
from pathlib import Path

import asyncpg
import pytest

from handbook.staging import FENCE, documents

ROOT = Path(__file__).parents[2]


def queries(markdown: str) -> list[str]:
    """Statements of blocks tagged `sql`, and those of `psql -c "..."` in blocks of a shell."""
    found = []
    for fence in FENCE.finditer(markdown):
        if fence[3] == "sql":
            found += [query for query in fence[4].split(";") if query.strip()]
        elif fence[3] == "sh":
            found += [two or one for two, one in re.findall(r"psql [^\n]*?-c (?:\"([^\"]*)\"|'([^']*)')", fence[4])]
    return found


SHOWN = [
    (path.relative_to(ROOT).as_posix(), query) for path in documents(ROOT) for query in queries(path.read_text("utf-8"))
]


@pytest.mark.parametrize(("document", "query"), SHOWN)
async def test_every_query_is_understood(document: str, query: str, database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        if not query.upper().startswith(("CREATE DATABASE", "DROP DATABASE")):
            await connection.execute(f"EXPLAIN {query}")
    finally:
        await connection.close()


def test_queries_are_found() -> None:
    page = '```sql\nSELECT 1;\nSELECT 2\n```\n\n```sh\npsql "$X" -c "SELECT\n  3"\npsql "$X" -c \'SELECT 4\'\n```\n'
    assert [query.split() for query in queries(page)] == [["SELECT", n] for n in "1234"]
    assert len(SHOWN) > 10
