"""Durations and instants as people write and read them. Instants are milliseconds since the Unix epoch, UTC."""

import re
import time
from decimal import Decimal

from collector.domain.errors import InvalidFieldError
from collector.domain.instants import iso, parse_iso

UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
DURATION = re.compile("".join(rf"(?:(\d{{1,9}}(?:\.\d{{1,3}})?){unit})?" for unit in UNITS_MS), re.ASCII)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DURATION_REMEDY = "write it like 500ms, 10s, 5m, 1h, 24h or 1h30m"
INSTANT_REMEDY = "write 2026-01-31T08:00:00Z, a date such as 2026-01-31, -2h (before now) or now"


def now_ms() -> int:
    """The clock of this machine."""
    return time.time_ns() // 1_000_000


def parse_duration_ms(field: str, text: str) -> int:
    """Read `500ms`, `10s`, `5m`, `1h`, `24h`, `2d` or a sum of them, biggest unit first (`1h30m`).

    Args:
        field: the input's name, for the error.
        text: as typed; a bare number is refused because it does not say its unit.

    Raises:
        InvalidFieldError: with that field.
    """
    match = DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        raise InvalidFieldError(field, f"{text[:80]!r} is not a duration", DURATION_REMEDY)
    parts = zip(match.groups(), UNITS_MS.values(), strict=True)
    total = sum(Decimal(count) * unit for count, unit in parts if count)
    if total != int(total):
        raise InvalidFieldError(field, f"{text[:80]!r} is finer than a millisecond", DURATION_REMEDY)
    return int(total)


def parse_instant_ms(field: str, text: str, now_ms: int) -> int:
    """Read RFC 3339 with its offset, a date (its midnight in UTC), `now`, or `-2h` for two hours before now.

    Args:
        field: the input's name, for the error.
        text: as typed.
        now_ms: the clock.

    Raises:
        InvalidFieldError: with that field; a time without offset is refused, because it could mean two instants.
    """
    text = text.strip()
    if text == "now":
        return now_ms
    if text.startswith(("-", "+")):
        distance = parse_duration_ms(field, text[1:])
        return now_ms - distance if text[0] == "-" else now_ms + distance
    return _absolute_ms(field, text)


def parse_until_ms(field: str, text: str, now_ms: int) -> int:
    """Read an end in the future: a duration from now (`30m`), or an instant as in `parse_instant_ms`.

    Raises:
        InvalidFieldError: with that field, also when the end is not in the future.
    """
    is_duration = DURATION.fullmatch(text.strip()) is not None
    until = now_ms + parse_duration_ms(field, text) if is_duration else parse_instant_ms(field, text, now_ms)
    if until <= now_ms:
        raise InvalidFieldError(field, f"{text[:80]!r} is not in the future", "give a later instant, or 30m from now")
    return until


def _absolute_ms(field: str, text: str) -> int:
    midnight = "T00:00:00Z" if DATE.fullmatch(text) else ""
    try:
        return parse_iso(text + midnight)
    except (ValueError, OverflowError) as error:
        problem = "has no offset" if "offset" in str(error) else "is not a time"
        raise InvalidFieldError(field, f"{text[:80]!r} {problem}", INSTANT_REMEDY) from None


def clock_of(instant: str | None) -> str:
    """An instant of the API as people read it, in UTC: `2026-01-31 08:00:00Z`; `-` when there is none."""
    if instant is None:
        return "-"
    return iso(parse_iso(instant)).replace("T", " ").replace(".000Z", "Z")


def second_of(instant: str | None) -> str:
    """An instant to the second it lies in, for tables in which nobody looks for a slot."""
    return "-" if instant is None else iso(parse_iso(instant) // 1000 * 1000).replace("T", " ").replace(".000Z", "Z")


def today_of(instant: str | None, now_ms: int) -> str:
    """As `second_of`, without the date where it is today's (in UTC)."""
    text = second_of(instant)
    return text.removeprefix(iso(now_ms)[:10] + " ")


def duration_of(seconds: float) -> str:
    """A duration as people read it: `10s`, `90m`, `1h`, `1500ms`: in the biggest unit that leaves a whole number."""
    milliseconds = round(seconds * 1000)
    for unit, size in UNITS_MS.items():
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return "0s"


def seconds_of(milliseconds: int) -> int | float:
    """Milliseconds as the API's seconds, an integer where it is one."""
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000
