"""A clock whose wall time is wrong by the same amount all the time."""

import time

NS_PER_MS = 1_000_000


class WrongClock:
    """Implements `collector.ports.Clock`.

    Args:
        ahead_ms: added to the wall clock; below 0 it is behind. The monotonic clock is right.
    """

    def __init__(self, ahead_ms: int) -> None:
        self._ahead_ms = ahead_ms

    def now_ms(self) -> int:
        """The wall clock, wrong."""
        return time.time_ns() // NS_PER_MS + self._ahead_ms

    def monotonic_ms(self) -> int:
        """The machine's own."""
        return time.monotonic_ns() // NS_PER_MS
