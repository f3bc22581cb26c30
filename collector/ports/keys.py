"""Who may."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Attributes:
        organization: all that it sees.
        subject: `key/<id>`: stored with what it does.
    """

    organization: str
    subject: str


class KeyStore(Protocol):
    """API keys: an id, the hash of a secret, whose."""

    async def add(self, key_id: str, secret_sha256: bytes, organization: str, name: str) -> None:
        """Keep a key; the same id again replaces nothing and raises `ConflictError`."""
        ...

    async def find(self, key_id: str) -> tuple[bytes, Principal] | None:
        """Hash of the secret and whose it is; None when there is no such key or it was revoked.

        Raises:
            AwayError: it cannot be looked up: never the same as an unknown key.
        """
        ...
