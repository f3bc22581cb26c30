"""What is told of operations on the server, for whoever measures them."""

from collections.abc import Callable

LATEST, ACTIVE, LIVE = "latest", "active", "live"
HIT, MISS, FAILED, STORED = "hit", "miss", "failed", "stored"

Count = Callable[[str, str, int], None]
"""Told of which of the three, how operations ended, and how many; called in the event loop, must not raise."""


def uncounted(_cache: str, _result: str, _operations: int) -> None:
    """Nobody measures."""
