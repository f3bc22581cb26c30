"""docs/schema.md: every table of a migrated database, in pictures and in words."""

from collections.abc import Iterator, Mapping, Sequence

from handbook.diagrams import diagram_of, mermaid
from handbook.schema import Column, Relation, Schema
from handbook.tables import TOPICS, VIEWS, Topic

CORE = (
    "organization",
    "section",
    "batch",
    "chamber",
    "chamber_section",
    "schedule_epoch",
    "reading",
    "detector_set",
    "gap",
)
"""What a reader of ARCHITECTURE.md has to know."""
BEGIN, END = "<!-- make schema: begin -->", "<!-- make schema: end -->"
HEAD = """# The schema

What `chamberlog migrate` makes in the readings' database. `make schema` writes this page from a database that it has
migrated, and a test fails when it is stale. The remarks on columns are those of the migrations in
`adapters/postgres/migrations/`. Instants are `timestamptz`; whole numbers of milliseconds end in `_ms`.

In the pictures a line leads from a table to those whose rows refer to it. PK is a part of the primary key, FK of a
foreign one, UK of a unique one. A table without columns is drawn in full in another picture.
"""


class UnknownTableError(Exception):
    """A table or view stands under no topic, or a topic names one that there is not."""


def schema_page(schema: Schema, remarks: Mapping[tuple[str, str], str], topics: Sequence[Topic] = TOPICS) -> str:
    """The page's text.

    Args:
        schema: of a migrated database.
        remarks: on columns, by table and column.
        topics: how the tables are divided; every table stands in one.

    Raises:
        UnknownTableError: a table or view has no sentence here.
    """
    _complete(schema, topics)
    parts = [HEAD, "## At a glance\n", _fence(schema, list(schema.tables), keys_only=True, empty=True)]
    for topic in topics:
        parts += [f"## {topic.title}\n", f"{topic.text}\n", _fence(schema, list(topic.tables))]
        for name, text in topic.tables.items():
            parts += [f"### {name}\n", f"{text}\n", *_table(schema.tables[name], remarks)]
    parts.append("## Views\n")
    for name, text in VIEWS.items():
        parts += [f"### {name}\n", f"{text}\n", _columns(schema.views[name], {})]
    return "\n".join(parts)


def core_picture(schema: Schema) -> str:
    """The picture for ARCHITECTURE.md: the tables of a reading's life, by their keys."""
    return _fence(schema, CORE, keys_only=True)


def replaced(document: str, picture: str) -> str:
    """The document with the picture between its two marks.

    Raises:
        ValueError: the marks are missing.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the marks '{BEGIN}' and '{END}' are missing")
    return f"{before}{BEGIN}\n{picture}{END}{after}"


def _complete(schema: Schema, topics: Sequence[Topic]) -> None:
    told = {name for topic in topics for name in topic.tables} | VIEWS.keys()
    there = schema.tables.keys() | schema.views.keys()
    if told != there:
        wrong = ", ".join(sorted(told ^ there))
        raise UnknownTableError(f"{wrong}: say in handbook/tables.py what a row of it is, or take it out there")


def _fence(schema: Schema, tables: Sequence[str], *, keys_only: bool = False, empty: bool = False) -> str:
    diagram = diagram_of(schema, tables, keys_only=keys_only)
    if empty:
        linked = {name for link in diagram.links for name in (link.parent, link.child)}
        diagram.entities = {name: [] for name in diagram.entities if name in linked}
    return f"```mermaid\n{mermaid(diagram)}\n```\n"


def _table(table: Relation, remarks: Mapping[tuple[str, str], str]) -> Iterator[str]:
    yield _columns(table, remarks)
    rules = [f"- `{key.text}`" for key in table.constraints]
    rules += [f"- `{index}`" for index in table.indexes]
    rules += [f"- `{trigger}`" for trigger in table.triggers]
    if rules:
        yield "\n".join(rules) + "\n"


def _columns(table: Relation, remarks: Mapping[tuple[str, str], str]) -> str:
    if not any((table.name, column.name) in remarks or column.standard for column in table.columns):
        rows = [f"| `{column.name}` | {_type(column)} |" for column in table.columns]
        return "\n".join(["| column | type |", "|---|---|", *rows]) + "\n"
    rows = []
    for column in table.columns:
        remark = _cell(remarks.get((table.name, column.name), ""))
        rows.append(f"| `{column.name}` | {_type(column)} | {_standard(column)} | {remark} |")
    return "\n".join(["| column | type | if left out | |", "|---|---|---|---|", *rows]) + "\n"


def _type(column: Column) -> str:
    return f"`{column.type}`" if column.filled else f"`{column.type}`, may be NULL"


def _standard(column: Column) -> str:
    if not column.standard or " " in column.standard:
        return column.standard
    return f"`{column.standard}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
