"""Connections to Valkey or Redis, opened when first needed."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from collector.domain.errors import InvalidFieldError

PATIENCE_S = 0.05
"""What one answer of the server is worth waiting for, connecting included: its readers have the store to ask."""
CONNECTIONS = 8
"""Commands take under a millisecond: more connections would only wait in the server's queue."""


def lazy_client(url: str) -> Redis:
    """A client that connects with its first command and never retries by itself.

    Args:
        url: `redis://`, `rediss://` or `unix://`, with the password if there is one.

    Raises:
        InvalidFieldError: field `CHAMBERLOG_REDIS`, when the URL cannot be understood; it never quotes the password.
    """
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=PATIENCE_S,
            socket_timeout=PATIENCE_S,
            socket_connect_timeout=PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise InvalidFieldError(
            "CHAMBERLOG_REDIS", "it is not a Redis URL", "write redis://:password@host:6379/0, rediss:// or unix://"
        ) from None
    return Redis.from_pool(pool)
