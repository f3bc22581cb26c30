"""Signing in, going on, and signing out."""

import logging

from collector.domain.credentials import Kind, given_credential
from collector.domain.errors import UnauthenticatedError
from collector.domain.people import normal_email, normal_password
from collector.ports import Principal
from collector.ports.credentials import PasswordHasher
from collector.ports.users import NewSession, SessionStore, Token, User, UserStore
from collector.usecases.users.desk import Guesses, Issuer, SignedIn, refuse_above, session_of, user_id_of

WRONG = "address or password is wrong"
"""One answer for whoever is unknown, has no password yet, is inactive, or mistyped it."""
WRONG_REMEDY = "check both; POST /v1/auth/forgotten-password helps, and so does an administrator"
SPENT = "this refresh token is not valid: unknown, expired, or used before"
SPENT_REMEDY = "sign in again; each refresh token is good for one use, and a second one ends the session"

log = logging.getLogger(__name__)


class SignIn:
    """Turns an address and a password into a session. Each run begins another one."""

    def __init__(
        self, users: UserStore, sessions: SessionStore, hasher: PasswordHasher, issuer: Issuer, guesses: Guesses
    ) -> None:
        self._users, self._sessions, self._hasher = users, sessions, hasher
        self._issuer, self._guesses = issuer, guesses

    async def __call__(self, email: str, password: str) -> SignedIn:
        """Begin a session.

        Raises:
            InvalidFieldError: field `email`: it is no address.
            TooManyRequestsError: too many attempts for this address.
            UnauthenticatedError: wrong, whatever of it; it takes as long for each cause.
            AwayError: it cannot be told.
        """
        email, password = normal_email(email), normal_password(password)
        await self._guesses.count(email)
        user, password_hash = await self._users.password_of(email) or (None, None)
        usable = password_hash if user is not None and user.active else None
        if not await self._hasher.matches(usable, password) or user is None or usable is None:
            account = None if user is None else (user.organization, f"user/{user.id}")
            raise UnauthenticatedError(WRONG, WRONG_REMEDY, "password", account=account)
        return await self._begin(user, password, usable)

    async def begin(self, user: User, password_hash: str) -> SignedIn:
        """Begin a session of somebody whose password was checked.

        Raises:
            UnauthenticatedError: they are inactive, or another password was set meanwhile.
        """
        access, refresh, pair = self._issuer.pair()
        session = NewSession(self._issuer.new_id(), user.id, pair)
        if not await self._sessions.begin(session, password_hash, self._issuer.now_ms()):
            raise UnauthenticatedError(WRONG, WRONG_REMEDY, "password")
        return SignedIn(session.id, access, refresh, user.id, user.organization, user)

    async def _begin(self, user: User, password: str, password_hash: str) -> SignedIn:
        if self._hasher.is_outdated(password_hash):
            stronger = await self._hasher.hash(password)
            await self._users.strengthen(user.id, stronger, password_hash)
            found = await self._users.password_of(user.email)
            password_hash = stronger if found is not None and found[1] == stronger else password_hash
        return await self.begin(user, password_hash)


class RefreshSession:
    """Turns a refresh token into the next pair. A second run with the same token ends the session."""

    def __init__(self, sessions: SessionStore, issuer: Issuer) -> None:
        self._sessions, self._issuer = sessions, issuer

    async def __call__(self, refresh_token: str) -> SignedIn:
        """The next pair, in place of the one before.

        Raises:
            InvalidFieldError: field `refresh_token`: it is none.
            UnauthenticatedError: unknown, expired, used before, or its session over: one answer for all of them.
            AwayError: it cannot be told.
        """
        shown = given_credential(Kind.REFRESH, refresh_token, "refresh_token")
        access, refresh, pair = self._issuer.pair()
        now_ms = self._issuer.now_ms()
        used = Token(shown.id, shown.secret_sha256, now_ms)
        rotation = await self._sessions.rotate(used, pair, now_ms)
        if rotation is not None and not rotation.renewed:
            log.warning("a used refresh token of session %s came again: the session has ended", rotation.session)
            account = (rotation.organization, f"user/{rotation.user_id}")
            raise UnauthenticatedError(SPENT, SPENT_REMEDY, "refresh_token", account=account)
        if rotation is None:
            raise UnauthenticatedError(SPENT, SPENT_REMEDY, "refresh_token")
        return SignedIn(rotation.session, access, refresh, rotation.user_id, rotation.organization)


class SignOut:
    """Ends the session in which somebody asks. A second run is not authenticated any more."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions

    async def __call__(self, principal: Principal) -> None:
        """End it with all its tokens.

        Raises:
            ForbiddenError: an API key has no session.
            AwayError: the store cannot be reached.
        """
        await self._sessions.end(session_of(principal))


class SignOutEverywhere:
    """Ends every session of whoever asks."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions

    async def __call__(self, principal: Principal) -> int:
        """End them, this one too; how many there were.

        Raises:
            ForbiddenError: an API key has no session.
            AwayError: the store cannot be reached.
        """
        return await self._sessions.end_all(user_id_of(principal))


class SignOutUser:
    """Ends every session of another user. A second run finds none."""

    def __init__(self, users: UserStore, sessions: SessionStore) -> None:
        self._users, self._sessions = users, sessions

    async def __call__(self, principal: Principal, user_id: str) -> int:
        """End them; how many there were.

        Raises:
            NotFoundError: not there, or another organization's.
            ForbiddenError: the user's role is above the principal's.
            AwayError: the store cannot be reached.
        """
        user = await self._users.find(principal.organization, user_id)
        refuse_above(principal, user.role, "to sign out a")
        return await self._sessions.end_all(user.id)


class WhoAmI:
    """Who asks."""

    def __init__(self, users: UserStore) -> None:
        self._users = users

    async def __call__(self, principal: Principal) -> User | None:
        """The user; None = an API key asks.

        Raises:
            AwayError: the store cannot be reached.
        """
        kind, _, user_id = principal.subject.partition("/")
        if kind != "user":
            return None
        found = await self._users.own_password(user_id)
        return None if found is None else found[0]
