"""Whether the worker polls and its event loop turns."""

from collections.abc import Callable

STUCK_MS = 10_000
"""Others hear the SDK's own threads beat for minutes after the event loop hangs; a probe is to see it sooner."""
NOT_YET = "it does not poll Temporal yet"


class Readiness:
    """Set once the worker polls Temporal, cleared when it does not any more; `turned` is due each second.

    Set and cleared from the event loop, asked from another thread.

    Args:
        monotonic_ms: clock of the turns.
    """

    def __init__(self, monotonic_ms: Callable[[], int]) -> None:
        self._monotonic_ms = monotonic_ms
        self._why_not = NOT_YET
        self._turned_ms: int | None = None

    def set(self) -> None:
        """The worker polls."""
        self._why_not = ""

    def clear(self, why: str) -> None:
        """The worker does not poll (any more)."""
        self._why_not = why

    def turned(self) -> None:
        """The event loop turns."""
        self._turned_ms = self._monotonic_ms()

    def why_not(self) -> str:
        """The answer of `/readyz`: empty when the worker does its work, else the reason."""
        turned_ms = self._turned_ms
        still_ms = 0 if turned_ms is None else self._monotonic_ms() - turned_ms
        if still_ms > STUCK_MS:
            return f"the event loop has not turned for {still_ms // 1000} s"
        return self._why_not
