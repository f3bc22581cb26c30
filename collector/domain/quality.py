"""How far a measurement can be trusted, judged from the values of one reading and from what went before.

Everything here doubts and nothing here repairs: a value is kept as the device sent it, and called `suspect`. `bad` says
only that the device itself called the channel faulty. Instants are milliseconds by the worker's clock; where that clock
ran backwards between two readings, nothing is held against the device.
"""

import math
from collections.abc import Mapping, Sequence

from collector.domain.outcome import Quality

ALL_ZERO_AT_LEAST = 2
"""A single zero is an ordinary value (0 °C); several channels at exactly zero are a board without its sensors."""
ABSOLUTE_ZERO: Mapping[str, float] = {"Cel": -273.15, "K": 0.0, "[degF]": -459.67}
HUMIDITY = (0.0, 110.0)
"""In percent. A capacitive sensor in fog says a little more than 100; none says less than nothing."""
_ANYWHERE: Mapping[float, str] = {
    **dict.fromkeys((-999.0, -999.9, -9999.0, 9999.0), "devices send for a sensor that is missing"),
    **dict.fromkeys((32767.0, -32768.0), "a 16-bit register holds at its end"),
    **dict.fromkeys((65535.0, 6553.5), "an unsigned 16-bit register holds at its end"),
}
_SENTINELS: Mapping[str, Mapping[float, str]] = {
    "Cel": {
        85.0: "a DS18B20 sends after power-on",
        -127.0: "is sent for a DS18B20 that is gone",
        **dict.fromkeys((-273.0, -273.15), "controllers send for a failed reading"),
    },
    "[ppm]": {0.0: "a CO2 sensor sends before it has measured"},
}
HINTED = frozenset(_ANYWHERE).union(*_SENTINELS.values())
"""All of them: every number of every reading is held against these."""


def quality_of(value: float, bounds: tuple[float, float] | None) -> Quality:
    """`suspect` outside the closed interval, else `good`. The value is kept: somebody may want to see it."""
    if bounds is None or bounds[0] <= value <= bounds[1]:
        return Quality.GOOD
    return Quality.SUSPECT


def all_zero(sent: Sequence[float]) -> bool:
    """Whether every number of a reading, as the device sent it, is zero, and there are enough of them to tell."""
    return len(sent) >= ALL_ZERO_AT_LEAST and not any(sent)


def sentinel_hint(sent: float, unit: str) -> str | None:
    """What a number, as it was sent in this UCUM code, is known to mean on other devices; None for ordinary numbers.

    It is a hint for whoever writes the profile: 85 °C is also an ordinary temperature of an oven.
    """
    meaning = _ANYWHERE.get(sent) or _SENTINELS.get(unit, {}).get(sent)
    if meaning is None:
        return None
    return f"{sent:g} is what {meaning}: if it means no value here, name it under sentinels"


def natural_bounds(name: str, unit: str) -> tuple[float, float]:
    """Outside of these no such value exists in nature: below absolute zero, or a humidity outside `HUMIDITY`.

    A percentage is a humidity when its measurement's name says so: valves and fans have percent, too.
    """
    if unit == "%" and "humidity" in name:
        return HUMIDITY
    return ABSOLUTE_ZERO.get(unit, -math.inf), math.inf


def too_fast(value: float, good: float, elapsed_ms: float, change: float, within_ms: float) -> bool:
    """Whether a value is further from the last good one than it can have come since.

    `change` is allowed at once, and in proportion when more than `within_ms` passed: so after a gap of hours a slow
    drift is none of this rule's business, and a value that jumped and stays is `suspect` until
    `within_ms * distance / change` after the last good one.
    """
    return abs(value - good) > change * max(1.0, elapsed_ms / within_ms)


def stood_still(since_ms: float | None, now_ms: int, limit_ms: float) -> bool:
    """Whether what has been the same since then has been so for at least the limit."""
    return since_ms is not None and now_ms - since_ms >= limit_ms
