"""What a migrated database has: tables, columns, keys, views, triggers, as its own catalog says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import asyncpg

COLUMNS = """
SELECT c.relname AS relation, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS filled,
       CASE WHEN a.attidentity <> '' THEN 'numbered by the database'
            ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), '') END AS standard
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind = ANY($1::"char"[]) AND NOT c.relispartition
ORDER BY c.relname, a.attnum
"""
CONSTRAINTS = """
SELECT c.relname AS relation, k.conname AS name, k.contype::text AS kind, pg_get_constraintdef(k.oid) AS text,
       f.relname AS target, k.confdeltype::text AS on_delete,
       (SELECT array_agg(a.attname ORDER BY u.place) FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number) AS columns
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid AND NOT c.relispartition
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
LEFT JOIN pg_class f ON f.oid = k.confrelid
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND k.conparentid = 0
ORDER BY c.relname, position(k.contype::text IN 'pufxc'), pg_get_constraintdef(k.oid), k.conname
"""
INDEXES = """
SELECT t.relname AS relation, i.relname AS name, pg_get_indexdef(x.indexrelid) AS text
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class t ON t.oid = x.indrelid AND NOT t.relispartition
JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'public'
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid)
ORDER BY 1, 2
"""
TRIGGERS = """
SELECT c.relname AS relation, g.tgname AS name, pg_get_triggerdef(g.oid) AS text
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid AND NOT c.relispartition
WHERE NOT g.tgisinternal ORDER BY 1, 2
"""
SHORT_TYPES = {
    "timestamp with time zone": "timestamptz",
    "double precision": "float8",
    "double precision[]": "float8[]",
    "integer": "int",
}
"""As the migrations write them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or view.

    Attributes:
        name: as in SQL, without quotes.
        type: PostgreSQL's name of it, the short one where there is one.
        filled: it may not be NULL.
        standard: what it has when nothing is said; empty = NULL.
    """

    name: str
    type: str
    filled: bool
    standard: str


@dataclass(frozen=True, slots=True)
class Constraint:
    r"""A key or a rule.

    Attributes:
        kind: `p` primary key, `u` unique, `f` foreign key, `x` exclusion, `c` check.
        columns: of the table itself, in the order of the key.
        text: as `\d` shows it.
        target: of a foreign key: the other table; else None.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    text: str
    target: str | None


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or a view.

    Attributes:
        indexes: those that no constraint made, as SQL, by name.
        triggers: as SQL, by name.
    """

    name: str
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()

    def keys(self, kind: str) -> list[Constraint]:
        """Its constraints of one kind."""
        return [constraint for constraint in self.constraints if constraint.kind == kind]


@dataclass(frozen=True, slots=True)
class Schema:
    """All of it; partitions are their parent's and do not count."""

    tables: Mapping[str, Relation]
    views: Mapping[str, Relation]


async def read_schema(address: str) -> Schema:
    """Read the catalog; changes nothing.

    Args:
        address: DSN of a migrated database.
    """
    connection = await asyncpg.connect(address)
    try:
        tables = await connection.fetch(COLUMNS, [b"r", b"p"])
        views = await connection.fetch(COLUMNS, [b"v"])
        constraints = _by_relation(await connection.fetch(CONSTRAINTS))
        indexes = _by_relation(await connection.fetch(INDEXES))
        triggers = _by_relation(await connection.fetch(TRIGGERS))
    finally:
        await connection.close()
    return Schema(
        tables={
            name: Relation(
                name,
                tuple(_column(row) for row in rows),
                tuple(_constraint(row) for row in constraints.get(name, ())),
                tuple(_plain(row["text"]) for row in indexes.get(name, ())),
                tuple(_plain(row["text"]) for row in triggers.get(name, ())),
            )
            for name, rows in _by_relation(tables).items()
        },
        views={name: Relation(name, tuple(_column(row) for row in rows)) for name, rows in _by_relation(views).items()},
    )


def _by_relation(rows: Sequence[asyncpg.Record]) -> dict[str, list[asyncpg.Record]]:
    return {name: list(found) for name, found in groupby(rows, key=itemgetter("relation"))}


def _column(row: asyncpg.Record) -> Column:
    return Column(row["name"], SHORT_TYPES.get(row["type"], row["type"]), row["filled"], row["standard"])


def _constraint(row: asyncpg.Record) -> Constraint:
    return Constraint(row["name"], row["kind"], tuple(row["columns"] or ()), row["text"], row["target"])


def _plain(sql: str) -> str:
    """Without the name of the schema, which is the standard one."""
    return sql.replace(" public.", " ")
