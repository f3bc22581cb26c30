"""People of an organization, how they sign in, and how they came to be there."""

from collections.abc import Sequence
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


class UserStore(Protocol):
    """Users, their passwords' hashes, invitations and one-time tokens for forgotten passwords."""

    async def add(self, user: User, password_hash: str | None) -> User:
        """Keep a user; without a hash nobody can sign in as it before a password was set.

        Raises:
            ConflictError: field `email`: there is one, perhaps in another organization (which it does not say).
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

        Raises:
            NotFoundError: not there, or another organization's.
            StaleVersionError: somebody changed it since.
            ConflictError: field `email`: it is taken.
        """
        ...

    async def password_of(self, email: str) -> tuple[User, str | None] | None:
        """Who signs in with that address, active or not, and the hash of their password."""
        ...

    async def set_password(self, user_id: str, password_hash: str) -> None:
        """Replace the hash; every session of the user ends, and every one-time token of theirs is of no use."""
        ...

    async def note_sign_in(self, user_id: str, now_ms: int) -> None:
        """Remember when they signed in last."""
        ...

    async def invite(self, invitation: Invitation, token: Token) -> None:
        """Keep an invitation, in place of an open one for the same address in the same organization.

        Raises:
            ConflictError: field `email`: somebody signs in with it already.
            NotFoundError: there is no such organization.
        """
        ...

    async def invitations(self, organization: str, now_ms: int) -> Sequence[Invitation]:
        """Those that are open, in the order in which they were made."""
        ...

    async def revoke_invitation(self, organization: str, invitation_id: str) -> bool:
        """It is of no use from now on. False when there is no open one of that id there."""
        ...

    async def find_invitation(self, token_id: str, now_ms: int) -> tuple[Token, Invitation] | None:
        """The open invitation with that token."""
        ...

    async def accept(self, invitation_id: str, user: User, password_hash: str) -> User:
        """Make the user and use the invitation up, both or neither.

        Raises:
            ConflictError: somebody else used it, or the address is taken.
        """
        ...

    async def add_reset(self, user_id: str, token: Token) -> None:
        """Keep a one-time token for a forgotten password; earlier ones of the user are of no use any more."""
        ...

    async def use_reset(self, token: Token, password_hash: str, now_ms: int) -> User | None:
        """Set the password of whose token it is, use the token up and end every session: all or nothing.

        `token.secret_sha256` has to be the one that is kept. None: unknown, used, expired, or another secret.
        """
        ...


class SessionStore(Protocol):
    """Who is signed in: families of tokens, each begun by one sign-in."""

    async def begin(self, session_id: str, user_id: str, pair: TokenPair) -> None:
        """Keep the first pair of a session."""
        ...

    async def find(self, access_id: str, now_ms: int) -> tuple[Token, Principal] | None:
        """The access token and whose it is; None: unknown, expired, its session over or its user inactive."""
        ...

    async def rotate(self, used: Token, pair: TokenPair, now_ms: int) -> str | None:
        """Use a refresh token up and keep the next pair, both or neither; the session's id.

        None: unknown, expired, another secret, its session over. A token that was used up before ends its whole
        session: whoever sends it has a copy, or somebody else has.
        """
        ...

    async def is_open(self, session_id: str) -> bool:
        """Whether the session goes on: neither ended nor its user inactive."""
        ...

    async def end(self, session_id: str) -> bool:
        """End it with all its tokens. False when it was over: again changes nothing."""
        ...

    async def end_all(self, user_id: str) -> int:
        """End every session of a user; how many there were."""
        ...
