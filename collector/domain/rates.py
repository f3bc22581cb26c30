"""How many requests of a class somebody may make within a sliding window."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from collector.domain.access import Traffic
from collector.domain.errors import InvalidFieldError

VARIABLE = "CHAMBERLOG_RATE_LIMITS"
RULE = re.compile(r"\s*(?P<traffic>[a-z-]+)\s*=\s*(?P<limit>[0-9]{1,9})\s*/\s*(?P<window_s>[0-9]{1,5})s\s*", re.ASCII)
LONGEST_WINDOW_S = 86_400
REMEDY = "write such as read=6000/60s,write=3000/60s: requests, and the seconds of their window, at most 86400"


@dataclass(frozen=True, slots=True)
class RateRule:
    """A limit.

    Attributes:
        limit: requests a window, at least 1.
        window_s: length of the sliding window, seconds.
    """

    limit: int
    window_s: int

    def until_room_s(self, previous: int, current: int, left_s: float) -> float:
        """How long until one more request is within it: with the next window, or before that as the last one fades.

        Args:
            previous: requests of the window before.
            current: requests of this window.
            left_s: until this window is over.
        """
        if current >= self.limit or not previous:
            return left_s
        return max(0.0, left_s - self.window_s * (self.limit - current) / previous)


DEFAULT_RATES: Mapping[Traffic, RateRule] = MappingProxyType(
    {
        Traffic.READ: RateRule(6_000, 60),
        Traffic.WRITE: RateRule(3_000, 60),
        Traffic.STREAM: RateRule(120, 60),
        Traffic.SIGN_IN: RateRule(30, 60),
        Traffic.ACCOUNT: RateRule(10, 300),
    }
)
"""Far above what people and dashboards do, and below what would keep one API process busy; ten guesses at a password in
five minutes are what somebody needs who has three of them in mind."""


def parse_rates(text: str) -> Mapping[Traffic, RateRule]:
    """The defaults, with what the text says instead.

    Args:
        text: `read=600/60s,write=300/60s`; empty changes nothing.

    Raises:
        InvalidFieldError: a part of it is no limit, or names a class that there is not, or names one twice.
    """
    told: dict[Traffic, RateRule] = {}
    for part in filter(str.strip, text.split(",")):
        traffic, rule = _read(part)
        if traffic in told:
            raise InvalidFieldError(VARIABLE, f"{traffic.value} is there twice", "say each class once")
        told[traffic] = rule
    return {**DEFAULT_RATES, **told}


def _read(part: str) -> tuple[Traffic, RateRule]:
    found = RULE.fullmatch(part)
    if found is None:
        raise InvalidFieldError(VARIABLE, f"{part.strip()[:40]!r} is no limit", REMEDY)
    limit, window_s = int(found["limit"]), int(found["window_s"])
    if limit < 1 or not 1 <= window_s <= LONGEST_WINDOW_S:
        raise InvalidFieldError(VARIABLE, f"{part.strip()[:40]!r} is out of range", REMEDY)
    try:
        return Traffic(found["traffic"]), RateRule(limit, window_s)
    except ValueError:
        names = ", ".join(traffic.value for traffic in Traffic)
        raise InvalidFieldError(VARIABLE, f"there is no class {found['traffic']!r}", f"give one of {names}") from None
