"""Sessions in memory."""

from dataclasses import replace

from adapters.memory.kept_people import KeptSession
from adapters.memory.ledger import InMemoryLedger
from collector.domain.roles import Role
from collector.ports.keys import Principal
from collector.ports.users import NewSession, Rotation, Token, TokenPair


class InMemorySessions:
    """`SessionStore` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger, self._people = ledger, ledger.people

    async def begin(self, session: NewSession, password_hash: str, now_ms: int) -> bool:
        """Keep the first pair of a session; see `SessionStore.begin`."""
        self._ledger.check_here()
        kept = self._people.users.get(session.user_id)
        if kept is None or not kept.user.active or kept.password_hash != password_hash:
            return False
        kept.user = replace(kept.user, signed_in_ms=now_ms)
        for key, former in list(self._people.sessions.items()):
            if former.user_id == session.user_id and not former.goes_on(now_ms):
                del self._people.sessions[key]
        made = KeptSession(session.user_id)
        self._people.sessions[session.id] = made
        _add(made, session.pair)
        return True

    async def find(self, access_id: str, now_ms: int) -> tuple[bytes, Principal] | None:
        """Hash of the secret and whose it is; see `SessionStore.find`."""
        self._ledger.check_here()
        for session_id, session in self._people.sessions.items():
            token = session.access.get(access_id)
            if token is not None and token.expires_ms > now_ms and self._is_good(session):
                user = self._people.users[session.user_id].user
                credential = f"session/{session_id}"
                principal = Principal(user.organization, f"user/{user.id}", user.role, credential=credential)
                return token.secret_sha256, principal
        return None

    async def rotate(self, used: Token, pair: TokenPair, now_ms: int) -> Rotation | None:
        """Use a refresh token up and keep the next pair; see `SessionStore.rotate`."""
        self._ledger.check_here()
        found = ((key, session) for key, session in self._people.sessions.items() if used.id in session.refresh)
        session_id, session = next(found, ("", KeptSession("")))
        token = session.refresh.get(used.id)
        fits = token is not None and token.secret_sha256 == used.secret_sha256 and token.expires_ms > now_ms
        if not fits or not self._is_good(session):
            return None
        organization = self._people.users[session.user_id].user.organization
        rotation = Rotation(
            session_id, renewed=used.id not in session.used, user_id=session.user_id, organization=organization
        )
        if not rotation.renewed:
            session.ended = True
            return rotation
        session.used.add(used.id)
        session.access.clear()
        _add(session, pair)
        return rotation

    async def role_of(self, session_id: str, now_ms: int) -> Role | None:
        """What whoever is in it may do now; see `SessionStore.role_of`."""
        self._ledger.check_here()
        session = self._people.sessions.get(session_id)
        if session is None or not session.goes_on(now_ms) or not self._is_good(session):
            return None
        return self._people.users[session.user_id].user.role

    async def end(self, session_id: str) -> bool:
        """End it; see `SessionStore.end`."""
        self._ledger.check_here()
        session = self._people.sessions.get(session_id)
        if session is None or session.ended:
            return False
        session.ended = True
        return True

    async def end_all(self, user_id: str) -> int:
        """End every session of a user; see `SessionStore.end_all`."""
        self._ledger.check_here()
        return self._people.end_sessions(user_id)

    def _is_good(self, session: KeptSession) -> bool:
        return not session.ended and self._people.users[session.user_id].user.active


def _add(session: KeptSession, pair: TokenPair) -> None:
    session.access[pair.access.id] = pair.access
    session.refresh[pair.refresh.id] = pair.refresh
