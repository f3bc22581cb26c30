"""The chambers of an organization, from the cache of active ones where that can say, and kept true by changes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from collector.ports import ActiveChambers, ActivePart, ChamberFilter, Page, Registry


@dataclass(frozen=True, slots=True)
class PagedChamber:
    """A chamber of a page; `inactive` names its switched-off detectors, None = the store has to be asked."""

    id: str
    inactive: frozenset[str] | None = None


class PageChambers:
    """Pages over an organization's chambers; those that ask for no status and no text need not ask the registry."""

    def __init__(self, registry: Registry, active: ActiveChambers) -> None:
        self._registry, self._active = registry, active

    async def __call__(
        self, organization: str, wanted: ChamberFilter, limit: int, cursor: str | None
    ) -> Page[PagedChamber]:
        """One page by id; without a wanted status retired chambers are left out, at most 10 s late.

        Raises:
            InvalidFieldError: field `cursor`.
            AwayError: the cache cannot say, and the registry cannot be reached.
        """
        if wanted.status is None and wanted.text is None:
            part = ActivePart(limit, cursor, wanted.section)
            kept = await self._active.page(organization, part, partial(self._registry.active, organization))
            if kept is not None:
                return Page([PagedChamber(c.id, frozenset(c.inactive)) for c in kept.items], kept.next_cursor)
        page = await self._registry.page(organization, wanted, limit, cursor)
        return Page([PagedChamber(record.spec.id) for record in page.items], page.next_cursor)


@asynccontextmanager
async def forgetting(active: ActiveChambers, organization: str) -> AsyncIterator[None]:
    """Around a change of the organization's chambers: it is forgotten also where the change's answer got lost."""
    try:
        yield
    finally:
        await active.forget(organization)
