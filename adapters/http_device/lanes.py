"""One request at a time per host and port."""

import asyncio
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

    def hold(self, host: str, port: int) -> "_Hold":
        """Wait for the host's turn (`async with`) and keep it until the block ends."""
        return _Hold(self._lanes, (host, port))


class _Hold:
    """A user of a lane, from its wait to its end."""

    def __init__(self, lanes: dict[tuple[str, int], _Lane], key: tuple[str, int]) -> None:
        self._lanes, self._key = lanes, key
        self._lane = lanes.setdefault(key, _Lane())

    async def __aenter__(self) -> None:
        self._lane.users += 1
        try:
            await self._lane.lock.acquire()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *exc: object) -> None:
        self._lane.lock.release()
        self._leave()

    def _leave(self) -> None:
        self._lane.users -= 1
        if not self._lane.users:
            del self._lanes[self._key]
