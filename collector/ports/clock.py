"""The time of this process."""

from typing import Protocol


class Clock(Protocol):
    """The time of this process."""

    def now_ms(self) -> int:
        """The wall clock. It may jump."""
        ...

    def monotonic_ms(self) -> int:
        """A clock that never jumps; only differences mean something."""
        ...
