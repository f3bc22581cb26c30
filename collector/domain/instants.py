"""Instants as text: RFC 3339, UTC."""

from datetime import UTC, datetime


def iso(instant_ms: int) -> str:
    """The instant as RFC 3339 with milliseconds and `Z`."""
    moment = datetime.fromtimestamp(instant_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: str) -> int:
    """Milliseconds since the Unix epoch of an RFC 3339 instant.

    Raises:
        ValueError: it is no instant, or it has no offset: a naive time means another instant in every zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: write it like 2026-03-01T12:00:00Z")
    return round(moment.timestamp() * 1000)
