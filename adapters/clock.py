"""The machine's clocks."""

import time
from collections.abc import Callable


def _ticking_ns() -> Callable[[], int]:
    """The clock that goes on while the machine is suspended, where there is one: elsewhere such a time is not seen."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns if boot is None else lambda: time.clock_gettime_ns(boot)


_monotonic_ns = _ticking_ns()


class SystemClock:
    """Implements `collector.ports.Clock`.

    On Linux the monotonic clock is CLOCK_BOOTTIME. The timers of an event loop run on CLOCK_MONOTONIC, which stands
    still while the machine is suspended: after that they are late, and only this clock tells.
    """

    def now_ms(self) -> int:
        """The wall clock; it may jump."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Never jumps, and counts the time that the machine was suspended; only differences mean something."""
        return _monotonic_ns() // 1_000_000
