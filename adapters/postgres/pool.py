"""Connections to PostgreSQL: made when they are needed, so that a process starts while the server is away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from adapters.postgres.watching import DatabaseMetrics, error_type, operation_of
from collector.domain.errors import AwayError

if TYPE_CHECKING:
    Connection = asyncpg.pool.PoolConnectionProxy[Any]
    Pool = asyncpg.Pool[Any]
else:  # asyncpg's classes are generic in its stubs only
    Connection, Pool = asyncpg.pool.PoolConnectionProxy, asyncpg.Pool

CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 5.0
"""A statement that takes longer is given up: a round must go on to its next slot."""
SETTINGS = {
    "application_name": "chamberlog",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "10s",  # a process that stands still must not hold rows that others need
}
NO_CONNECTION = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
POISON_CLASSES = ("22", "23")
"""SQLSTATE classes that blame the data: repeating it cannot help."""
MIGRATE_CLASSES = ("3F", "42")
"""SQLSTATE classes that blame the schema."""


def poison_state(error: BaseException) -> str | None:
    """SQLSTATE of an error that blames the data (class 22 or 23), else None.

    What the driver refuses to encode counts as 22000: the server would have refused it as well.
    """
    if isinstance(error, asyncpg.PostgresError):
        state = str(error.sqlstate)
        return state if state[:2] in POISON_CLASSES else None
    return "22000" if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError) else None


def away_from(error: BaseException) -> AwayError:
    """What a failed connection or statement means to a caller."""
    if isinstance(error, asyncpg.PostgresError):
        if str(error.sqlstate)[:2] in MIGRATE_CLASSES:
            return AwayError(f"PostgreSQL has not this release's schema ({error}); run: chamberlog migrate")
        return AwayError(f"PostgreSQL refused: {error.sqlstate} {error}")
    what = str(error) or type(error).__name__
    return AwayError(f"PostgreSQL cannot be reached, or is too slow: {what}")


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told of a pool's statements and connections, and what the pool is called there."""

    metrics: DatabaseMetrics
    pool: str


class Postgres:
    """A pool of connections to the readings' database.

    Args:
        dsn: `postgresql://...`.
        size: connections at most.
        timeout_s: for connecting, and for each statement unless it says otherwise.
        settings: of each session, beside those of every pool.
        watch: who measures; None = nobody.
        tell: told of each statement that ended: its text, the seconds that its caller waited, and its `error_type`.
    """

    def __init__(
        self,
        dsn: str,
        *,
        size: int = 8,
        timeout_s: float = COMMAND_TIMEOUT_S,
        settings: Mapping[str, str] | None = None,
        watch: Watch | None = None,
        tell: Callable[[str, float, str], None] | None = None,
    ) -> None:
        self._dsn, self._size, self._timeout_s = dsn, size, timeout_s
        self._settings, self._tell = {**SETTINGS, **(settings or {})}, tell
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()
        self._watch = watch
        if watch is not None:
            watch.metrics.pool(watch.pool, self.used_and_idle)

    def used_and_idle(self) -> tuple[int, int]:
        """Connections that somebody uses, and that wait for somebody; from any thread."""
        pool = self._pool
        if pool is None:
            return 0, 0
        idle = pool.get_idle_size()
        return max(0, pool.get_size() - idle), idle

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for as long as the block lasts.

        Errors of the driver that blame the data pass (see `poison_state`).

        Raises:
            AwayError: the server cannot be reached, is too slow, or refuses for a reason that is not the data.
        """
        pool, taken = await self._take()
        try:
            try:
                yield taken
            finally:
                await pool.release(taken)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            if poison_state(error) is not None:
                raise
            raise away_from(error) from error
        except (OSError, TimeoutError) as error:
            raise away_from(error) from error

    async def _take(self) -> tuple[Pool, Connection]:
        """What fails before there is a connection is no fault of the data, even where the driver calls it a value."""
        try:
            pool = await self._open()
            return pool, await pool.acquire(timeout=self._timeout_s)
        except NO_CONNECTION as error:
            raise away_from(error) from error

    async def ping(self) -> None:
        """Connect anew and ask something.

        Raises:
            AwayError: there was no answer in time.
        """
        try:
            connection = await asyncpg.connect(
                self._dsn, timeout=CONNECT_TIMEOUT_S, command_timeout=self._timeout_s, server_settings=SETTINGS
            )
            try:
                await connection.execute("SELECT")
            finally:
                await connection.close(timeout=self._timeout_s)
        except NO_CONNECTION as error:
            raise away_from(error) from error

    async def close(self) -> None:
        """Close every connection; again: nothing."""
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(self._timeout_s):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    async def _open(self) -> Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=0,
                    max_size=self._size,
                    timeout=min(CONNECT_TIMEOUT_S, self._timeout_s),
                    command_timeout=self._timeout_s,
                    server_settings=self._settings,
                    reset=_keep_session,
                    init=None if self._watch is None and self._tell is None else self._listen,
                )
            return self._pool

    async def _listen(self, connection: "asyncpg.Connection[Any]") -> None:
        connection.add_query_logger(self._pass_on)

    def _pass_on(self, ended: asyncpg.connection.LoggedQuery) -> None:
        error = error_type(ended.exception)
        if self._watch is not None:
            self._watch.metrics.statement(operation_of(ended.query), ended.elapsed, error)
        if self._tell is not None:
            self._tell(ended.query, ended.elapsed, error)


async def _keep_session(connection: "asyncpg.Connection[Any]") -> None:
    """Nothing to reset: no statement of ours changes a session. The driver's own reset is a transaction a release."""
    del connection
