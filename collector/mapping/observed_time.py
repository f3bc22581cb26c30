"""The device's own time: read, put into its zone, and held against the answer's arrival.

Devices' clocks lie (they stand at 1970, run an hour wrong, do not move), so a time that cannot be trusted is not used
and told in a remark; the reading stays as it is, because its slot is its key.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from collector.domain.errors import MalformedAnswerError
from collector.domain.instants import iso
from collector.mapping.circumstances import Circumstances
from collector.mapping.excerpt import excerpt
from collector.mapping.numbers import finite
from collector.mapping.select import select, shown
from collector.mapping.time_rules import ISO, UNIX, TimeRules
from collector.mapping.tree import Tree, Unended

CLOCK_UNSET_MS = 1_420_070_400_000
"""2015-01-01: a clock before this one was never set; it begins at 1970, 2000 or when its firmware was made."""
_TEXT_LIMIT = 100
_ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[Tt_]|\s+)(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?\s*"
    r"(?:([Zz]|UTC|GMT)|([+-])(\d\d):?(\d\d)?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"\d{1,20}(?:\.\d+)?", re.ASCII)
_LARGEST_S = 1e11
"""Larger numbers are milliseconds, a thousand times larger ones microseconds: in seconds this is the year 5138."""


class _UnusableError(Exception):
    """The time cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class DeviceTime:
    """What a device says of its time.

    Attributes:
        observed_ms: the instant, when it can be trusted.
        shown_ms: what its clock shows, as a number that moves with it; None when it was never set or says nothing.
        why_not: why it is not used; "" when it is.
    """

    observed_ms: int | None = None
    shown_ms: int | None = None
    why_not: str = ""


def device_time(rules: TimeRules, tree: Tree, known: Circumstances) -> DeviceTime:
    """The device's own time in an answer; never an error."""
    try:
        found = select(rules.select, tree)
    except MalformedAnswerError as error:
        return DeviceTime(why_not=error.detail.removeprefix("select: "))
    if found is None:
        return DeviceTime(why_not=f"nothing is at {shown(rules.select)}")
    what = f"{_seen(found)} ({shown(rules.select)})"
    try:
        said = _said(rules, found)
    except _UnusableError as unusable:
        return DeviceTime(why_not=f"{what} {unusable}")
    return _trusted(rules, said, known, what)


def _trusted(rules: TimeRules, said: datetime, known: Circumstances, what: str) -> DeviceTime:
    shown_ms = _ms(said if said.tzinfo else said.replace(tzinfo=UTC))
    if shown_ms < CLOCK_UNSET_MS:
        return DeviceTime(why_not=f"{what} is before 2015: the device's clock is not set")
    try:
        shown_ms = _ms(said) if said.tzinfo else _ms_in_zone(said, rules, known)
        _near(shown_ms, rules.max_skew_s, known.received_ms)
    except _UnusableError as unusable:
        return DeviceTime(shown_ms=shown_ms, why_not=f"{what} {unusable}")
    return DeviceTime(shown_ms, shown_ms)


def _seen(found: object) -> str:
    if isinstance(found, str):
        return excerpt(found)
    number = finite(found) if isinstance(found, int | float) else None
    return "what is neither text nor number" if number is None else f"{number:.15g}"


def _near(instant_ms: int, max_skew_s: float, received_ms: int | None) -> None:
    if received_ms is None:
        return
    skew_s = (instant_ms - received_ms) / 1000
    if abs(skew_s) > max_skew_s:
        where = "ahead of" if skew_s > 0 else "behind"
        raise _UnusableError(
            f"is {iso(instant_ms)}, {abs(skew_s):.0f} s {where} the answer's arrival; {max_skew_s:g} s are allowed"
        )


# ---- what it says


def _said(rules: TimeRules, found: object) -> datetime:
    """A datetime, naive where the device names no zone."""
    if isinstance(found, Unended):
        raise _UnusableError("may be cut: nothing in the answer follows it")
    if rules.format == UNIX:
        return _from_epoch(found)
    if not isinstance(found, str) or len(found) > _TEXT_LIMIT:
        raise _UnusableError("is not the text of a time")
    text = found.strip()
    return _from_iso(text) if rules.format == ISO else _from_pattern(text, rules.format)


def _from_epoch(found: object) -> datetime:
    """Seconds, milliseconds or microseconds, as a number or the text of one; the size tells which."""
    if isinstance(found, str):
        found = float(found) if _NUMBER.fullmatch(found.strip()) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise _UnusableError("is not a number of seconds since 1970")
    number = finite(found)
    if number is None or not 0 <= number <= _LARGEST_S * 1e6:
        raise _UnusableError("is not a number of seconds, milliseconds or microseconds since 1970")
    while number > _LARGEST_S:
        number /= 1000
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=round(number * 1000))
    except OverflowError:
        raise _UnusableError("is after the year 9999") from None


def _from_iso(text: str) -> datetime:
    """ISO 8601 with `T`, `_` or blanks, fractions of any length, `Z`, `UTC`, `GMT` or an offset.

    Of an interval (`begin/end`, as SensorThings writes it) the end: what was measured over it is known then.
    """
    found = _ISO.fullmatch(text.rpartition("/")[2])
    if found is None:
        raise _UnusableError("is not a time in ISO 8601")
    *parts, fraction, utc, sign, hours, minutes = found.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    micros = int(((fraction or "") + "000000")[:6])
    try:
        zone = _offset(utc, sign, hours, minutes)
        return datetime(year, month, day, hour, minute, second, micros, tzinfo=zone)
    except ValueError:
        raise _UnusableError("is no instant of the calendar") from None


def _offset(utc: str | None, sign: str | None, hours: str | None, minutes: str | None) -> tzinfo | None:
    if utc:
        return UTC
    if not sign:
        return None
    distance = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return timezone(-distance if sign == "-" else distance)


def _from_pattern(text: str, pattern: str) -> datetime:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007  (the zone comes from the rules)
    except ValueError:
        raise _UnusableError(f"does not fit {shown(pattern)}") from None


# ---- zones


def _ms_in_zone(said: datetime, rules: TimeRules, known: Circumstances) -> int:
    """The instant of a naive time in its zone.

    Where clocks were put back it happened twice: the one nearer to the arrival counts.
    """
    if rules.zone == "utc":
        return _ms(said.replace(tzinfo=UTC))
    name = known.timezone if rules.zone == "chamber" else rules.zone
    if not name:
        raise _UnusableError("names no zone, and the chamber has no timezone: set it, such as Europe/Prague")
    instants = _instants(said, _zone(name))
    if not instants:
        raise _UnusableError(f"never was in {name}: clocks were put forward over it")
    if len(instants) == 1:
        return instants[0]
    received_ms = known.received_ms
    if received_ms is None:
        raise _UnusableError(f"was twice in {name}: clocks were put back")
    return min(instants, key=lambda instant: abs(instant - received_ms))


def _instants(said: datetime, zone: tzinfo) -> list[int]:
    """The instants, in order, at which a clock on the wall shows this time: none, one or two."""
    try:
        found = {said.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
        return sorted(_ms(one) for one in found if one.astimezone(zone).replace(tzinfo=None, fold=0) == said)
    except OverflowError:
        return []


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise _UnusableError(f"is in the zone {name[:64]!a}, which this worker does not know") from None


def _ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
