"""Requests counted in this process: for tests, for a deployment without Valkey, and for the time it is away."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

from collector.domain.access import Traffic
from collector.domain.rates import DEFAULT_RATES, RateRule
from collector.ports.limits import RateState

SUBJECTS_LIMIT = 20_000
"""Counts kept at most, about 5 MB; the one that was not asked for longest is forgotten first."""


@dataclass(slots=True)
class _Windows:
    """Requests of the window that began then, and of the one before it."""

    begun_ms: int
    current: int = 0
    previous: int = 0


class InMemoryLimiter:
    """`RateLimiter` in a dictionary."""

    def __init__(self, monotonic_ms: Callable[[], int], rates: Mapping[Traffic, RateRule] = DEFAULT_RATES) -> None:
        """Count from nothing.

        Args:
            monotonic_ms: a clock that never jumps.
            rates: a rule for each class.
        """
        self._monotonic_ms, self._rates = monotonic_ms, rates
        self._counts: dict[tuple[Traffic, str], _Windows] = {}

    async def hit(self, subject: str, traffic: Traffic) -> RateState:
        """Count one more; see `RateLimiter.hit`."""
        rule, now_ms = self._rates[traffic], self._monotonic_ms()
        length_ms = rule.window_s * 1000
        windows = _slid(self._counts.pop((traffic, subject), None), now_ms, length_ms)
        self._counts[traffic, subject] = windows
        if len(self._counts) > SUBJECTS_LIMIT:
            del self._counts[next(iter(self._counts))]
        left_ms = windows.begun_ms + length_ms - now_ms
        allowed = _weighted(windows, left_ms, length_ms) < rule.limit
        windows.current += allowed
        remaining = max(0, rule.limit - _weighted(windows, left_ms, length_ms))
        left_s = left_ms / 1000
        wait_s = left_s if allowed else rule.until_room_s(windows.previous, windows.current, left_s)
        return RateState(allowed, rule.limit, remaining, rule.window_s, max(1, ceil(wait_s)))


def _slid(windows: _Windows | None, now_ms: int, length_ms: int) -> _Windows:
    """The windows as they stand now: the one before the last is forgotten."""
    if windows is None or now_ms >= windows.begun_ms + 2 * length_ms:
        return _Windows(now_ms)
    if now_ms >= windows.begun_ms + length_ms:
        return _Windows(windows.begun_ms + length_ms, 0, windows.current)
    return windows


def _weighted(windows: _Windows, left_ms: int, length_ms: int) -> int:
    return windows.previous * left_ms // length_ms + windows.current
