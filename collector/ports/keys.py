"""Who may."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collector.domain.access import Scope
from collector.domain.roles import Role
from collector.ports.paging import Page


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and how far they may go.

    Attributes:
        organization: all that it sees. Of a super-administrator: the one it acts in now, its own unless it says.
        subject: `key/<id>` or `user/<id>`: stored with what it does.
        role: what it may do there.
        scopes: parts of the surface; none = all.
        section: all that it sees of the organization; None = all of it.
        credential: `key/<id>` or `session/<id>`: what has to be valid still for a stream to go on.
    """

    organization: str
    subject: str
    role: Role
    scopes: frozenset[Scope] = frozenset()
    section: str | None = None
    credential: str = ""

    @property
    def deployment(self) -> bool:
        """Whether it may see all organizations and make new ones."""
        return self.role is Role.SUPER_ADMINISTRATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """How far a key goes, and how long.

    Attributes:
        role: what it may do.
        scopes: parts of the surface that it is limited to; none = all.
        section: all that it sees of its organization; None = all of that.
        created_by: `key/<id>` or `user/<id>` of whoever made it by the API, else the tool that did.
        expires_ms: from then on it is unknown; None = never.
    """

    role: Role = Role.ADMINISTRATOR
    scopes: frozenset[Scope] = frozenset()
    section: str | None = None
    created_by: str = ""
    expires_ms: int | None = None


ADMINISTRATOR = KeyTerms()
"""Runs its whole organization, without end: what each key was before there were roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key as it is kept, without its secret.

    Attributes:
        id: 12 hexadecimal digits; not a secret.
        organization: whose.
        name: for people.
        terms: how far it goes, and how long.
        created_ms: when it was made.
        last_used_ms: when somebody signed with it last, late by up to a minute; None = never.
        revoked_ms: when it was revoked; None = it was not.
    """

    id: str
    organization: str
    name: str
    terms: KeyTerms
    created_ms: int
    last_used_ms: int | None = None
    revoked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made just now: the one moment in which its secret is known.

    Attributes:
        id: 12 hexadecimal digits; not a secret.
        secret_sha256: what a store keeps.
        text: the whole key, `chl_<id>_<secret>`.
    """

    id: str
    secret_sha256: bytes
    text: str = field(repr=False)


MakeKey = Callable[[], NewKey]
"""A key that nobody has, each time another one."""


class KeyStore(Protocol):
    """API keys: an id, the hash of a secret, whose, and how far they go."""

    async def add(
        self, key_id: str, secret_sha256: bytes, organization: str, name: str, terms: KeyTerms = ADMINISTRATOR
    ) -> KeyRecord:
        """Keep a key.

        Raises:
            ConflictError: field `key_id`: there is one of that id, perhaps a revoked one; nothing is replaced.
            NotFoundError: there is no such organization.
            InvalidFieldError: field `section`: the organization has none of that name.
        """
        ...

    async def find(self, key_id: str) -> tuple[bytes, Principal] | None:
        """Hash of the secret and whose it is; None when there is no such key, it was revoked or has expired.

        A key that was kept before there were roles runs its organization, and one of the deployment runs that.

        Raises:
            AwayError: it cannot be looked up: never the same as an unknown key.
        """
        ...

    async def note_use(self, key_id: str) -> None:
        """Remember that it was used now, at most once a minute; nothing for a key that is unknown."""
        ...

    async def expiry(self, key_id: str) -> int | None:
        """When it expires; None = never, or it is unknown."""
        ...

    async def show(self, organization: str, key_id: str) -> KeyRecord:
        """One key of an organization, a revoked one too.

        Raises:
            NotFoundError: not there, or another organization's.
        """
        ...

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[KeyRecord]:
        """Keys of an organization in the order in which they were made, revoked ones too.

        Raises:
            InvalidFieldError: field `cursor`, when it is not one of ours.
        """
        ...

    async def list(self, organization: str | None) -> Sequence[KeyRecord]:
        """Keys of an organization, or of all (None): in the order in which they were made, revoked ones too."""
        ...

    async def revoke(self, key_id: str) -> bool:
        """From now on the key is unknown. False when there was no unrevoked key of that id: again changes nothing."""
        ...

    async def grant_deployment(self, key_id: str) -> bool:
        """Make a valid key of no section a super-administrator's; again: nothing. False when there is none."""
        ...
