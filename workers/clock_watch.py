"""The watch over the wall clock: with a wrong one a worker takes no rounds."""

import asyncio
import logging

from activities.clock_skew import ClockSkew
from collector.domain.errors import EngineAwayError
from collector.ports import ServerClock

log = logging.getLogger(__name__)

LOOK_S, AGAIN_S = 1.0, 5.0
"""A look costs nothing; one at the server's clock two calls."""
SUSPECT_MS = 1_000
"""From here on the server's own clock is asked: rounds that all began late say the same as a wrong clock."""
WRONG_MS, RIGHT_MS = 5_000, 4_000
"""Time-outs allow a round to end 10 s late. Two limits, so that a clock at one of them does not stop and start it."""


class ClockWatch:
    """Decides whether this machine's clock is right enough to collect by.

    Nothing is decided by guess: the worker stops, and begins again, only by a look at the server's clock. While that
    cannot be seen it stays as it is.
    """

    def __init__(self, server: ServerClock, skew: ClockSkew) -> None:
        self._server, self._skew = server, skew
        self._told = False

    async def first_look(self) -> str:
        """Before the first round: what is wrong, or empty, also when the server's clock cannot be seen."""
        return self._verdict(WRONG_MS) if await self._measure() else ""

    async def until_wrong(self) -> str:
        """Return what is wrong as soon as the clock is; for a worker that polls."""
        wait_s = LOOK_S
        while True:
            await asyncio.sleep(wait_s)
            suspect = abs(self._skew.look()) > SUSPECT_MS
            if suspect and await self._measure() and (why := self._verdict(WRONG_MS)):
                return why
            wait_s = AGAIN_S if suspect else LOOK_S

    async def until_right(self) -> None:
        """Return as soon as the clock is right again; for a worker that does not poll."""
        while True:
            if await self._measure() and not self._verdict(RIGHT_MS):
                return
            await asyncio.sleep(AGAIN_S)

    def _verdict(self, limit_ms: int) -> str:
        skew_ms = self._skew.look()
        if abs(skew_ms) <= limit_ms:
            return ""
        side = "ahead of" if skew_ms > 0 else "behind"
        return f"this machine's clock is {abs(skew_ms) / 1000:.1f} s {side} Temporal's"

    async def _measure(self) -> bool:
        try:
            self._skew.measured(await self._server.read())
        except EngineAwayError as error:
            log.log(
                logging.DEBUG if self._told else logging.WARNING, "this machine's clock cannot be checked: %s", error
            )
            self._told = True
            return False
        self._told = False
        return True
