"""From where on readings are kept, as a writer asks for it."""

import time

import asyncpg

from adapters.postgres.maintenance_queries import RETAINED_FROM
from adapters.postgres.pool import Connection

AGAIN_S = 60.0


class Retention:
    """The instant before which readings were dropped, asked for outside of any transaction.

    Each time, because it moves; only the way that knows every rule asks. A reading of a dropped day that comes another
    way finds no partition, and is sent this way.
    """

    def __init__(self) -> None:
        self._absent_until_s = float("-inf")

    async def from_ms(self, connection: Connection) -> int:
        """It; 0 where nothing was dropped, or where the schema is of an older release and knows of no dropping."""
        if time.monotonic() < self._absent_until_s:
            return 0
        try:
            return int(await connection.fetchval(RETAINED_FROM))
        except asyncpg.UndefinedTableError:
            self._absent_until_s = time.monotonic() + AGAIN_S
            return 0
