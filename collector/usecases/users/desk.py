"""What the use cases of people share: making tokens, counting guesses, and who may give what to whom."""

import hashlib
from dataclasses import dataclass, field

from collector.domain.access import Traffic
from collector.domain.credentials import Credential, Kind
from collector.domain.errors import ForbiddenError, TooManyRequestsError
from collector.domain.roles import Role
from collector.ports import Clock, Principal
from collector.ports.credentials import CredentialMaker
from collector.ports.limits import RateLimiter
from collector.ports.users import Token, TokenPair, User

MINUTE_MS, DAY_MS = 60_000, 86_400_000
LIVES_MS = {
    Kind.ACCESS: 15 * MINUTE_MS,
    Kind.REFRESH: 30 * DAY_MS,
    Kind.INVITATION: 7 * DAY_MS,
    Kind.RESET: 60 * MINUTE_MS,
}
"""How long each is of use."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A secret that is handed out.

    Attributes:
        text: of it; shown this once.
        token: what is kept of it.
    """

    text: str = field(repr=False)
    token: Token


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What somebody who signed in is handed.

    Attributes:
        session: its id.
        access: sent with each request.
        refresh: gets the next pair, once.
        user_id: whose session.
        organization: of the user.
        user: all of it; None when a pair took the place of another.
    """

    session: str
    access: Issued
    refresh: Issued
    user_id: str
    organization: str
    user: User | None = None


class Issuer:
    """Makes secrets that expire. Each run makes others."""

    def __init__(self, maker: CredentialMaker, clock: Clock) -> None:
        self._maker, self._clock = maker, clock

    def new_id(self) -> str:
        """An id that nothing else has."""
        return self._maker.new_id()

    def now_ms(self) -> int:
        """The time by which tokens live."""
        return self._clock.now_ms()

    def issue(self, kind: Kind) -> Issued:
        """A secret of that kind, from now on."""
        made: Credential = self._maker.make(kind)
        return Issued(made.text, Token(made.id, made.secret_sha256, self._clock.now_ms() + LIVES_MS[kind]))

    def pair(self) -> tuple[Issued, Issued, TokenPair]:
        """An access and a refresh token, and what is kept of them."""
        access, refresh = self.issue(Kind.ACCESS), self.issue(Kind.REFRESH)
        return access, refresh, TokenPair(access.token, refresh.token)


class Guesses:
    """Counts guesses at one account, known or not, from wherever they come; those that succeed too.

    So somebody can be kept out for as long as others guess, five minutes at a time; sessions that are open go on.
    """

    def __init__(self, limiter: RateLimiter | None) -> None:
        self._limiter = limiter

    async def count(self, email: str) -> None:
        """Count one more.

        Raises:
            TooManyRequestsError: past the limit.
        """
        if self._limiter is None:
            return
        account = hashlib.sha256(email.encode()).hexdigest()[:32]  # the address itself is nobody's business there
        state = await self._limiter.hit(f"account/{account}", Traffic.ACCOUNT)
        if not state.allowed:
            wait_s = max(1, state.reset_s)
            problem = f"more than {state.limit} attempts for this address in {state.window_s} s"
            raise TooManyRequestsError(problem, wait_s, f"wait {wait_s} s")


def refuse_above(principal: Principal, role: Role, what: str) -> None:
    """Nobody gives more than they have, nor touches whoever may more than they.

    Raises:
        ForbiddenError: the role is above the principal's.
    """
    if not principal.role.covers(role):
        problem = f"{what} {role.value} takes that role, and yours is {principal.role.value}"
        raise ForbiddenError(problem, f"ask a {role.value}")


def user_id_of(principal: Principal) -> str:
    """Id of the user who asks.

    Raises:
        ForbiddenError: it is no user who signed in, but an API key.
    """
    kind, _, user_id = principal.subject.partition("/")
    if kind != "user":
        raise ForbiddenError("an API key has no session and no password", "sign in as a user; keys are revoked")
    return user_id


def session_of(principal: Principal) -> str:
    """Id of the session in which somebody asks.

    Raises:
        ForbiddenError: it is no user who signed in, but an API key.
    """
    user_id_of(principal)
    return principal.credential.removeprefix("session/")
