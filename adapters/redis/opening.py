"""What a process keeps in Valkey or Redis: opened and closed alike in each."""

from contextlib import AsyncExitStack

from adapters.redis.counting import Count, uncounted
from adapters.redis.latest import RedisLatest
from adapters.redis.live import RedisLive
from adapters.redis.server import CacheServer
from collector.ports.clock import Clock


def open_redis(
    url: str, clock: Clock, closing: AsyncExitStack, count: Count = uncounted
) -> tuple[CacheServer, RedisLatest, RedisLive]:
    """The caches' server, the latest readings on it, and the live feed; nothing is connected before the first command.

    Args:
        url: see `lazy_client`.
        clock: the time of this process.
        closing: closes the feed, then lets what is being kept end, then closes the server.
        count: told how operations ended.

    Raises:
        InvalidFieldError: the URL cannot be understood.
    """
    server, live = CacheServer.at(url, clock, count=count), RedisLive.at(url, clock, count)
    closing.push_async_callback(server.close)
    latest = RedisLatest(server, clock)
    closing.push_async_callback(latest.close)
    closing.push_async_callback(live.close)
    return server, latest, live
