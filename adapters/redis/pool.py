"""Connections to Valkey or Redis, opened when first needed."""

import asyncio
import re
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from collector.domain.errors import InvalidFieldError

PATIENCE_S = 0.05
"""What one answer of the server is worth waiting for, connecting included: its readers have the store to ask."""
TLS_PATIENCE_S = 0.5
"""The same where TLS is spoken: there a connection costs this process 30 ms, and several round trips."""
CLOSED = "the handler is closed"
"""What uvloop says of a connection that is gone when something is to be sent by it."""
CONNECTIONS = 8
"""Commands take under a millisecond: more connections would only wait in the server's queue."""


def patience_of(url: str) -> float:
    """What one answer of the server at the URL is worth waiting for."""
    return TLS_PATIENCE_S if url.startswith("rediss://") else PATIENCE_S


def lazy_client(url: str, patience_s: float = PATIENCE_S, connections: int = CONNECTIONS) -> Redis:
    """A client that connects with its first command and never retries by itself.

    Args:
        url: `redis://`, `rediss://` or `unix://`, with the password if there is one.
        patience_s: how long connecting, sending and each answer may take.
        connections: at most so many at a time; a command that finds none free waits as long.

    Raises:
        InvalidFieldError: field `CHAMBERLOG_REDIS`, when the URL cannot be understood; it never quotes the password.
    """
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=patience_s,
            socket_timeout=patience_s,
            socket_connect_timeout=patience_s,
            retry=Retry(NoBackoff(), 0),
        )
        pool.connection_class = _telling(pool.connection_class)
        pool.connection_class(**pool.connection_kwargs)  # an option that there is not would show with the first command
    except (ValueError, TypeError, RedisError) as error:
        option = re.search(r"unexpected keyword argument ('\w+')", str(error))
        problem = f"there is no option {option[1]}" if option else "it is not a Redis URL"
        raise InvalidFieldError(
            "CHAMBERLOG_REDIS", problem, "write redis://:password@host:6379/0, rediss:// or unix://"
        ) from None
    return Redis.from_pool(pool)


def _telling(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """The same kind of connection, which says of one that was closed just before a command that it is closed.

    uvloop raises a bare RuntimeError then, which the client passes on: whoever expects the server to be away would not.
    """

    class Telling(kind):  # type: ignore[valid-type, misc]  # made of a class that is known at run time only
        async def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - the client's
            try:
                await super().send_packed_command(command, check_health)
            except RuntimeError as error:
                if CLOSED not in str(error):
                    raise
                raise RedisConnectionError("the server closed the connection") from error

    return Telling


def heed_cancel() -> None:
    """Raise the cancel that a command may have swallowed; to be called between two commands of an endless loop.

    The client sends by `asyncio.wait_for`, which until Python 3.12 drops a cancel that comes as the sending ends.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
