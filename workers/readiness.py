"""Whether the worker polls."""


class Readiness:
    """Set once the worker polls Temporal, cleared when it begins to stop."""

    def __init__(self) -> None:
        self._polling = False

    def set(self) -> None:
        """The worker polls."""
        self._polling = True

    def clear(self) -> None:
        """The worker does not poll (any more)."""
        self._polling = False

    def ready(self) -> bool:
        """The answer of `/readyz`."""
        return self._polling
