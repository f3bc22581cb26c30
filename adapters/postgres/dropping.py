"""Dropping the readings of a day in PostgreSQL, so that none is lost whose proof is not kept.

Writers are not stopped, and none is asked: a reading may be stored into the day until its partition is detached, which
waits for whoever writes into it. Only then it is compared with its seals, and dropped if nothing came between; else it
is attached again. Each step may be the last one before a crash: the next call finds how far it came.
"""

import logging
from datetime import date

from adapters.postgres import maintenance_queries as q
from adapters.postgres.pool import Connection
from adapters.postgres.sealing import DAY_TIMEOUT_S, seal_day
from collector.domain.sealing import day_of, next_day

log = logging.getLogger(__name__)

DETACH_TIMEOUT_S = 180.0
"""Detaching waits for every transaction that reads readings: an audit takes up to a minute."""


async def drop_day(connection: Connection, day: date) -> str:
    """Drop the oldest day; see `LedgerMaintenance.drop_day`. One process at a time."""
    if not await connection.fetchval(q.TRY_LOCK):
        return f"{day}: another process drops it now"
    try:
        retained = day_of(await connection.fetchval(q.RETAINED_FROM))
        if day >= retained:
            why = await _prepare(connection, day)
            if why:
                return why
        return await _finish(connection, day)
    finally:
        await connection.execute(q.UNLOCK)


async def _prepare(connection: Connection, day: date) -> str:
    """Seal it anew and refuse its slots from now on; why not, if the proof is not whole."""
    oldest = await connection.fetchval(q.OLDEST_DAY)
    if oldest is not None and day > oldest:
        return f"{day}: {oldest} is older and goes first"
    if not await connection.fetchval(q.IS_ROLLED_UP, day, timeout=DAY_TIMEOUT_S):
        return f"{day}: readings of it are not rolled up yet"
    sealing = await seal_day(connection, day)
    if not sealing.sealed:
        return str(sealing)
    await connection.execute(q.MOVE_RETAINED_FROM, next_day(day))
    return ""


async def _finish(connection: Connection, day: date) -> str:
    state = await connection.fetchrow(q.PARTITION_STATE, q.partition_of(day))
    if state is None:
        return ""
    if state["attached"]:
        how = "FINALIZE" if state["pending"] else "CONCURRENTLY"
        await connection.execute(q.detach(day, how), timeout=DETACH_TIMEOUT_S)
    found = await connection.fetchrow(q.differs(day), day, timeout=DAY_TIMEOUT_S)
    assert found is not None
    if found["changed"] or found["fresh"]:
        await _take_back(connection, day)
        return f"{day}: a reading was stored while it was dropped; the day stays, and is sealed anew"
    async with connection.transaction():
        await connection.execute(q.LOCK_REFERENCED)
        await connection.execute(q.drop(day))
    log.info("the readings of %s are dropped; its seals, hours and gaps stay", day)
    return ""


async def _take_back(connection: Connection, day: date) -> None:
    async with connection.transaction():
        await connection.execute(q.LOCK_REFERENCED)
        await connection.execute(q.attach(day), timeout=DAY_TIMEOUT_S)
        await connection.execute(q.MOVE_RETAINED_FROM, day)
