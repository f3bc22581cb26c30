"""Who asks: an API key or an access token is looked up by its id and compared by the hash of its secret."""

import hashlib
import hmac
import re
from dataclasses import dataclass

from collector.domain.errors import AwayError
from collector.ports import Clock, KeyStore, Principal
from collector.usecases.sessions import KnownSessions

KEY_PATTERN = re.compile(r"chl_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
TRUST_MS = 5_000
"""How long a key that was seen valid is trusted while it cannot be looked up."""
TRUSTED_LIMIT = 10_000
"""Keys remembered at most: an attacker must not fill the memory."""


@dataclass(frozen=True, slots=True)
class _Seen:
    digest: bytes
    principal: Principal
    at_ms: int


class Authenticate:
    """Turns an API key or an access token into a principal. It may run any number of times.

    Attributes:
        sessions: of users who signed in; None = there are none.
    """

    def __init__(self, keys: KeyStore, clock: Clock, sessions: KnownSessions | None = None) -> None:
        self._keys, self._clock, self.sessions = keys, clock, sessions
        self._seen: dict[str, _Seen] = {}

    async def __call__(self, key: str) -> Principal | None:
        """Whose key it is; None when it is no key of ours, unknown or revoked.

        Raises:
            AwayError: it cannot be looked up and was not seen valid within `TRUST_MS`.
        """
        match = KEY_PATTERN.fullmatch(key)
        if match is None:
            return await self.sessions(key) if self.sessions is not None else None
        key_id, digest = match[1], hashlib.sha256(match[2].encode()).digest()
        try:
            found = await self._keys.find(key_id)
        except AwayError:
            return self._trusted(key_id, digest)
        if found is None:
            self._seen.pop(key_id, None)  # revoked: not trusted a moment longer
            return None
        if not hmac.compare_digest(found[0], digest):
            return None
        self._remember(key_id, _Seen(digest, found[1], self._clock.monotonic_ms()))
        return found[1]

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
