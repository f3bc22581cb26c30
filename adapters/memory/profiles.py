"""The versions of profiles, and which an organization offers, in memory."""

from collections.abc import Sequence
from dataclasses import replace

from adapters.memory.ledger import InMemoryLedger
from collector.domain.profile_document import VERSIONS_SHOWN, ProfileDocument, ProfileOrigin, no_profile, refuse_offer


class InMemoryProfiles:
    """`ProfileLibrary` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def keep(self, organization: str, document: ProfileDocument) -> None:
        """Keep a version; see `ProfileLibrary.keep`. Again: nothing."""
        self._ledger.check_here()
        kept = replace(document, created_ms=self._ledger.now_ms())
        self._ledger.profiles.setdefault((organization, document.name, document.version), kept)

    async def find(self, organization: str, name: str, version: str) -> ProfileDocument:
        """One version; see `ProfileLibrary.find`."""
        self._ledger.check_here()
        kept = self._ledger.profiles.get((organization, name, version))
        if kept is None:
            raise no_profile(name, version)
        return kept

    async def versions(self, organization: str, name: str) -> Sequence[ProfileDocument]:
        """Those kept by that name, the newest first; see `ProfileLibrary.versions`."""
        self._ledger.check_here()
        kept = [d for (whose, called, _), d in self._ledger.profiles.items() if (whose, called) == (organization, name)]
        return sorted(kept, key=lambda d: (-(d.created_ms or 0), d.version))[:VERSIONS_SHOWN]

    async def offered(self, organization: str) -> Sequence[ProfileDocument]:
        """The organization's own that are offered; see `ProfileLibrary.offered`."""
        self._ledger.check_here()
        names = sorted(name for whose, name in self._ledger.offers if whose == organization)
        return [self._offered(organization, name) for name in names]

    async def own(self, organization: str, name: str) -> ProfileDocument | None:
        """The organization's own by that name; see `ProfileLibrary.own`."""
        self._ledger.check_here()
        return self._offered(organization, name) if (organization, name) in self._ledger.offers else None

    async def offer(self, organization: str, document: ProfileDocument, expected: str | None) -> None:
        """Offer the document by its name; see `ProfileLibrary.offer`. Again: nothing."""
        self._ledger.check_here()
        offers = {name: version for (whose, name), version in self._ledger.offers.items() if whose == organization}
        if offers.get(document.name) == document.version:
            return
        refuse_offer(offers, document, expected)
        await self.keep(organization, document)
        self._ledger.offers[organization, document.name] = document.version

    async def withdraw(self, organization: str, name: str) -> ProfileDocument:
        """Offer it no longer; see `ProfileLibrary.withdraw`."""
        document = await self.own(organization, name)
        if document is None:
            raise no_profile(name)
        del self._ledger.offers[organization, name]
        return document

    def _offered(self, organization: str, name: str) -> ProfileDocument:
        kept = self._ledger.profiles[organization, name, self._ledger.offers[organization, name]]
        return replace(kept, origin=ProfileOrigin.ORGANIZATION)
