"""Outcomes that change the schedule, one by one in their order: epochs, pauses, changes of the row.

Each runs inside the transaction that locked the chamber's row, so what it reads cannot change under it.
"""

from collections.abc import Sequence

from adapters.postgres import outcome_queries as q
from adapters.postgres.pool import Connection
from adapters.postgres.rows import Row, pause_from, pause_values, spec_from
from collector.domain.outcome import Change, Epoch, EpochEnd, Gap, Outcome, PauseEnd
from collector.domain.settling import apply_change, outdates


async def store_change(connection: Connection, key: int, outcome: Outcome) -> str:
    """Store one of them; again: nothing changes.

    Returns:
        Why a `Change` was lost, as a sentence; else nothing.
    """
    match outcome:
        case Epoch():
            await _open_epoch(connection, key, outcome)
        case EpochEnd():
            await _end_epoch(connection, key, outcome.last_slot_ms)
        case PauseEnd():
            await connection.execute(q.CLOSE_RUN, key, outcome.first_ms, outcome.last_ms)
        case Gap():
            texts = (outcome.reason.value, outcome.detail, outcome.by)
            await connection.execute(q.OPEN_RUN, key, outcome.first_ms, *texts, outcome.until_ms)
        case Change():
            return await _change(connection, key, outcome)
    return ""


async def _open_epoch(connection: Connection, key: int, epoch: Epoch) -> None:
    epochs = await connection.fetch(q.EPOCHS, key)
    current = _open(epochs)
    if current is None or any(outdates(epoch, e["first_ms"], e["decided_ms"]) for e in epochs):
        return
    if current["first_ms"] != epoch.first_slot_ms:
        last_ms = epoch.first_slot_ms - 1
        if epoch.previous_last_ms is not None:
            last_ms = min(last_ms, epoch.previous_last_ms)
        await connection.execute(q.CLOSE_EPOCH, key, last_ms, False)  # noqa: FBT003 - a column's value
    grid = (epoch.first_slot_ms, epoch.interval_ms, epoch.phase_ms)
    await connection.execute(q.OPEN_EPOCH, key, *grid, epoch.spec_version, epoch.decided_ms)
    await connection.execute(q.BEGIN_EARLIER, key, epoch.first_slot_ms)


async def _end_epoch(connection: Connection, key: int, last_ms: int) -> None:
    epochs = await connection.fetch(q.EPOCHS, key)
    current = _open(epochs)
    if current is None:
        return
    if any(e["final"] and e["last_ms"] == last_ms for e in epochs):
        row = await connection.fetchrow(q.READ_ROW, key)
        fresh = last_ms >= current["first_ms"] - current["interval_ms"]
        if row is None or not (row["retiring"] and fresh):
            return
    await connection.execute(q.CLOSE_EPOCH, key, last_ms, True)  # noqa: FBT003 - a column's value
    await connection.execute(q.RETIRE, key)


async def _change(connection: Connection, key: int, change: Change) -> str:
    row = await connection.fetchrow(q.READ_ROW, key)
    if row is None or row["retired"]:
        return f"{change.kind} was not written to the registry: the chamber is retired"
    spec, pause = spec_from(row), pause_from(row)
    changed = apply_change(spec, pause, change)
    if (changed.spec, changed.pause) != (spec, pause):
        new = changed.spec
        times = (new.version, new.interval_ms, new.timeout_ms)
        await connection.execute(q.WRITE_CHANGE, key, *times, *pause_values(changed.pause))
    return changed.lost


def _open(epochs: Sequence[Row]) -> Row | None:
    return next((e for e in epochs if e["last_ms"] is None), None)
