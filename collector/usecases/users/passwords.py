"""Changing a password, and what helps whoever has forgotten it."""

import asyncio
import logging

from collector.domain.credentials import Kind, given_credential
from collector.domain.errors import AwayError, ConflictError, InvalidFieldError, UnauthenticatedError
from collector.domain.people import check_password, normal_email, normal_password
from collector.ports import Principal
from collector.ports.credentials import PasswordHasher
from collector.ports.users import ResetStore, User, UserStore
from collector.usecases.users.desk import MINUTE_MS, Guesses, Issued, Issuer, SignedIn, refuse_above, user_id_of
from collector.usecases.users.letters import Letters
from collector.usecases.users.signing_in import SignIn

APART_MS = 5 * MINUTE_MS
"""One mail in so long for one address, however often somebody asks."""
PENDING_LIMIT = 100
"""Letters that are being written at a time."""
USELESS = "this token is not valid: unknown, expired, or used before"
USELESS_REMEDY = "ask for another one: POST /v1/auth/forgotten-password, or an administrator"

log = logging.getLogger(__name__)


class ChangePassword:
    """Sets another password for whoever asks and knows the present one; every session ends, and another begins."""

    def __init__(self, users: UserStore, hasher: PasswordHasher, guesses: Guesses, sign_in: SignIn) -> None:
        self._users, self._hasher, self._guesses, self._sign_in = users, hasher, guesses, sign_in

    async def __call__(self, principal: Principal, present: str, wanted: str) -> SignedIn:
        """Set it.

        Args:
            principal: who asks.
            present: the password that stands.
            wanted: the next one.

        Raises:
            ForbiddenError: an API key has no password.
            TooManyRequestsError: too many attempts for this account.
            InvalidFieldError: field `password`: it is not the present one; field `new_password`: it may not be it.
            ConflictError: it was changed meanwhile.
            AwayError: the store cannot be reached.
        """
        found = await self._users.own_password(user_id_of(principal))
        assert found is not None  # nothing deletes users
        user, former = found
        present, wanted = normal_password(present), normal_password(wanted)
        check_password(wanted, user.email, "new_password")
        await self._guesses.count(user.email)
        if not await self._hasher.matches(former, present) or former is None:
            raise InvalidFieldError("password", "it is not your password", "give the present one")
        password_hash = await self._hasher.hash(wanted)
        if not await self._users.set_password(user.id, password_hash, former):
            raise ConflictError("the password was changed meanwhile", "sign in again", "password")
        return await self._sign_in.begin(user, password_hash)


class IssuePasswordReset:
    """Gives an administrator a one-time token for somebody who cannot sign in. Each run makes the former useless."""

    def __init__(self, users: UserStore, resets: ResetStore, issuer: Issuer) -> None:
        self._users, self._resets, self._issuer = users, resets, issuer

    async def __call__(self, principal: Principal, user_id: str) -> Issued:
        """The token, which nobody can read again.

        Raises:
            NotFoundError: not there, or another organization's.
            ForbiddenError: the user's role is above the principal's: whoever has the token becomes that user.
            ConflictError: the user is inactive.
            AwayError: the store cannot be reached.
        """
        user = await self._users.find(principal.organization, user_id)
        refuse_above(principal, user.role, "a token for a")
        if not user.active:
            raise ConflictError("this user is inactive and cannot sign in", "make it active first", "active")
        issued = self._issuer.issue(Kind.RESET)
        await self._resets.issue(user.id, issued.token)
        return issued


class RequestPasswordReset:
    """Sends a one-time token to an address, if somebody signs in with it; it never says whether.

    What depends on that happens after the answer. What is under way when the process ends is lost: nothing was
    promised, and whoever asks again gets it.
    """

    def __init__(
        self, users: UserStore, resets: ResetStore, issuer: Issuer, guesses: Guesses, letters: Letters | None
    ) -> None:
        self._users, self._resets, self._issuer = users, resets, issuer
        self._guesses, self._letters = guesses, letters
        self._pending: set[asyncio.Task[None]] = set()

    async def __call__(self, email: str) -> bool:
        """Whether this deployment sends mail at all; without it only an administrator can help.

        Raises:
            InvalidFieldError: field `email`: it is no address.
            TooManyRequestsError: too many attempts for this address.
            AwayError: too many letters are being written.
        """
        email = normal_email(email)
        await self._guesses.count(email)
        if self._letters is None:
            return False
        if len(self._pending) >= PENDING_LIMIT:
            raise AwayError("too many letters are under way: try again")
        task = asyncio.create_task(self._help(email, self._letters))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
        return True

    async def settled(self) -> None:
        """Return when every letter that is under way was sent, or failed."""
        await asyncio.gather(*self._pending)

    async def _help(self, email: str, letters: Letters) -> None:
        try:
            found = await self._users.password_of(email)
            if found is None or not found[0].active:
                return
            issued = self._issuer.issue(Kind.RESET)
            if await self._resets.offer(found[0].id, issued.token, APART_MS):
                await letters.send_reset(email, issued.text)
        except AwayError as error:
            log.warning("a letter for a forgotten password was not sent: %s", error)
        except Exception:
            log.exception("a letter for a forgotten password met a bug")


class ResetPassword:
    """Sets a password by a one-time token. A second run finds the token used up."""

    def __init__(self, resets: ResetStore, hasher: PasswordHasher, issuer: Issuer) -> None:
        self._resets, self._hasher, self._issuer = resets, hasher, issuer

    async def __call__(self, token: str, password: str) -> User:
        """Set it; every session of the user ends.

        Raises:
            InvalidFieldError: field `token`: it is none; field `password`: it may not be it.
            UnauthenticatedError: the token is unknown, expired or used up.
            AwayError: the store cannot be reached.
        """
        shown = given_credential(Kind.RESET, token, "token")
        user = await self._resets.of_token(shown.id, shown.secret_sha256, self._issuer.now_ms())
        if user is None:
            raise UnauthenticatedError(USELESS, USELESS_REMEDY, "token")
        password = normal_password(password)
        check_password(password, user.email)
        password_hash = await self._hasher.hash(password)
        if not await self._resets.use(shown.id, shown.secret_sha256, password_hash, self._issuer.now_ms()):
            raise UnauthenticatedError(USELESS, USELESS_REMEDY, "token")
        return user
