"""Keeping the ledger in order, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from adapters.postgres import maintenance_queries as q
from adapters.postgres.dropping import drop_day
from adapters.postgres.pool import Postgres
from adapters.postgres.sealing import DAY_TIMEOUT_S, seal_day, seal_from
from collector.domain.sealing import SealedAccount, Sealing, day_of
from collector.ports.maintenance import RolledUp

PORTION = timedelta(hours=6)
"""Readings that were stored in so long are rolled up in one transaction."""
COMMITTED = timedelta(seconds=60)
"""Readings carry the instant at which they were written; no writer takes longer than a quarter of this to commit."""
CLOCK_WENT_BACK, AGAIN_FROM = timedelta(minutes=1), timedelta(hours=2)
"""What was rolled up cannot lie ahead of the server's clock by more; how much is looked through again besides that."""
LOCK_TIMEOUT = {"lock_timeout": "2s"}
"""Of the pool: a statement that waits longer for a table would stop every writer behind it. It is tried again later."""


class PostgresMaintenance:
    """`LedgerMaintenance` over PostgreSQL.

    Args:
        postgres: a pool of its own, with `LOCK_TIMEOUT` among its settings.
        committed: what was stored within so long is left to the next rolling up.
    """

    def __init__(self, postgres: Postgres, committed: timedelta = COMMITTED) -> None:
        self._postgres, self._committed = postgres, committed

    async def now_ms(self) -> int:
        """PostgreSQL's clock; see `LedgerMaintenance.now_ms`."""
        async with self._postgres.connection() as connection:
            return int(await connection.fetchval(q.NOW))

    async def ensure_partitions(self, ahead_days: int) -> int:
        """A transaction a day: attaching a partition holds up writers for as long as it lasts."""
        made = 0
        async with self._postgres.connection() as connection:
            today = day_of(await connection.fetchval(q.NOW))
            for ahead in range(-1, ahead_days + 1):
                made += await connection.fetchval(q.ENSURE, today + timedelta(days=ahead))
        return made

    async def roll_up(self) -> RolledUp:
        """A portion; see `LedgerMaintenance.roll_up`. Two at once take turns."""
        async with self._postgres.connection() as connection, connection.transaction():
            through = await connection.fetchval(q.LOCK_ROLLED_UP)
            portion = await connection.fetchrow(q.ROLL_TO, through, PORTION, self._committed)
            assert portion is not None
            if portion["until"] <= through:
                if through - portion["until"] > CLOCK_WENT_BACK:
                    await connection.execute(q.ROLL_AGAIN, portion["until"], through - portion["until"] + AGAIN_FROM)
                return RolledUp(0, portion["complete"])
            rows = await connection.fetchval(q.ROLL_UP, through, portion["until"], timeout=DAY_TIMEOUT_S)
            await connection.execute(q.MOVE_ROLLED_UP, portion["until"])
        return RolledUp(rows, portion["complete"])

    async def days_to_seal(self, through: date) -> Sequence[date]:
        """Days without a seal; see `LedgerMaintenance.days_to_seal`."""
        async with self._postgres.connection() as connection:
            return [row["day"] for row in await connection.fetch(q.DAYS_TO_SEAL, through)]

    async def seal(self, day: date) -> Sealing:
        """Account for a day; see `LedgerMaintenance.seal`."""
        async with self._postgres.connection() as connection:
            return await seal_day(connection, day)

    async def seals(self, day: date) -> Mapping[str, SealedAccount]:
        """What is kept of a day; see `LedgerMaintenance.seals`."""
        async with self._postgres.connection() as connection:
            return {row["id"]: seal_from(row) for row in await connection.fetch(q.SEALS, day)}

    async def oldest_day(self) -> date | None:
        """The first day that is not dropped altogether; see `LedgerMaintenance.oldest_day`."""
        async with self._postgres.connection() as connection:
            oldest: date | None = await connection.fetchval(q.OLDEST_DAY)
        return oldest

    async def drop_day(self, day: date) -> str:
        """Drop the readings of a day; see `LedgerMaintenance.drop_day`."""
        async with self._postgres.connection() as connection:
            return await drop_day(connection, day)

    async def retained_from(self) -> int:
        """Where readings begin; see `LedgerMaintenance.retained_from`."""
        async with self._postgres.connection() as connection:
            return int(await connection.fetchval(q.RETAINED_FROM))
