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
        reset_s: until there is room for one more (when `allowed` is False), or until the window in which this request
            counts in full is over; seconds, rounded up, at least 1.
    """

    allowed: bool
    limit: int
    remaining: int
    window_s: int
    reset_s: int


class RateLimiter(Protocol):
    """Counts requests by subject and class, over all processes that share it.

    The window slides: of the window before, that part counts which lies within one window's length of now, as if its
    requests had come evenly.
    """

    async def hit(self, subject: str, traffic: Traffic) -> RateState:
        """Count one more; one that is refused does not count.

        Never raises: when its server is away it goes by what this process saw, and counts that.

        Args:
            subject: `key/<id>`, `user/<id>`, `address/<address>` or `account/<hash>`.
            traffic: class of the request; each has a count of its own.
        """
        ...


class GateMetrics(Protocol):
    """What whoever runs the gate wants to know."""

    def fell_back(self) -> None:
        """The limiter's server did not answer for one request: this process's own count decided."""
        ...

    def decided(self, traffic: Traffic, *, allowed: bool) -> None:
        """The limiter let one request pass, or not."""
        ...

    def answered(self, status: int, duration_ms: float) -> None:
        """The authz service answered one request of the gateway."""
        ...
