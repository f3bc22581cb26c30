"""Whether this process can do its work: which servers that it needs are away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from collector.domain.errors import AwayError

WITHIN_S = 2.0
"""A server that does not answer within this is away for whoever asks whether we are ready."""

Probe = Callable[[], Awaitable[object]]


class CheckReadiness:
    """Asks every server that is needed, all at once."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = probes

    async def __call__(self) -> Sequence[str]:
        """Names of the servers that are away; empty when all is well."""
        answers = await asyncio.gather(*(self._is_away(probe) for probe in self._probes.values()))
        return [name for name, away in zip(self._probes, answers, strict=True) if away]

    async def _is_away(self, probe: Probe) -> bool:
        try:
            async with asyncio.timeout(WITHIN_S):
                await probe()
        except (TimeoutError, AwayError):
            return True
        return False
