"""The fleet in figures, for whoever watches it from outside."""

import asyncio
import logging

from collector.domain.errors import AwayError
from collector.ports import FleetMetrics, UpkeepLog

log = logging.getLogger(__name__)
WITHIN_S = 2.0
"""A scrape must not wait for a store that hangs."""


class ObserveFleet:
    """Asks the ledger for its figures and has them shown. Again: the newest ones."""

    def __init__(self, upkeep: UpkeepLog, metrics: FleetMetrics) -> None:
        self._upkeep, self._metrics = upkeep, metrics

    async def __call__(self) -> None:
        """Never raises for a ledger that is away: then nothing is shown of it."""
        try:
            async with asyncio.timeout(WITHIN_S):
                self._metrics.show(await self._upkeep.figures())
        except (AwayError, TimeoutError) as error:
            log.debug("the fleet's figures are not to be had: %s", error)
            self._metrics.show(None)
