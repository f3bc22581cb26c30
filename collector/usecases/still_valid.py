"""Whether what opened a stream would still open one."""

from collector.ports import Clock, KeyStore
from collector.ports.users import SessionStore


class StillValid:
    """Looks a credential up again by its name: a stream has no secret, and behind the gateway it never had one.

    It may run any number of times, and trusts nothing that was seen before: what cannot be looked up shows nothing.
    """

    def __init__(self, keys: KeyStore, sessions: SessionStore, clock: Clock) -> None:
        self._keys, self._sessions, self._clock = keys, sessions, clock

    async def __call__(self, credential: str) -> bool:
        """Whether `key/<id>` is neither revoked nor expired, `session/<id>` goes on; nothing else is valid.

        Args:
            credential: `Principal.credential`.

        Raises:
            AwayError: it cannot be looked up.
        """
        kind, _, name = credential.partition("/")
        if kind == "session":
            return await self._sessions.is_open(name, self._clock.now_ms())
        return kind == "key" and await self._keys.find(name) is not None
