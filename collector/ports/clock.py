"""The time of this process, and that of the engine's server."""

from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """The time of this process."""

    def now_ms(self) -> int:
        """The wall clock. It may jump."""
        ...

    def monotonic_ms(self) -> int:
        """A clock that never jumps and goes on while the machine is suspended; only differences mean something."""
        ...


@dataclass(frozen=True, slots=True)
class ServerInstant:
    """One look at the clock of the engine's server.

    Attributes:
        server_ms: what it showed.
        after_ms: this process's monotonic clock, at or before that.
        before_ms: this process's monotonic clock, at or after that.
    """

    server_ms: int
    after_ms: int
    before_ms: int


class ServerClock(Protocol):
    """The clock of the engine's server, which plans the rounds."""

    async def read(self) -> ServerInstant:
        """Look at it once, without taking any work from the server; a second look is another one.

        Raises:
            EngineAwayError: the server does not answer, or does not tell, or so slowly that it says nothing.
        """
        ...
