"""Pages of a list of active chambers: every cache cuts them alike."""

from collections.abc import Sequence
from itertools import islice

from adapters.cursors import read_cursor, write_cursor
from collector.ports.active import ActiveChamber, ActivePart
from collector.ports.paging import Page


def check_cursor(wanted: ActivePart) -> None:
    """Refuse a cursor that is none, whatever is kept.

    Raises:
        InvalidFieldError: field `cursor`.
    """
    read_cursor(wanted.cursor, str)


def page_of(chambers: Sequence[ActiveChamber], wanted: ActivePart) -> Page[ActiveChamber] | None:
    """The wanted part, by place and never by comparing ids: their order is the registry's, whose collation may differ.

    Returns:
        None when the cursor's chamber is not in the list.
    """
    place = read_cursor(wanted.cursor, str)
    begin = 0
    if place:
        begin = next((n for n, chamber in enumerate(chambers, 1) if chamber.id == place[0]), -1)
        if begin < 0:
            return None
    rest = islice(chambers, begin, None)
    fitting = list(islice((c for c in rest if wanted.section in (None, c.section)), wanted.limit + 1))
    items = fitting[: wanted.limit]
    return Page(items, write_cursor(items[-1].id) if len(fitting) > wanted.limit else None)
