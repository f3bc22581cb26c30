"""Sealing a day in PostgreSQL: one snapshot, accounted for and digested."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from adapters.postgres import maintenance_queries as q
from adapters.postgres.history_queries import HOLD_PARTITIONS
from adapters.postgres.pool import Connection
from adapters.postgres.rows import Row
from collector.domain.outcome import GapReason
from collector.domain.sealing import SealedAccount, Sealing, first_ms_of, span_of

AUDIT = (Path(__file__).parent / "audit.sql").read_text(encoding="utf-8")
DAY_TIMEOUT_S = 600.0
"""A day of a large fleet is read whole, twice; no writer waits for it."""
OFFENDERS = 5
EMPTY = hashlib.sha256(b"").digest()
Fates = Mapping[str, Counter[str]]


async def seal_day(connection: Connection, day: date) -> Sealing:
    """Seal one day of every chamber, or break its seal; see `LedgerMaintenance.seal`.

    It runs in a transaction of its own on one snapshot, and no day that it has is detached meanwhile: accounts and
    digests are of the same readings, and those of a dropped day are never replaced by accounts of nothing.
    """
    async with connection.transaction(isolation="repeatable_read"):
        await connection.execute(HOLD_PARTITIONS)
        if first_ms_of(day) < await connection.fetchval(q.RETAINED_FROM):
            return Sealing(day)
        now_ms = await connection.fetchval(q.NOW)
        fates = await _fates(connection, day, now_ms)
        unfinished = _unfinished(day, fates)
        if not unfinished.sealed:
            await connection.execute(q.BREAK_SEAL, day)
            return unfinished
        digests = await connection.fetch(q.DAY_DIGESTS, day, timeout=DAY_TIMEOUT_S)
        keys = {row["id"]: row["key"] for row in await connection.fetch(q.KEYS)}
        accounts = _accounts({keys[name]: counts for name, counts in fates.items()}, digests)
        changed = await connection.fetchval(q.KEEP_SEALS, day, *_columns(accounts), now_ms)
    return Sealing(day, changed=changed)


def seal_from(row: Row) -> SealedAccount:
    """The account of a row of `SEALS`."""
    gaps = {GapReason(reason): slots for reason, slots in json.loads(row["gaps"]).items()}
    return SealedAccount(row["expected"], row["stored"], gaps, row["sha256"])


async def _fates(connection: Connection, day: date, now_ms: int) -> Fates:
    span = span_of(day)
    rows = await connection.fetch(AUDIT, None, None, span.from_ms, span.to_ms, now_ms, timeout=DAY_TIMEOUT_S)
    fates: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        fates[row["id"]][row["fate"]] += row["slots"]
    return fates


def _unfinished(day: date, fates: Fates) -> Sealing:
    """A day that is not over by far has pending slots: they count as overdue here."""
    late = {name: counts["overdue"] + counts["pending"] for name, counts in fates.items()}
    unaccounted = {name: counts["unaccounted"] for name, counts in fates.items()}
    offenders = sorted(name for name in fates if late[name] or unaccounted[name])[:OFFENDERS]
    return Sealing(day, sum(unaccounted.values()), sum(late.values()), tuple(offenders))


def _accounts(fates: Mapping[int, Counter[str]], digests: Sequence[Row]) -> dict[int, SealedAccount]:
    sums = {row["chamber"]: row["sha256"] for row in digests}
    accounts = {}
    for key in fates.keys() | sums.keys():
        counts = fates.get(key, Counter())
        gaps = {reason: counts[reason] for reason in GapReason if counts[reason]}
        accounts[key] = SealedAccount(counts["expected"], counts["stored"], gaps, sums.get(key, EMPTY))
    return accounts


def _columns(accounts: Mapping[int, SealedAccount]) -> tuple[list[object], ...]:
    rows = [(key, a.expected, a.stored, json.dumps(a.gaps), a.sha256) for key, a in accounts.items()]
    return tuple([row[place] for row in rows] for place in range(5))
