"""The machine's clocks."""

import time


class SystemClock:
    """Implements `collector.ports.Clock`."""

    def now_ms(self) -> int:
        """The wall clock; it may jump."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Never jumps; only differences mean something."""
        return time.monotonic_ns() // 1_000_000
