"""Audit events in PostgreSQL: the table itself refuses to change or lose a row."""

import json

import asyncpg

from adapters.cursors import read_cursor, write_cursor
from adapters.postgres.pool import Postgres
from collector.domain.errors import NotFoundError
from collector.domain.event_texts import each_text
from collector.domain.settling import clean
from collector.ports.events import AuditEvent, EventFilter, Outcome, Source
from collector.ports.paging import Page

ADD = """
INSERT INTO audit_event (at, organization, subject, action, source, outcome, target, reason, detail, claimed, address,
    key)
VALUES (coalesce(instant_of($1), date_trunc('milliseconds', clock_timestamp())), $2, $3, $4, $5, $6, $7, $8,
    $9::text::jsonb, $10, $11, $12)
ON CONFLICT (key) DO NOTHING
"""
"""Whole milliseconds: a cursor names an instant that is one of the table's."""
PAGE = """
SELECT id, ms_of(at) AS at_ms, organization, subject, action, source, outcome, target, reason, detail::text AS detail,
    claimed, address, key
FROM audit_event
WHERE organization = $1 AND ($2::text IS NULL OR target = $2) AND ($3::text IS NULL OR subject = $3)
    AND ($4::text IS NULL OR action = $4) AND ($5::bigint IS NULL OR at >= instant_of($5))
    AND ($6::bigint IS NULL OR at < instant_of($6))
    AND ($7::bigint IS NULL OR (at, id) < (instant_of($7), $8::bigint))
ORDER BY at DESC, id DESC LIMIT $9
"""


async def database_user(postgres: Postgres) -> str:
    """As whom this process speaks to the database.

    Raises:
        AwayError: it cannot be asked.
    """
    async with postgres.connection() as connection:
        return str(await connection.fetchval("SELECT session_user"))


class PostgresEvents:
    """`EventLog` over PostgreSQL."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, event: AuditEvent) -> None:
        """Keep it; see `EventLog.add`."""
        what = (clean(event.subject), event.action, event.source.value, event.outcome.value)
        # `json` writes NUL and lone surrogates as escapes, which PostgreSQL refuses: they go before
        said = (clean(event.target), clean(event.reason), json.dumps(each_text(event.detail, clean)))
        rest = (event.claimed, clean(event.address), event.key)
        async with self._postgres.connection() as connection:
            try:
                await connection.execute(ADD, event.at_ms or None, clean(event.organization), *what, *said, *rest)
            except asyncpg.ForeignKeyViolationError:
                raise NotFoundError(f"no organization {event.organization!r}") from None

    async def page(self, organization: str, wanted: EventFilter, limit: int, cursor: str | None) -> Page[AuditEvent]:
        """The newest first; see `EventLog.page`."""
        place = read_cursor(cursor, int, int) or (None, None)
        texts = (None if text is None else clean(text) for text in (wanted.target, wanted.subject, wanted.action))
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(
                PAGE, clean(organization), *texts, wanted.from_ms, wanted.to_ms, *place, limit + 1
            )
        items = [_event(row) for row in rows[:limit]]
        return Page(items, write_cursor(items[-1].at_ms, items[-1].id) if len(rows) > limit else None)


def _event(row: asyncpg.Record) -> AuditEvent:
    kinds = {"source": Source(row["source"]), "outcome": Outcome(row["outcome"]), "detail": json.loads(row["detail"])}
    return AuditEvent(**(dict(row) | kinds))
