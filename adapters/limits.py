"""The limiter of a process: over Valkey where there is one, and by its own count where there is none or it is away."""

from contextlib import AsyncExitStack

from adapters.memory.limits import InMemoryLimiter
from adapters.redis.limits import RedisLimiter
from collector.domain.access import Traffic
from collector.domain.rates import parse_rates
from collector.ports.clock import Clock
from collector.ports.limits import GateMetrics, RateLimiter, RateState


def open_limiter(
    url: str | None, told: str, clock: Clock, metrics: GateMetrics, closing: AsyncExitStack
) -> RateLimiter:
    """A limiter; nothing is connected before the first request.

    Args:
        url: of Valkey or Redis; None = this process counts by itself, which is nothing to be counted as a fault.
        told: `CHAMBERLOG_RATE_LIMITS`.
        clock: the time of this process.
        metrics: told of each decision, and of each request that the server did not count.
        closing: closes the connections.

    Raises:
        InvalidFieldError: the URL or a limit cannot be understood.
    """
    rates = parse_rates(told)
    own = InMemoryLimiter(clock.monotonic_ms, rates)
    if url is None:
        return CountedLimiter(own, metrics)
    limiter = RedisLimiter(url, clock, rates, own, metrics.fell_back)
    closing.push_async_callback(limiter.close)
    return CountedLimiter(limiter, metrics)


class CountedLimiter:
    """`RateLimiter` whose decisions are counted."""

    def __init__(self, limiter: RateLimiter, metrics: GateMetrics) -> None:
        self._limiter, self._metrics = limiter, metrics

    async def hit(self, subject: str, traffic: Traffic) -> RateState:
        """Count one more; see `RateLimiter.hit`."""
        state = await self._limiter.hit(subject, traffic)
        self._metrics.decided(traffic, allowed=state.allowed)
        return state
