"""Credentials that were seen valid a moment ago, for the time in which nothing can be looked up."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from collector.domain.errors import AwayError
from collector.ports import Clock, Principal

TRUST_MS = 5_000
"""How long a credential that was seen valid is trusted while it cannot be looked up."""
TRUSTED_LIMIT = 10_000
"""Credentials remembered at most: an attacker must not fill the memory."""

LookUp = Callable[[], Awaitable[tuple[bytes, Principal] | None]]
"""Hash of the secret and whose it is; None when it is not valid."""


@dataclass(frozen=True, slots=True)
class _Seen:
    digest: bytes
    principal: Principal
    at_ms: int


class Trust:
    """Looks credentials up, and remembers which were valid. Trust is not renewed by what is only remembered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    async def principal(self, key: str, digest: bytes, look_up: LookUp) -> Principal | None:
        """Whose it is; None when it is not valid.

        Args:
            key: id of the credential.
            digest: hash of the secret that was shown.
            look_up: asks the store.

        Raises:
            AwayError: it cannot be looked up and was not seen valid within `TRUST_MS`.
        """
        try:
            found = await look_up()
        except AwayError:
            return self._trusted(key, digest)
        if found is None:
            self._seen.pop(key, None)  # over: not trusted a moment longer
            return None
        if not hmac.compare_digest(found[0], digest):
            return None
        self._remember(key, _Seen(digest, found[1], self._clock.monotonic_ms()))
        return found[1]

    def _trusted(self, key: str, digest: bytes) -> Principal:
        seen = self._seen.get(key)
        fresh = seen is not None and self._clock.monotonic_ms() - seen.at_ms <= TRUST_MS
        if seen is None or not fresh or not hmac.compare_digest(seen.digest, digest):
            raise AwayError("the credential cannot be looked up: the registry is away")
        return seen.principal

    def _remember(self, key: str, seen: _Seen) -> None:
        self._seen.pop(key, None)
        self._seen[key] = seen
        if len(self._seen) > TRUSTED_LIMIT:
            del self._seen[next(iter(self._seen))]
