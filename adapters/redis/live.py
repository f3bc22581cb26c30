"""The live feed in Valkey or Redis: a stream for each organization that somebody watches."""

from collections.abc import AsyncGenerator, Iterable
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.redis.counting import FAILED, LIVE, Count, uncounted
from adapters.redis.keys import live_events
from adapters.redis.live_publisher import Publisher
from adapters.redis.live_reader import READ_PATIENCE_S, Reader, read_past
from adapters.redis.pool import heed_cancel, lazy_client
from collector.domain.errors import AwayError
from collector.domain.outcome import Gap, Reading
from collector.ports.clock import Clock
from collector.ports.live import LiveItem, Origin, Past

READERS = 1_000
"""Organizations that a process can watch at a time: each holds a connection while it waits for events."""


class RedisLive:
    """`LiveFeed` over Valkey or Redis.

    A stream is there while somebody watches its organization: watchers make it and renew its time to live, publishers
    add to it only if it is there.
    """

    def __init__(self, client: Redis, clock: Clock, count: Count = uncounted) -> None:
        """Take over a client; `close` closes it.

        Args:
            client: patient enough for an answer that waits for events: see `at`.
            clock: the time of this process.
            count: told how operations ended.
        """
        self._client, self._clock, self._count = client, clock, count
        self._publisher = Publisher(client, clock, count)

    @classmethod
    def at(cls, url: str, clock: Clock, count: Count = uncounted) -> Self:
        """The feed at a URL; nothing is connected before somebody publishes or watches.

        Raises:
            InvalidFieldError: the URL cannot be understood.
        """
        return cls(lazy_client(url, READ_PATIENCE_S, READERS), clock, count)

    def publish(self, origin: Origin, outcomes: Iterable[Reading | Gap]) -> None:
        """Send them to whoever watches the organization; see `LiveFeed.publish`."""
        self._publisher.publish(origin, outcomes)

    async def watch(self, organization: str) -> AsyncGenerator[LiveItem, None]:
        """All events from now on; see `LiveFeed.watch`."""
        reader = Reader(self._client, live_events(organization), self._clock, self._count)
        while True:
            items = await reader.turn()
            heed_cancel()
            for item in items:
                yield item

    async def past(self, organization: str, after: str, upto: str) -> Past:
        """Kept events of a range; see `LiveFeed.past`."""
        try:
            return await read_past(self._client, live_events(organization), after, upto)
        except (RedisError, OSError, TimeoutError) as error:
            self._count(LIVE, FAILED, 1)
            raise AwayError(f"the live feed is away ({type(error).__name__})") from None

    async def close(self) -> None:
        """Send what waits, for a second at most, and close the connections."""
        await self._publisher.close()
        await self._client.aclose()
