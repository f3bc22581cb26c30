"""The ids of an organization's chambers, from the cache of active ones where that can say, and kept true by changes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from collector.ports import ActiveChambers, ActivePart, ChamberFilter, Page, Registry


class PageChamberIds:
    """Pages over the ids of chambers; those that ask for no status and no text need not ask the registry."""

    def __init__(self, registry: Registry, active: ActiveChambers) -> None:
        self._registry, self._active = registry, active

    async def __call__(self, organization: str, wanted: ChamberFilter, limit: int, cursor: str | None) -> Page[str]:
        """One page by id; without a wanted status retired chambers are left out, at most 10 s late.

        Raises:
            InvalidFieldError: field `cursor`.
            AwayError: the cache cannot say, and the registry cannot be reached.
        """
        if wanted.status is None and wanted.text is None:
            part = ActivePart(limit, cursor, wanted.section)
            kept = await self._active.page(organization, part, partial(self._registry.active, organization))
            if kept is not None:
                return Page([chamber.id for chamber in kept.items], kept.next_cursor)
        page = await self._registry.page(organization, wanted, limit, cursor)
        return Page([record.spec.id for record in page.items], page.next_cursor)


@asynccontextmanager
async def forgetting(active: ActiveChambers, organization: str) -> AsyncIterator[None]:
    """Around a change of the organization's chambers: it is forgotten also where the change's answer got lost."""
    try:
        yield
    finally:
        await active.forget(organization)
