"""What the simulator does with the adapters: it logs as the other programs do."""

from adapters.logs import start_logging

__all__ = ["SERVICE", "start_logging"]
SERVICE = "chamberlog-simulator"
