"""Reading what was stored, from PostgreSQL."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from adapters.cursors import read_cursor, write_cursor
from adapters.detectors import named_detector
from adapters.postgres import history_queries as q
from adapters.postgres.batches import find_batch
from adapters.postgres.pool import Connection, Postgres
from adapters.postgres.rows import QUALITIES, Row, stored_reading_from
from adapters.postgres.sealing import AUDIT
from collector.domain.errors import NotFoundError
from collector.domain.organization import Batch
from collector.domain.outcome import GapReason
from collector.domain.sealing import hours_until, whole_days
from collector.domain.settling import LAST_INSTANT_MS, clean
from collector.domain.timerange import TimeRange
from collector.ports.history import Audit, BatchPart, Bin, DetectorRecord, GapRun, Lateness, StoredReading
from collector.ports.paging import Page

REPORT_TIMEOUT_S = 60.0
"""An audit of a fleet over months counts millions of readings; it blocks no writer."""
OFFENDERS = 20


class PostgresHistory:
    """`LedgerReader` over PostgreSQL."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def readings(
        self, organization: str, chamber_id: str, span: TimeRange, *, limit: int, cursor: str | None = None
    ) -> Page[StoredReading]:
        """Readings of the grid in the order of their slots; see `LedgerReader.readings`."""
        place, span = read_cursor(cursor, int), _keepable(span)
        first_ms = max(span.from_ms, int(place[0]) + 1) if place else span.from_ms
        async with self._postgres.connection() as connection:
            key = await _key(connection, organization, chamber_id)
            rows = await connection.fetch(q.READINGS, key, min(first_ms, LAST_INSTANT_MS), span.to_ms, limit + 1)
        items = [stored_reading_from(chamber_id, row) for row in rows[:limit]]
        return Page(items, write_cursor(items[-1].reading.slot_ms) if items and len(rows) > limit else None)

    async def bins(
        self, organization: str, chamber_id: str, detector: str, span: TimeRange, points: int
    ) -> Sequence[Bin]:
        """Equal bins of one detector; see `LedgerReader.bins`."""
        span = _keepable(span)
        async with self._postgres.connection() as connection:
            key = await _key(connection, organization, chamber_id)
            known = [DetectorRecord(**row) for row in await connection.fetch(q.DETECTORS, key)]
            name = named_detector(known, detector).name
            ends, width = (span.from_ms, span.to_ms), span.to_ms - span.from_ms
            values: Mapping[int, Row] = {}
            gaps: Mapping[int, str] = {}
            if width > 0:
                values = {r["bin"]: r for r in await _values(connection, (key, name), span, points)}
                gaps = {r["bin"]: r["reason"] for r in await connection.fetch(q.BIN_GAPS, key, *ends, points)}
        starts = [span.from_ms - (-i * width) // points for i in range(points)]
        return [_bin(start, values.get(i), gaps.get(i)) for i, start in enumerate(starts)]

    async def latest(self, organization: str, chamber_id: str) -> StoredReading | None:
        """The newest reading of the grid; see `LedgerReader.latest`."""
        async with self._postgres.connection() as connection:
            key = await _key(connection, organization, chamber_id)
            row = await connection.fetchrow(q.LATEST, key)
        return None if row is None else stored_reading_from(chamber_id, row)

    async def latest_of(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, StoredReading]:
        """The newest readings; see `LedgerReader.latest_of`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(q.LATEST_OF, clean(organization), [clean(name) for name in chamber_ids])
        return {row["id"]: stored_reading_from(row["id"], row) for row in rows}

    async def gaps(
        self, organization: str, chamber_id: str, span: TimeRange, *, limit: int, cursor: str | None = None
    ) -> Page[GapRun]:
        """Gap runs that touch the range; see `LedgerReader.gaps`."""
        place, span = read_cursor(cursor, int, int), _keepable(span)
        after = (min(int(place[0]), LAST_INSTANT_MS), min(int(place[1]), 2**62)) if place else (-1, -1)
        async with self._postgres.connection() as connection:
            key = await _key(connection, organization, chamber_id)
            rows = await connection.fetch(q.GAPS, key, span.from_ms, span.to_ms, *after, limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        items = [_gap_run(chamber_id, row) for row in rows[:limit]]
        return Page(items, write_cursor(last["first_ms"], last["id"]) if last else None)

    async def detectors(self, organization: str, chamber_id: str) -> Sequence[DetectorRecord]:
        """The chamber's detectors by name; see `LedgerReader.detectors`."""
        async with self._postgres.connection() as connection:
            key = await _key(connection, organization, chamber_id)
            rows = await connection.fetch(q.DETECTORS, key)
        return [DetectorRecord(**row) for row in rows]

    async def inactive_detectors(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Names of switched-off detectors; see `LedgerReader.inactive_detectors`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(q.INACTIVE, clean(organization), [clean(name) for name in chamber_ids])
        return {row["id"]: frozenset(row["names"]) for row in rows}

    async def batch_readings(
        self, organization: str, batch_id: str, wanted: BatchPart, *, limit: int, cursor: str | None = None
    ) -> Page[StoredReading]:
        """Readings of slots that lie in the batch; see `LedgerReader.batch_readings`."""
        place = read_cursor(cursor, str, int)
        after = (clean(str(place[0])), _cut(int(place[1]))) if place else ("", 0)
        chamber = None if wanted.chamber_id is None else clean(wanted.chamber_id)
        async with self._postgres.connection() as connection, connection.transaction(readonly=True):
            batch = await find_batch(connection, organization, batch_id)
            span = _within(batch, wanted.span)
            whose = (clean(organization), batch.section, span.from_ms, span.to_ms)
            await connection.execute(q.IN_ORDER)
            rows = await connection.fetch(q.BATCH_READINGS, *whose, *after, chamber, limit + 1)
        items = [stored_reading_from(row["id"], row) for row in rows[:limit]]
        last = items[-1] if items and len(rows) > limit else None
        return Page(items, write_cursor(last.chamber_id, last.reading.slot_ms) if last else None)

    async def audit(self, organization: str, chamber_id: str | None, span: TimeRange, now_ms: int) -> Audit:
        """The proof for one chamber, or for all of the organization; see `LedgerReader.audit`.

        One snapshot: nothing that is stored or dropped meanwhile can be counted twice or not at all.
        """
        whose = (organization, chamber_id)
        async with self._postgres.connection() as connection:
            if chamber_id is not None:
                await _key(connection, organization, chamber_id)
            async with _steady(connection) as retained:
                cut = whole_days(TimeRange(span.from_ms, min(span.to_ms, now_ms)), retained["from_ms"])
                first_ms = await connection.fetchval(q.FIRST_SLOT, *whose)
                rows = await _fates(connection, whose, cut, (retained["from_ms"], min(now_ms, LAST_INSTANT_MS)))
        return _audit(cut, rows, span.from_ms if first_ms is None else max(first_ms, retained["from_ms"]))

    async def lateness(self, organization: str, span: TimeRange) -> Lateness | None:
        """Lateness of the organization's readings; see `LedgerReader.lateness`."""
        ends = _keepable(span)
        async with self._postgres.connection() as connection:
            late = await connection.fetchval(
                q.LATENESS, organization, ends.from_ms, ends.to_ms, timeout=REPORT_TIMEOUT_S
            )
        return None if late is None else Lateness(*late)


@asynccontextmanager
async def _steady(connection: Connection) -> AsyncIterator[Row]:
    """One snapshot, and what is retained in it: no day that it has is dropped while it is read."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(q.HOLD_PARTITIONS)
        retained = await connection.fetchrow(q.RETAINED)
        assert retained is not None
        yield retained


async def _fates(
    connection: Connection, whose: tuple[str, str | None], cut: TimeRange, instants: tuple[int, int]
) -> list[Row]:
    """Fates of slots: of days that were dropped from their seals, else from readings and gaps."""
    retained_ms, now_ms = instants
    dropped = _keepable(TimeRange(cut.from_ms, min(cut.to_ms, retained_ms)))
    kept = _keepable(TimeRange(max(cut.from_ms, retained_ms), cut.to_ms))
    rows = list(await connection.fetch(AUDIT, *whose, kept.from_ms, kept.to_ms, now_ms, timeout=REPORT_TIMEOUT_S))
    if dropped.from_ms < dropped.to_ms:
        rows += await connection.fetch(q.SEALED, *whose, dropped.from_ms, dropped.to_ms)
    return rows


async def _values(connection: Connection, what: tuple[int, str], span: TimeRange, points: int) -> Sequence[Row]:
    """Bins of a detector, from readings, or from hours where the range is long or readings were dropped."""
    async with _steady(connection) as retained:
        until_ms = hours_until(span, points, retained["from_ms"])
        if until_ms <= span.from_ms:
            return await connection.fetch(q.BINS, *what, span.from_ms, span.to_ms, points)
        ends = (span.from_ms, span.to_ms, points, retained["from_ms"], until_ms)
        return await connection.fetch(q.BINS_BY_HOUR, *what, *ends, retained["rolled_up"], timeout=REPORT_TIMEOUT_S)


async def _key(connection: Connection, organization: str, chamber_id: str) -> int:
    key = await connection.fetchval(q.FIND_KEY, organization, clean(chamber_id))
    if key is None:
        raise NotFoundError(f"no chamber {chamber_id!r}")
    return int(key)


def _keepable(span: TimeRange) -> TimeRange:
    """The range within what PostgreSQL can compare: nothing is stored outside."""
    low, high = (_cut(edge) for edge in (span.from_ms, span.to_ms))
    return TimeRange(low, max(low, high))


def _within(batch: Batch, span: TimeRange | None) -> TimeRange:
    """The slots of a batch that lie in the range."""
    ends = (batch.started_ms, LAST_INSTANT_MS if batch.ended_ms is None else batch.ended_ms)
    if span is not None:
        ends = (max(ends[0], span.from_ms), min(ends[1], span.to_ms))
    return _keepable(TimeRange(*ends))


def _cut(instant_ms: int) -> int:
    return max(0, min(instant_ms, LAST_INSTANT_MS))


def _bin(start_ms: int, row: Row | None, gap: str | None) -> Bin:
    reason = None if gap is None else GapReason(gap)
    if row is None:
        return Bin(start_ms, None, None, None, 0, None, reason)
    figures = (row["minimum"], row["mean"], row["maximum"], row["count"])
    return Bin(start_ms, *figures, QUALITIES[row["worst"]], reason)


def _gap_run(chamber_id: str, row: Row) -> GapRun:
    ends = (row["first_ms"], row["last_ms"])
    texts = (row["detail"], row["by"], row["until_ms"])
    return GapRun(chamber_id, *ends, GapReason(row["reason"]), *texts, row["slots"], row["recorded_ms"])


def _audit(cut: TimeRange, rows: Sequence[Row], retained_ms: int) -> Audit:
    fates: Counter[str] = Counter()
    chambers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        fates[row["fate"]] += row["slots"]
        chambers[row["id"]][row["fate"]] += row["slots"]
    bad = [(name, c["unaccounted"], c["overdue"]) for name, c in chambers.items() if c["unaccounted"] or c["overdue"]]
    return Audit(
        from_ms=cut.from_ms,
        to_ms=cut.to_ms,
        chambers=sum(1 for c in chambers.values() if c["expected"]),
        expected=fates["expected"],
        stored=fates["stored"],
        gaps={reason: fates[reason] for reason in GapReason if fates[reason]},
        unaccounted=fates["unaccounted"],
        overdue=fates["overdue"],
        pending=fates["pending"],
        retained_from_ms=retained_ms,
        offenders=tuple(sorted(bad, key=lambda b: (-b[1], -b[2], b[0]))[:OFFENDERS]),
    )
