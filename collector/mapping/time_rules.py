"""How a profile reads the device's own time."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from collector.domain.zone_names import zone_exists
from collector.mapping import checks
from collector.mapping.rules import Expression, Rules, Seconds

ISO, UNIX = "iso", "unix"
NAMED_ZONES = ("utc", "chamber")
_PROBE = datetime(2022, 11, 23, 14, 5, 7, tzinfo=UTC)
"""Each part differs from what `strptime` takes for one that the pattern does not have."""


def _zone(name: str) -> str:
    if name not in NAMED_ZONES and not zone_exists(name):
        raise checks.refusal(
            f"{name[:64]!r} is not a time zone", "write utc, chamber, or a name of the IANA database like Europe/Prague"
        )
    return name


def _format(text: str) -> str:
    if text in (ISO, UNIX):
        return text
    if "%" not in text:
        raise checks.refusal(
            f"{text[:40]!r} is no format of a time", "write iso, unix, or a pattern such as '%Y/%m/%d %H:%M:%S'"
        )
    if "%Z" in text:
        raise checks.refusal(
            "%Z means other zones on other machines", "write the letters as they stand, and the zone under zone:"
        )
    return _whole_pattern(text)


def _whole_pattern(text: str) -> str:
    """The pattern, when it reads what it writes: date, hour and minute at least."""
    try:
        found = datetime.strptime(_PROBE.strftime(text), text)  # noqa: DTZ007  (a pattern may have no zone)
    except ValueError as error:
        raise checks.refusal(
            f"not a pattern of strptime: {str(error)[:80]}",
            "%Y %m %d %H %M %S %f %z and a device's own letters are enough",
        ) from None
    if found.replace(second=7, tzinfo=UTC) != _PROBE:
        raise checks.refusal(
            "the pattern does not say day, month, year, hour and minute",
            "write all of them, such as '%d.%m.%Y %H:%M' (%I also needs %p)",
        )
    return text


class TimeRules(Rules):
    """Where the device says its time. The key of a reading is its slot all the same.

    Attributes:
        select: JMESPath.
        format: `iso` (ISO 8601 and its usual variants), `unix` (seconds since the epoch; milliseconds and microseconds
            are told by their size), or a pattern of `strptime` with day, month, year, hour and minute.
        zone: where the device says none: `utc`, `chamber` (the chamber's own `timezone`; without one the time is not
            used), or a name such as `Europe/Prague`. Of `unix` it may only be `utc`, which it is by itself: a device
            whose epoch follows its wall clock is read by its wall clock.
        max_skew_s: a time further from the answer's arrival is not used.
        stands_still_s: a time that has not moved for so long means a frozen device: its values are `suspect`.
    """

    select: Expression
    format: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_format)] = ISO
    zone: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_zone)] = "chamber"
    max_skew_s: Seconds = 600.0
    stands_still_s: Seconds | None = None

    @model_validator(mode="after")
    def _epochs_are_utc(self) -> "TimeRules":
        if self.format == UNIX and "zone" in self.model_fields_set and self.zone != "utc":
            raise checks.refusal(
                "unix counts from the epoch in UTC, it has no other zone",
                "write zone: utc; where the device counts by its wall clock, select its date and time instead",
                ("zone",),
            )
        return self
