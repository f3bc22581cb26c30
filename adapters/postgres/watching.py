"""What is told of statements and connections, for whoever measures them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Protocol

import asyncpg

OPERATIONS = frozenset(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK", "SET", "LOCK"))
OTHER = "_OTHER"
REMEMBERED = 512
"""Statements: all of them are constants of this program, but for those that name a partition."""


class DatabaseMetrics(Protocol):
    """Whoever measures; called in the event loop, must be quick and not raise."""

    def statement(self, operation: str, seconds: float, error: str) -> None:
        """A statement ended: its first word, how long its caller waited, and `error_type` of what went wrong."""
        ...

    def pool(self, name: str, used_and_idle: Callable[[], tuple[int, int]]) -> None:
        """A pool of that name is there; how many connections are in use and how many wait can be asked from any thread.

        Two numbers, 0 and 0 while it is not open.
        """
        ...


class WriterMetrics(Protocol):
    """Whoever measures the writer; called in the event loop, must be quick and not raise."""

    def written(self, outcomes: int, seconds: float, error: str) -> None:
        """A transaction of so many outcomes ended, `error` empty when they are stored; see `error_type`."""
        ...


def error_type(error: BaseException | None) -> str:
    """SQLSTATE where the server said one, else the class of the error; empty for none.

    Of what one error became for its caller, the first cause counts: `ConnectionRefusedError`, not `AwayError`. A
    time-out is its own cause: that `asyncio` ends what is timed by a cancel is nobody's concern.
    """
    if error is None:
        return ""
    while error.__cause__ is not None and not isinstance(error, TimeoutError):
        error = error.__cause__
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate:
        return str(error.sqlstate)
    return "CancelledError" if isinstance(error, asyncio.CancelledError) else type(error).__name__


@lru_cache(REMEMBERED)
def operation_of(statement: str) -> str:
    """First word of a statement, `WITH` for what a query begins with; a word that is not known is `_OTHER`."""
    for line in statement.splitlines():
        words = line.split("--")[0].split(maxsplit=1)
        if words:
            word = words[0].rstrip(";").upper()
            return word if word in OPERATIONS else OTHER
    return OTHER


@contextmanager
def written(metrics: WriterMetrics | None, outcomes: int) -> Iterator[None]:
    """Around a transaction that stores so many outcomes: tells how it ended."""
    begun, failed = time.perf_counter(), None
    try:
        yield
    except BaseException as error:
        failed = error
        raise
    finally:
        if metrics is not None:
            metrics.written(outcomes, time.perf_counter() - begun, error_type(failed))
