"""API keys in memory."""

from collections.abc import Sequence
from dataclasses import replace

from adapters.memory.ledger import InMemoryLedger, KeptKey
from collector.domain.errors import ConflictError, NotFoundError
from collector.domain.roles import Role
from collector.ports.keys import KeyRecord, Principal


class InMemoryKeys:
    """`KeyStore` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def add(
        self, key_id: str, secret_sha256: bytes, organization: str, name: str, *, deployment: bool = False
    ) -> None:
        """Keep a key; see `KeyStore.add`."""
        self._ledger.check_here()
        if organization not in self._ledger.organizations:
            raise NotFoundError(f"no organization {organization!r}")
        if key_id in self._ledger.keys:
            raise ConflictError(f"key {key_id!r} is there already", "make another one", "key_id")
        kept = self._ledger.add_key(key_id, secret_sha256, organization, name)
        kept.record = replace(kept.record, deployment=deployment)

    async def find(self, key_id: str) -> tuple[bytes, Principal] | None:
        """Hash of the secret and whose it is; see `KeyStore.find`."""
        kept = self._valid(key_id)
        if kept is None:
            return None
        role = Role.SUPER_ADMINISTRATOR if kept.record.deployment else Role.ADMINISTRATOR
        subject = f"key/{key_id}"
        return kept.secret_sha256, Principal(kept.record.organization, subject, role, credential=subject)

    async def list(self, organization: str | None) -> Sequence[KeyRecord]:
        """Keys in the order in which they were made; see `KeyStore.list`."""
        self._ledger.check_here()
        records = (kept.record for kept in self._ledger.keys.values())
        return [record for record in records if organization in (None, record.organization)]

    async def revoke(self, key_id: str) -> bool:
        """From now on the key is unknown; see `KeyStore.revoke`."""
        kept = self._valid(key_id)
        if kept is None:
            return False
        kept.record = replace(kept.record, revoked_ms=self._ledger.now_ms())
        return True

    async def grant_deployment(self, key_id: str) -> bool:
        """Let it see all organizations; see `KeyStore.grant_deployment`."""
        kept = self._valid(key_id)
        if kept is None:
            return False
        kept.record = replace(kept.record, deployment=True)
        return True

    def _valid(self, key_id: str) -> KeptKey | None:
        self._ledger.check_here()
        kept = self._ledger.keys.get(key_id)
        return None if kept is None or kept.record.revoked_ms is not None else kept
