"""The latest readings in memory."""

from collections.abc import Callable, Mapping, Sequence

from adapters.memory.ledger import wall_ms
from collector.domain.chamber import ChamberSpec
from collector.domain.outcome import Reading
from collector.ports.outcomes import CachedLatest

TTL_CEILING_MS = 60_000


class InMemoryLatest:
    """`LatestCache` in a dictionary.

    Attributes:
        away: set True to let it behave as if its server could not be reached: nothing kept, nothing known.
    """

    def __init__(self, now_ms: Callable[[], int] = wall_ms) -> None:
        self.away = False
        self._now_ms = now_ms
        self._kept: dict[tuple[str, str], tuple[int, Reading]] = {}

    async def put(self, organization: str, spec: ChamberSpec, reading: Reading) -> None:
        """Keep the reading if its slot is newer; see `LatestCache.put`."""
        key = (organization, spec.id)
        if self.away:
            self._kept.pop(key, None)
            return
        kept = self._alive(key)
        if kept is None or kept.slot_ms < reading.slot_ms:
            expires_ms = self._now_ms() + min(2 * spec.interval_ms, TTL_CEILING_MS)
            self._kept[key] = (expires_ms, reading)

    async def get(self, organization: str, chamber_id: str) -> CachedLatest | None:
        """The kept reading, or None; see `LatestCache.get`."""
        reading = None if self.away else self._alive((organization, chamber_id))
        return None if reading is None else CachedLatest(chamber_id, reading)

    async def get_many(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, CachedLatest]:
        """The kept readings by chamber id; see `LatestCache.get_many`."""
        found = [await self.get(organization, chamber_id) for chamber_id in chamber_ids]
        return {kept.chamber_id: kept for kept in found if kept is not None}

    def _alive(self, key: tuple[str, str]) -> Reading | None:
        expires_ms, reading = self._kept.get(key, (0, None))
        return reading if self._now_ms() < expires_ms else None
