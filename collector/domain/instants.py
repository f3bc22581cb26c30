"""Instants as text: RFC 3339, UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999: RFC 3339 cannot write any other."""


def iso(instant_ms: int) -> str:
    """The instant as RFC 3339 with milliseconds and `Z`; one outside the years 1 to 9999 is shown as their border.

    It never raises: what people are shown may not stop a chamber.
    """
    moment = EPOCH + max(FIRST_MS, min(instant_ms, LAST_MS)) * MILLISECOND
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: str) -> int:
    """Milliseconds since the Unix epoch of an RFC 3339 instant.

    Raises:
        ValueError: it is no instant, or lies outside the years 1 to 9999, or it has no offset: a naive time means
            another instant in every zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: write it like 2026-03-01T12:00:00Z")
    instant_ms = round((moment - EPOCH) / MILLISECOND)
    if not FIRST_MS <= instant_ms <= LAST_MS:
        raise ValueError(f"{text!r} is not within the years 1 to 9999: give an earlier or later instant")
    return instant_ms
