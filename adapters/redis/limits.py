"""Requests counted in Valkey or Redis, so that all processes that share it count together."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from math import ceil, floor

from limits.aio.storage import RedisStorage
from redis.asyncio import Redis
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from adapters.redis.keys import PREFIX, rate_limit
from adapters.redis.pool import lazy_client, patience_of
from collector.domain.access import Traffic
from collector.domain.rates import RateRule
from collector.ports.clock import Clock
from collector.ports.limits import RateLimiter, RateState

PATIENCE_S = 0.1
"""What one answer of the server is worth waiting for: who waits for it has asked for something else."""
PATIENCE_IN_ALL = 3
"""As many patiences a request may cost, connecting included."""
REST_MS = 1_000
"""A server that did not answer is not asked again for so long."""
CONNECTIONS = 2
"""Counting takes a fraction of a millisecond, and each connection many of this process's to open."""
WHY_LIMIT = 300

_log = logging.getLogger(__name__)


class RedisLimiter:
    """`RateLimiter` over Valkey or Redis by the library `limits`, a sliding window of two counters.

    While the server is away, `fallback` decides, and `fell_back` is told for each request.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        rates: Mapping[Traffic, RateRule],
        fallback: RateLimiter,
        fell_back: Callable[[], None],
    ) -> None:
        """Connects with the first request.

        Args:
            url: see `lazy_client`.
            clock: the time of this process.
            rates: a rule for each class.
            fallback: of this process alone, by the same rules.
            fell_back: called for each request that the fallback decided.

        Raises:
            InvalidFieldError: the URL cannot be understood.
        """
        self._patience_s = max(PATIENCE_S, patience_of(url))
        self._client: Redis = lazy_client(url, self._patience_s, CONNECTIONS)
        pool = self._client.connection_pool
        self._storage = RedisStorage(  # the address is the pool's; the library's own would retry
            "async+redis://",
            implementation="redispy",
            key_prefix=PREFIX,
            connection_pool=pool,  # type: ignore[arg-type]  # its own hint forgets what its text says
        )
        self._clock, self._rates, self._fallback, self._fell_back = clock, rates, fallback, fell_back
        self._turn = asyncio.Semaphore(CONNECTIONS)
        self._rests_until_ms = 0
        self._failing = self._late = False

    async def hit(self, subject: str, traffic: Traffic) -> RateState:
        """Count one more; see `RateLimiter.hit`."""
        async with self._turn:  # who waits for others of this process does not wait for the server: no time counts here
            state = await self._asked(subject, traffic)
        if state is not None:
            return state
        self._fell_back()
        return await self._fallback.hit(subject, traffic)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _asked(self, subject: str, traffic: Traffic) -> RateState | None:
        """What the server says; None when it is away or rests."""
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._rests_until_ms:
            return None
        if self._failing:
            self._rests_until_ms = now_ms + REST_MS  # the others go by their own count while this one finds out
        try:
            async with asyncio.timeout(PATIENCE_IN_ALL * self._patience_s):
                state = await self._counted(rate_limit(traffic.value, subject), self._rates[traffic])
        except (TimeoutError, RedisTimeoutError) as error:
            if self._late or self._failing:
                self._rest(error)
            self._late = True  # once it may have been this process that was late: a busy machine is no dead server
            return None
        except (RedisError, OSError) as error:
            self._rest(error)
            return None
        self._settle()
        return state

    async def _counted(self, key: str, rule: RateRule) -> RateState:
        allowed = await self._storage.acquire_sliding_window_entry(key, rule.limit, rule.window_s)
        previous, previous_s, current, current_s = await self._storage.get_sliding_window(key, rule.window_s)
        left_s = max(0.0, current_s - rule.window_s)
        used = floor(previous * previous_s / rule.window_s) + current
        wait_s = left_s if allowed else rule.until_room_s(previous, current, left_s)
        return RateState(allowed, rule.limit, max(0, rule.limit - used), rule.window_s, max(1, ceil(wait_s)))

    def _rest(self, error: Exception) -> None:
        if not self._failing:
            why = f"{type(error).__name__}: {error}"[:WHY_LIMIT].rstrip(": ")
            _log.warning("the limiter's server is away (%s): this process counts by itself", why)
        self._failing = True
        self._rests_until_ms = self._clock.monotonic_ms() + REST_MS

    def _settle(self) -> None:
        if self._failing:
            _log.warning("the limiter's server answers again")
        self._failing = self._late = False
        self._rests_until_ms = 0
