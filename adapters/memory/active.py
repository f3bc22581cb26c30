"""The active chambers of each organization in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.active_pages import check_cursor, page_of
from adapters.memory.ledger import wall_ms
from collector.ports.active import ACTIVE_FOR_MS, ACTIVE_LIMIT, ActiveChamber, ActivePart, ReadActive
from collector.ports.paging import Page


@dataclass(slots=True)
class _Place:
    """Where a list is or will be; who reads one puts it into the place that he found, were it dropped meanwhile."""

    ends_ms: int
    chambers: Sequence[ActiveChamber] | None = None


class InMemoryActive:
    """`ActiveChambers` in a dictionary.

    Attributes:
        away: set True to let it behave as if its server could not be reached: nothing kept, nothing known.
    """

    def __init__(self, now_ms: Callable[[], int] = wall_ms, *, away: bool = False) -> None:
        self.away = away
        self._now_ms = now_ms
        self._places: dict[str, _Place] = {}

    async def page(self, organization: str, wanted: ActivePart, read: ReadActive) -> Page[ActiveChamber] | None:
        """A page of the kept list, or of one that is read now; see `ActiveChambers.page`."""
        check_cursor(wanted)
        if self.away:
            return None
        place = self._place(organization)
        chambers = place.chambers
        if chambers is None:
            chambers = await read(ACTIVE_LIMIT + 1)
            place.chambers = chambers
        return None if len(chambers) > ACTIVE_LIMIT else page_of(chambers, wanted)

    async def forget(self, organization: str) -> None:
        """Drop the list; see `ActiveChambers.forget`. While it is away nothing is shown, so nothing stays behind."""
        self._places.pop(organization, None)

    def _place(self, organization: str) -> _Place:
        place = self._places.get(organization)
        if place is None or place.ends_ms <= self._now_ms():
            place = self._places[organization] = _Place(self._now_ms() + ACTIVE_FOR_MS)
        return place
