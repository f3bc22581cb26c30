"""The fleet in figures, for whoever watches it from outside."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from collector.domain.errors import AwayError
from collector.ports import FleetMetrics, UpkeepLog

T = TypeVar("T")
log = logging.getLogger(__name__)
WITHIN_S = 2.0
"""A scrape must not wait for a store that hangs."""
EACH_S = 15.0
"""As often as scrapers usually ask."""


class ObserveFleet:
    """Asks the ledger for the fleet's figures and its own, and has them shown. Again: the newest ones.

    Its own are asked for apart: looking at the sizes of tables may have to wait, and statuses must be seen meanwhile.
    """

    def __init__(self, upkeep: UpkeepLog, metrics: FleetMetrics) -> None:
        self._upkeep, self._metrics = upkeep, metrics

    async def __call__(self) -> None:
        """Never raises for a ledger that is away: then nothing is shown of it."""
        figures = await _known(self._upkeep.figures())
        self._metrics.show(figures)
        self._metrics.show_ledger(None if figures is None else await _known(self._upkeep.ledger()))

    async def again_and_again(self) -> None:
        """Every `EACH_S`, until it is cancelled: for those who are sent the figures and never ask."""
        while True:
            try:
                await self()
            except Exception:  # nobody waits for this task: it would end unseen, and the last figures stand for ever
                log.exception("the fleet's figures cannot be told; they are tried again in %.0f s", EACH_S)
                self._metrics.show(None)
                self._metrics.show_ledger(None)
            await asyncio.sleep(EACH_S)


async def _known(asked: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(WITHIN_S):
            return await asked
    except (AwayError, TimeoutError) as error:
        log.debug("figures are not to be had: %s", error)
        return None
