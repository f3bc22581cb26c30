"""People of an organization, how they sign in, and how they came to be there."""

from dataclasses import dataclass, field
from typing import Protocol

from collector.domain.roles import Role
from collector.ports.keys import Principal
from collector.ports.paging import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person of one organization.

    Attributes:
        id: 12 hexadecimal digits.
        organization: whose.
        email: lower case; unique in the deployment, for nothing else is asked when signing in.
        first_name: for people.
        last_name: for people.
        role: what they may.
        active: False = cannot sign in, and every session has ended.
        version: counts the changes.
        created_ms: when it was made; of no account when two are compared, as is what follows.
        updated_ms: when it was changed last.
        signed_in_ms: when they signed in last; None = never.
    """

    id: str
    organization: str
    email: str
    first_name: str = ""
    last_name: str = ""
    role: Role = Role.VIEWER
    active: bool = True
    version: int = 1
    created_ms: int = field(default=0, compare=False)
    updated_ms: int = field(default=0, compare=False)
    signed_in_ms: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A place for somebody who is not there yet; whoever has its token may take it, once.

    Attributes:
        id: 12 hexadecimal digits.
        organization: whose.
        email: to whom it was given; they sign in with it.
        role: what they will be able to do.
        created_by: subject of whoever invited.
        created_ms: when.
        expires_ms: from when on it is of no use.
    """

    id: str
    organization: str
    email: str
    role: Role
    created_by: str
    created_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Token:
    """What a store keeps of a secret that was handed out: `<kind>_<id>_<secret>`.

    Attributes:
        id: 12 hexadecimal digits; not a secret.
        secret_sha256: 32 bytes.
        expires_ms: from when on it is of no use.
    """

    id: str
    secret_sha256: bytes
    expires_ms: int


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What somebody who signed in holds: the access token is sent along, the refresh token gets the next pair, once."""

    access: Token
    refresh: Token


@dataclass(frozen=True, slots=True)
class NewSession:
    """A sign-in.

    Attributes:
        id: 12 hexadecimal digits.
        user_id: whose.
        pair: its first one.
    """

    id: str
    user_id: str
    pair: TokenPair


@dataclass(frozen=True, slots=True)
class Rotation:
    """What became of a refresh token that was shown.

    Attributes:
        session: its session.
        renewed: whether the next pair is kept. False: it was used up before, and the session has ended with all its
            tokens, because whoever sends it has a copy, or somebody else has.
        user_id: whose session; of no account when two are compared, as is the next.
        organization: of the user.
    """

    session: str
    renewed: bool
    user_id: str = field(default="", compare=False)
    organization: str = field(default="", compare=False)


class UserStore(Protocol):
    """Users and their passwords' hashes.

    An organization that has an active administrator with a password keeps one: a change that would take the last is
    refused, whoever asks, and of two such changes at once one.
    """

    async def add(self, user: User, password_hash: str | None = None) -> tuple[User, bool]:
        """The user, and whether it is new; the address being a user of the same organization already: what stands.

        Without a hash nobody can sign in as it before a password was set.

        Raises:
            ConflictError: field `email`: somebody of another organization has it (which it does not say).
            NotFoundError: there is no such organization.
        """
        ...

    async def find(self, organization: str, user_id: str) -> User:
        """The user.

        Raises:
            NotFoundError: not there, or another organization's.
        """
        ...

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[User]:
        """Users by e-mail address.

        Raises:
            InvalidFieldError: field `cursor`.
        """
        ...

    async def change(self, user: User, version: int) -> User:
        """Replace what stands at `version`; when it becomes inactive every session ends with it.

        A new address makes one-time tokens that were sent to the old one useless.

        Raises:
            NotFoundError: not there, or another organization's.
            StaleVersionError: somebody changed it since.
            ConflictError: field `email`: it is taken; field `role` or `active`: it is the last administrator.
        """
        ...

    async def password_of(self, email: str) -> tuple[User, str | None] | None:
        """Who signs in with that address, active or not, and the hash of their password."""
        ...

    async def own_password(self, user_id: str) -> tuple[User, str | None] | None:
        """Whoever asks, and the hash of their password, wherever they act; None = no such user."""
        ...

    async def set_password(self, user_id: str, password_hash: str, former: str) -> bool:
        """Replace the hash `former`; every session ends, and every one-time token of the user is of no use.

        False, and nothing changed: another hash stands, or the user is inactive.
        """
        ...

    async def strengthen(self, user_id: str, password_hash: str, former: str) -> None:
        """Replace the hash `former` by a stronger one of the same password; another one that stands stays."""
        ...


class InvitationStore(Protocol):
    """Places for people who are not there yet."""

    async def invite(self, invitation: Invitation, token: Token) -> None:
        """Keep an invitation, in place of an open one for the same address in the same organization.

        Raises:
            ConflictError: field `email`: somebody signs in with it already.
            NotFoundError: there is no such organization.
        """
        ...

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[Invitation]:
        """Those that were neither accepted, revoked nor replaced, by address; expired ones until they are cleared away.

        Raises:
            InvalidFieldError: field `cursor`.
        """
        ...

    async def find(self, organization: str, invitation_id: str) -> Invitation:
        """An open one.

        Raises:
            NotFoundError: there is no open one of that id there.
        """
        ...

    async def open_for(self, organization: str, email: str) -> Invitation | None:
        """The open one for that address there, an expired one too until it is cleared away; None: there is none."""
        ...

    async def revoke(self, organization: str, invitation_id: str) -> bool:
        """It is of no use from now on. False when there is no open one of that id there."""
        ...

    async def of_token(self, token_id: str, secret_sha256: bytes, now_ms: int) -> Invitation | None:
        """The open invitation with that token; None: unknown, used, revoked, expired, or another secret."""
        ...

    async def accept(self, invitation_id: str, user: User, password_hash: str, now_ms: int) -> User:
        """Make the user and use the invitation up, both or neither.

        Raises:
            ConflictError: it is not open any more, or the address is taken.
        """
        ...


class ResetStore(Protocol):
    """One-time tokens for forgotten passwords."""

    async def issue(self, user_id: str, token: Token) -> None:
        """Keep a token; earlier ones of the user are of no use any more."""
        ...

    async def offer(self, user_id: str, token: Token, apart_ms: int) -> bool:
        """Keep a token beside earlier ones: nobody who does not prove anything makes those useless.

        False, and nothing is kept: one of the user's expires less than `apart_ms` before this one, or later.
        """
        ...

    async def of_token(self, token_id: str, secret_sha256: bytes, now_ms: int) -> User | None:
        """Whose token it is; None: unknown, used, expired, another secret, or its user inactive."""
        ...

    async def use(self, token_id: str, secret_sha256: bytes, password_hash: str, now_ms: int) -> bool:
        """Set the password of whose token it is, end every session of theirs and make all their tokens useless.

        All or nothing; False as `of_token` is None. Of two uses at once one is True.
        """
        ...


class SessionStore(Protocol):
    """Who is signed in: families of tokens, each begun by one sign-in."""

    async def begin(self, session: NewSession, password_hash: str, now_ms: int) -> bool:
        """Keep the first pair of a session, and that the user signed in now.

        False, and nothing is kept: the user is inactive, or has another password than the one that was checked.
        """
        ...

    async def find(self, access_id: str, now_ms: int) -> tuple[bytes, Principal] | None:
        """Hash of the access token's secret and whose it is.

        None: unknown, expired, replaced by the next pair, its session over or its user inactive.
        """
        ...

    async def rotate(self, used: Token, pair: TokenPair, now_ms: int) -> Rotation | None:
        """Use a refresh token up and keep the next pair in place of all tokens before, all or nothing.

        None, and nothing changed: unknown, expired, another secret, its session over or its user inactive. However
        many show one token at once, at most one pair of a session is of use afterwards.
        """
        ...

    async def role_of(self, session_id: str, now_ms: int) -> Role | None:
        """What whoever is in the session may do now; None: it does not go on, no token of it is of use any more."""
        ...

    async def end(self, session_id: str) -> bool:
        """End it with all its tokens. False when it was over: again changes nothing."""
        ...

    async def end_all(self, user_id: str) -> int:
        """End every session of a user; how many had not ended before."""
        ...
