"""One request at a time per host and port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Lane:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class HostLanes:
    """Locks by host and port, first come first served; a lane that nobody uses is forgotten."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, int], _Lane] = {}

    def __len__(self) -> int:
        """Hosts with a request in flight."""
        return len(self._lanes)

    @asynccontextmanager
    async def hold(self, host: str, port: int) -> AsyncIterator[None]:
        """Wait for the host's turn and keep it."""
        key = (host, port)
        lane = self._lanes.setdefault(key, _Lane())
        lane.users += 1
        try:
            async with lane.lock:
                yield
        finally:
            lane.users -= 1
            if not lane.users:
                del self._lanes[key]
