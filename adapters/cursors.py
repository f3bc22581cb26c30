"""Opaque cursors of paged lists: every store reads and writes them alike."""

import base64
import binascii
import json
from collections.abc import Sequence

from collector.domain.errors import InvalidFieldError

Place = Sequence[int | str]
SMALLEST, LARGEST = -62_135_596_800_000, 2**53
"""No instant (the year 1 is the first) and no number of ours lies outside; no server refuses one that lies within."""


def write_cursor(*place: int | str) -> str:
    """The cursor behind which the list continues after `place`."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, *kinds: type[int] | type[str]) -> Place | None:
    """The place behind a cursor, or None for the beginning of the list.

    Raises:
        InvalidFieldError: field `cursor`: it was not made by `write_cursor` for a list of this kind.
    """
    if cursor is None:
        return None
    try:
        place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        place = None
    if not isinstance(place, list) or [type(p) for p in place] != list(kinds) or not all(map(_possible, place)):
        raise InvalidFieldError("cursor", "it is not a cursor of this list", "give next_cursor of the page before")
    return place


def _possible(part: int | str) -> bool:
    return isinstance(part, str) or SMALLEST <= part <= LARGEST
