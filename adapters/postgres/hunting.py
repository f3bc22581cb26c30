"""Finding the one outcome that the database itself refuses, so that the others of its batch are stored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg

from adapters.postgres.pool import Connection, poison_state
from adapters.postgres.storing import Part, lock_chambers, part_of, store_parts
from collector.domain.outcome import Change, Outcome, decides_slots
from collector.domain.settling import poisoned
from collector.ports.outcomes import SaveBatch, SaveResult


async def store_piecewise(connection: Connection, batch: SaveBatch, now_ms: int, retained_ms: int) -> SaveResult | None:
    """Store one chamber's outcomes in one transaction, each refused one as a `malformed` gap with its SQLSTATE.

    A refused `Change` has no slot: it is reported as lost.

    Returns:
        What it came to; None when the chamber is not in the registry.

    Raises:
        PartitionMissingError: nothing is stored; make the partitions and try again.
    """
    async with connection.transaction():
        rows = await lock_chambers(connection, [batch.chamber_id])
        if batch.chamber_id not in rows:
            return None
        whole = part_of(rows[batch.chamber_id], batch, now_ms, retained_ms)
        hunt = _Hunt(connection, replace(whole, outcomes=()))
        await hunt.store(_in_order(whole.outcomes))
        settling = replace(whole, outcomes=())
        await store_parts(connection, [settling])
    return replace(hunt.total, behind=settling.behind).result()


@dataclass(slots=True)
class _Hunt:
    connection: Connection
    total: Part

    async def store(self, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        try:
            await self._store_all(outcomes)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            state = poison_state(error)
            if state is None:
                raise
            if len(outcomes) == 1:
                await self._replace(outcomes[0], state, str(error))
            else:
                half = len(outcomes) // 2
                await self.store(outcomes[:half])
                await self.store(outcomes[half:])

    async def _store_all(self, outcomes: Sequence[Outcome]) -> None:
        part = Part(self.total.row, outcomes, self.total.window)
        async with self.connection.transaction():  # a savepoint: what it refuses is undone alone
            await store_parts(self.connection, [part])
        self.total.new += part.new
        self.total.lost += part.lost

    async def _replace(self, outcome: Outcome, state: str, message: str) -> None:
        gap = poisoned(outcome, state, message)
        if gap is None:
            what = outcome.kind if isinstance(outcome, Change) else type(outcome).__name__
            self.total.lost.append(f"{what} was not written to the registry: sqlstate {state}: {message}")
        else:
            await self._store_all([gap])


def _in_order(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Schedule changes first, as in a batch that is stored whole: an epoch opens before its readings."""
    return sorted(outcomes, key=decides_slots)
