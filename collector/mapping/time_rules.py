"""How a profile reads the device's own time."""

from typing import Annotated

from pydantic import Field

from collector.mapping.rules import Expression, Rules, Seconds


class TimeRules(Rules):
    """Where the device says its time. The key of a reading is its slot all the same.

    Attributes:
        select: JMESPath.
        format: `iso` (ISO 8601 and its usual variants), `unix` (seconds since the epoch; milliseconds and microseconds
            are told by their size), or a pattern of `strptime`.
        zone: where the device says none: `utc`, `chamber` (the chamber's own `timezone`; without one the time is not
            used), or a name such as `Europe/Prague`. Of `unix` it must be `utc`.
        max_skew_s: a time further from the answer's arrival is not used.
        stands_still_s: a time that has not moved for so long means a frozen device: its values are `suspect`.
    """

    select: Expression
    format: Annotated[str, Field(min_length=1, max_length=100)] = "iso"
    zone: Annotated[str, Field(min_length=1, max_length=64)] = "chamber"
    max_skew_s: Seconds = 600.0
    stands_still_s: Seconds | None = None
