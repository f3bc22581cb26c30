"""API keys in memory."""

from adapters.memory.ledger import InMemoryLedger
from collector.domain.errors import ConflictError, NotFoundError
from collector.ports.keys import Principal


class InMemoryKeys:
    """`KeyStore` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def add(self, key_id: str, secret_sha256: bytes, organization: str, name: str) -> None:
        """Keep a key; see `KeyStore.add`. An unknown organization raises `NotFoundError`."""
        self._ledger.check_here()
        if not self._ledger.has_organization(organization):
            raise NotFoundError(f"no organization {organization!r}")
        if key_id in self._ledger.keys:
            raise ConflictError(f"key {key_id!r} is there already", "make another one", "key_id")
        self._ledger.keys[key_id] = (secret_sha256, organization, name)

    async def find(self, key_id: str) -> tuple[bytes, Principal] | None:
        """Hash of the secret and whose it is; see `KeyStore.find`."""
        self._ledger.check_here()
        kept = self._ledger.keys.get(key_id)
        return None if kept is None else (kept[0], Principal(kept[1], f"key/{key_id}"))

    async def revoke(self, key_id: str) -> None:
        """From now on the key is unknown; again: nothing."""
        self._ledger.check_here()
        self._ledger.keys.pop(key_id, None)
