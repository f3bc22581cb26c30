"""API keys in memory."""

from collections.abc import Sequence
from dataclasses import replace

from adapters.cursors import read_cursor, write_cursor
from adapters.memory.ledger import InMemoryLedger, KeptKey
from collector.domain.errors import ConflictError, NotFoundError
from collector.domain.organization import no_section
from collector.domain.roles import Role
from collector.ports.keys import ADMINISTRATOR, KeyRecord, KeyTerms, Principal
from collector.ports.paging import Page

MINUTE_MS = 60_000


class InMemoryKeys:
    """`KeyStore` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def add(
        self, key_id: str, secret_sha256: bytes, organization: str, name: str, terms: KeyTerms = ADMINISTRATOR
    ) -> KeyRecord:
        """Keep a key; see `KeyStore.add`."""
        self._ledger.check_here()
        if key_id in self._ledger.keys:
            raise ConflictError(f"key {key_id!r} is there already", "make another one", "key_id")
        if organization not in self._ledger.organizations:
            raise NotFoundError(f"no organization {organization!r}")
        if terms.section is not None and (organization, terms.section) not in self._ledger.sections:
            raise no_section(terms.section)
        kept = self._ledger.add_key(key_id, secret_sha256, organization, name)
        kept.record = replace(kept.record, terms=terms)
        return kept.record

    async def find(self, key_id: str) -> tuple[bytes, Principal] | None:
        """Hash of the secret and whose it is; see `KeyStore.find`."""
        kept = self._valid(key_id)
        if kept is None:
            return None
        subject, terms = f"key/{key_id}", kept.record.terms
        rights = (terms.role, terms.scopes, terms.section)
        return kept.secret_sha256, Principal(kept.record.organization, subject, *rights, credential=subject)

    async def note_use(self, key_id: str) -> None:
        """Remember that it was used now; see `KeyStore.note_use`."""
        kept, now_ms = self._valid(key_id), self._ledger.now_ms()
        if kept is not None and (kept.record.last_used_ms is None or kept.record.last_used_ms <= now_ms - MINUTE_MS):
            kept.record = replace(kept.record, last_used_ms=now_ms)

    async def expiry(self, key_id: str) -> int | None:
        """When it expires; see `KeyStore.expiry`."""
        kept = self._valid(key_id)
        return None if kept is None else kept.record.terms.expires_ms

    async def show(self, organization: str, key_id: str) -> KeyRecord:
        """One key of an organization; see `KeyStore.show`."""
        self._ledger.check_here()
        kept = self._ledger.keys.get(key_id)
        if kept is None or kept.record.organization != organization:
            raise NotFoundError(f"no key {key_id!r}")
        return kept.record

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[KeyRecord]:
        """Keys of an organization in the order in which they were made; see `KeyStore.page`."""
        place = read_cursor(cursor, int, str)
        after = (int(place[0]), str(place[1])) if place else None
        mine = sorted(await self.list(organization), key=lambda record: (record.created_ms, record.id))
        rest = [record for record in mine if after is None or (record.created_ms, record.id) > after]
        items = rest[:limit]
        return Page(items, write_cursor(items[-1].created_ms, items[-1].id) if len(rest) > limit else None)

    async def list(self, organization: str | None) -> Sequence[KeyRecord]:
        """Keys in the order in which they were made; see `KeyStore.list`."""
        self._ledger.check_here()
        records = (kept.record for kept in self._ledger.keys.values())
        return [record for record in records if organization in (None, record.organization)]

    async def revoke(self, key_id: str) -> bool:
        """From now on the key is unknown; see `KeyStore.revoke`."""
        self._ledger.check_here()
        kept = self._ledger.keys.get(key_id)
        if kept is None or kept.record.revoked_ms is not None:
            return False
        kept.record = replace(kept.record, revoked_ms=self._ledger.now_ms())
        return True

    async def grant_deployment(self, key_id: str) -> bool:
        """Make it a super-administrator's; see `KeyStore.grant_deployment`."""
        kept = self._valid(key_id)
        if kept is None or kept.record.terms.section is not None:
            return False
        kept.record = replace(kept.record, terms=replace(kept.record.terms, role=Role.SUPER_ADMINISTRATOR))
        return True

    def _valid(self, key_id: str) -> KeptKey | None:
        self._ledger.check_here()
        kept = self._ledger.keys.get(key_id)
        if kept is None or kept.record.revoked_ms is not None:
            return None
        expires_ms = kept.record.terms.expires_ms
        return None if expires_ms is not None and expires_ms <= self._ledger.now_ms() else kept
