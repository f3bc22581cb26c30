"""The chambers that are read, for lists that need no status: kept where asking costs less than in the registry."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.ports.paging import Page

ACTIVE_FOR_MS = 10_000
"""How old a list may become: what nobody forgot, because its process died or another program wrote, is seen by then."""
ACTIVE_LIMIT = 20_000
"""Chambers of an organization whose list is kept, 2 MB of JSON; of a larger one the registry answers each page."""


@dataclass(frozen=True, slots=True)
class ActiveChamber:
    """A chamber that has not retired.

    Attributes:
        id: unique in the deployment.
        section: where it stands.
        name: for people.
        interval_ms: distance of its slots.
        inactive: names of its detectors that are switched off, sorted.
    """

    id: str
    section: str
    name: str
    interval_ms: int
    inactive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActivePart:
    """Which part of the list: at most `limit` chambers after `cursor`, of one section if it is given."""

    limit: int
    cursor: str | None = None
    section: str | None = None


ReadActive = Callable[[int], Awaitable[Sequence[ActiveChamber]]]
"""Reads the list where it is true: from how many chambers at most, to the first of them in the registry's order."""


class ActiveChambers(Protocol):
    """Each organization's active chambers, read through. Losing it slows, and a list is `ACTIVE_FOR_MS` old at most."""

    async def page(self, organization: str, wanted: ActivePart, read: ReadActive) -> Page[ActiveChamber] | None:
        """A page of the kept list, or of one that is read and kept now; None = ask the registry.

        Its order and its cursors are the registry's, so that the next page may come from either. None: the cache is
        away, the list is longer than `ACTIVE_LIMIT`, or the cursor names a chamber that is not in it. A list that was
        read before a `forget` is never kept after it, whichever processes read and forgot.

        Raises:
            InvalidFieldError: field `cursor`, when it is not one of ours.
            Exception: what `read` raises.
        """
        ...

    async def forget(self, organization: str) -> None:
        """Drop the list: a chamber was enrolled, changed or retired, or one of its detectors was switched.

        Never raises. Where it fails, this process does not trust the list any more; others may show it until it is
        `ACTIVE_FOR_MS` old.
        """
        ...
