"""Who asks with an access token."""

from collector.domain.credentials import Kind, read_credential
from collector.ports import Clock, Principal
from collector.ports.users import SessionStore
from collector.usecases.trust import Trust


class KnownSessions:
    """Turns an access token into a principal. It may run any number of times."""

    def __init__(self, sessions: SessionStore, clock: Clock) -> None:
        self._sessions, self._clock = sessions, clock
        self._trust = Trust(clock)

    async def __call__(self, token: str) -> Principal | None:
        """Whose token it is; None when it is none of ours, expired, or its session over.

        Raises:
            AwayError: it cannot be looked up and was not seen valid a moment ago.
        """
        shown = read_credential(Kind.ACCESS, token)
        if shown is None:
            return None
        now_ms = self._clock.now_ms()
        return await self._trust.principal(shown.id, shown.secret_sha256, lambda: self._sessions.find(shown.id, now_ms))
