"""Whether what opened a stream would still open one."""

from collector.domain.roles import Role
from collector.ports import Clock, KeyStore, Principal
from collector.ports.users import SessionStore


class StillValid:
    """Looks a credential up again by its name: a stream has no secret, and behind the gateway it never had one.

    It may run any number of times, and trusts nothing that was seen before: what cannot be looked up shows nothing.
    """

    def __init__(self, keys: KeyStore, sessions: SessionStore, clock: Clock) -> None:
        self._keys, self._sessions, self._clock = keys, sessions, clock

    async def __call__(self, principal: Principal) -> bool:
        """Whether `key/<id>` is neither revoked nor expired, `session/<id>` goes on; nothing else is valid.

        Whoever has a lesser role since may see less, another organization for one: their streams end too.

        Args:
            principal: who opened the stream, and how far they could go then.

        Raises:
            AwayError: it cannot be looked up.
        """
        role = await self._role(principal.credential)
        return role is not None and role.covers(principal.role)

    async def _role(self, credential: str) -> Role | None:
        kind, _, name = credential.partition("/")
        if kind == "session":
            return await self._sessions.role_of(name, self._clock.now_ms())
        found = await self._keys.find(name) if kind == "key" else None
        return None if found is None else found[1].role
