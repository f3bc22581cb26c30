"""A half-open range of time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `from_ms` inclusive to `to_ms` exclusive, milliseconds since the Unix epoch, UTC."""

    from_ms: int
    to_ms: int
