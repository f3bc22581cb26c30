"""Who asks: an API key is looked up by its id and compared by the hash of its secret."""

import hashlib
import hmac
import logging
import re
from dataclasses import dataclass

from collector.domain.errors import AwayError
from collector.ports import Clock, KeyStore, Principal

KEY_ID = re.compile("[0-9a-f]{12}")
KEY_PATTERN = re.compile(rf"chl_({KEY_ID.pattern})_([A-Za-z0-9_-]{{43}})", re.ASCII)
TRUST_MS = 5_000
"""How long a key that was seen valid is trusted while it cannot be looked up."""
TRUSTED_LIMIT = 10_000
"""Keys remembered at most: an attacker must not fill the memory."""
NOTED_MS = 60_000
"""How often a process at most writes down that a key is used."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    digest: bytes
    principal: Principal
    at_ms: int
    noted_ms: int


class Authenticate:
    """Turns an API key into a principal. It may run any number of times."""

    def __init__(self, keys: KeyStore, clock: Clock) -> None:
        self._keys, self._clock = keys, clock
        self._seen: dict[str, _Seen] = {}

    async def __call__(self, key: str) -> Principal | None:
        """Whose key it is; None when it is no key of ours, unknown, expired or revoked.

        Raises:
            AwayError: it cannot be looked up and was not seen valid within `TRUST_MS`.
        """
        match = KEY_PATTERN.fullmatch(key)
        if match is None:
            return None
        key_id, digest = match[1], hashlib.sha256(match[2].encode()).digest()
        try:
            found = await self._keys.find(key_id)
        except AwayError:
            return self._trusted(key_id, digest)
        if found is None:
            self._seen.pop(key_id, None)  # revoked or expired: not trusted a moment longer
            return None
        if not hmac.compare_digest(found[0], digest):
            return None
        noted_ms = await self._note_use(key_id)
        self._remember(key_id, _Seen(digest, found[1], self._clock.monotonic_ms(), noted_ms))
        return found[1]

    async def _note_use(self, key_id: str) -> int:
        """When it was written down last that the key is used: now, if that was long ago."""
        now_ms, seen = self._clock.monotonic_ms(), self._seen.get(key_id)
        if seen is not None and now_ms - seen.noted_ms < NOTED_MS:
            return seen.noted_ms
        try:
            await self._keys.note_use(key_id)
        except AwayError as error:  # whoever has a valid key is not to be refused for that
            log.warning("the use of key %s cannot be noted: %s", key_id, error)
        return now_ms

    def _trusted(self, key_id: str, digest: bytes) -> Principal:
        seen = self._seen.get(key_id)
        fresh = seen is not None and self._clock.monotonic_ms() - seen.at_ms <= TRUST_MS
        if seen is None or not fresh or not hmac.compare_digest(seen.digest, digest):
            raise AwayError("the key cannot be looked up: the registry is away")
        return seen.principal

    def _remember(self, key_id: str, seen: _Seen) -> None:
        self._seen.pop(key_id, None)
        self._seen[key_id] = seen
        if len(self._seen) > TRUSTED_LIMIT:
            del self._seen[next(iter(self._seen))]
