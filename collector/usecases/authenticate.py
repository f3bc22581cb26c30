"""Who asks: an API key or an access token is looked up by its id and compared by the hash of its secret."""

import hashlib
import logging
import re

from collector.domain.errors import AwayError
from collector.ports import Clock, KeyStore, Principal
from collector.usecases.sessions import KnownSessions
from collector.usecases.trust import TRUSTED_LIMIT, Trust

KEY_ID = re.compile("[0-9a-f]{12}")
KEY_PATTERN = re.compile(rf"chl_({KEY_ID.pattern})_([A-Za-z0-9_-]{{43}})", re.ASCII)
NOTED_MS = 60_000
"""How often a process at most writes down that a key is used."""

log = logging.getLogger(__name__)


class Authenticate:
    """Turns an API key or an access token into a principal. It may run any number of times."""

    def __init__(self, keys: KeyStore, clock: Clock, sessions: KnownSessions | None = None) -> None:
        self._keys, self._clock, self._sessions = keys, clock, sessions
        self._trust = Trust(clock)
        self._noted_ms: dict[str, int] = {}

    async def __call__(self, key: str) -> Principal | None:
        """Whose key it is; None when it is no key of ours, unknown, expired or revoked.

        Raises:
            AwayError: it cannot be looked up and was not seen valid within `TRUST_MS`.
        """
        match = KEY_PATTERN.fullmatch(key)
        if match is None:
            return await self._sessions(key) if self._sessions is not None else None
        key_id, digest = match[1], hashlib.sha256(match[2].encode()).digest()
        principal = await self._trust.principal(key_id, digest, lambda: self._keys.find(key_id))
        if principal is not None:
            await self._note_use(key_id)
        return principal

    async def _note_use(self, key_id: str) -> None:
        """Write down that the key is used, if that was done long ago."""
        now_ms, noted_ms = self._clock.monotonic_ms(), self._noted_ms.pop(key_id, None)
        fresh = noted_ms is not None and now_ms - noted_ms < NOTED_MS
        self._noted_ms[key_id] = noted_ms if noted_ms is not None and fresh else now_ms
        if len(self._noted_ms) > TRUSTED_LIMIT:
            del self._noted_ms[next(iter(self._noted_ms))]
        if fresh:
            return
        try:
            await self._keys.note_use(key_id)
        except AwayError as error:  # whoever has a valid key is not to be refused for that
            log.warning("the use of key %s cannot be noted: %s", key_id, error)
