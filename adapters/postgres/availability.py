"""Whether the store answers: known to all of a process by one probe."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextvars import Context

from collector.domain.errors import AwayError

FIRST_DELAY_S, LONGEST_DELAY_S = 0.1, 2.0
_JITTER = random.SystemRandom()
log = logging.getLogger(__name__)


class Availability:
    """Remembers that the store was lost, and asks until it is back; the log has a line of each.

    Args:
        probe: asks once; raises `AwayError` while the store is away.
    """

    def __init__(self, probe: Callable[[], Awaitable[None]]) -> None:
        self._probe = probe
        self._here = asyncio.Event()
        self._here.set()
        self._prober: asyncio.Task[None] | None = None
        self._delay_s = FIRST_DELAY_S
        self._told = False
        self.why = ""

    @property
    def here(self) -> bool:
        """False from a loss until a probe was answered."""
        return self._here.is_set()

    def lost(self, why: str) -> None:
        """From now on it is away, until a probe says otherwise. Again: nothing, one probe runs."""
        self.why = why
        self._here.clear()
        if not self._told:
            self._told = True
            log.warning("outcomes cannot be stored and wait: %s", why)
        if self._prober is None or self._prober.done():
            self._prober = asyncio.create_task(self._ask(), name="postgres-probe", context=Context())

    def worked(self) -> None:
        """Something was stored: the next loss is asked about quickly again.

        A server that answers the probe and refuses all else (a full disk, a schema that is not there) is asked
        less and less often until this is said.
        """
        self._delay_s = FIRST_DELAY_S
        if self._told:
            self._told = False
            log.info("outcomes are stored again")

    async def wait(self) -> None:
        """Return when it is here."""
        await self._here.wait()

    async def close(self) -> None:
        """Stop asking."""
        if self._prober is not None:
            self._prober.cancel()
            await asyncio.gather(self._prober, return_exceptions=True)

    async def _ask(self) -> None:
        while not self._here.is_set():
            await asyncio.sleep(self._delay_s * _JITTER.uniform(0.5, 1.5))
            self._delay_s = min(2 * self._delay_s, LONGEST_DELAY_S)
            try:
                await self._probe()
            except AwayError as away:
                self.why = str(away)
            else:
                self._here.set()
