"""How often somebody may ask."""

from dataclasses import dataclass
from typing import Protocol

from collector.domain.access import Traffic


@dataclass(frozen=True, slots=True)
class RateState:
    """What one request left of a limit.

    Attributes:
        allowed: whether this request was within it.
        limit: requests a window.
        remaining: of them.
        window_s: length of the sliding window, seconds.
        reset_s: until there is room for one more (when `allowed` is False), or for all; seconds, rounded up.
    """

    allowed: bool
    limit: int
    remaining: int
    window_s: int
    reset_s: int


class RateLimiter(Protocol):
    """Counts requests by subject and class, over all processes that share it."""

    async def hit(self, subject: str, traffic: Traffic) -> RateState:
        """Count one more. Never raises: when its server is away it goes by what this process saw, and counts that."""
        ...
