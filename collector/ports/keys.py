"""Who may."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.domain.access import Scope
from collector.domain.roles import Role


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


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as it is kept, without its secret; `revoked_ms` None = it is valid."""

    id: str
    organization: str
    name: str
    deployment: bool
    created_ms: int
    revoked_ms: int | None = None


class KeyStore(Protocol):
    """API keys: an id, the hash of a secret, whose."""

    async def add(
        self, key_id: str, secret_sha256: bytes, organization: str, name: str, *, deployment: bool = False
    ) -> None:
        """Keep a key.

        Raises:
            ConflictError: field `key_id`: there is one of that id, perhaps a revoked one; nothing is replaced.
            NotFoundError: there is no such organization.
        """
        ...

    async def find(self, key_id: str) -> tuple[bytes, Principal] | None:
        """Hash of the secret and whose it is; None when there is no such key or it was revoked.

        Raises:
            AwayError: it cannot be looked up: never the same as an unknown key.
        """
        ...

    async def list(self, organization: str | None) -> Sequence[KeyRecord]:
        """Keys of an organization, or of all (None): in the order in which they were made, revoked ones too."""
        ...

    async def revoke(self, key_id: str) -> bool:
        """From now on the key is unknown. False when there was no valid key of that id: again changes nothing."""
        ...

    async def grant_deployment(self, key_id: str) -> bool:
        """Let a valid key see all organizations and make new ones; again: nothing. False when there is none."""
        ...
