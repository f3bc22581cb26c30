"""How far a measurement can be trusted, judged from the values of one reading."""

from collections.abc import Sequence

from collector.domain.outcome import Quality

ALL_ZERO_AT_LEAST = 2
"""A single zero is an ordinary value (0 °C); several channels at exactly zero are a board without its sensors."""


def quality_of(value: float, bounds: tuple[float, float] | None) -> Quality:
    """`suspect` outside the closed interval, else `good`. The value is kept: somebody may want to see it."""
    if bounds is None or bounds[0] <= value <= bounds[1]:
        return Quality.GOOD
    return Quality.SUSPECT


def all_zero(sent: Sequence[float]) -> bool:
    """Whether every number of a reading, as the device sent it, is zero, and there are enough of them to tell."""
    return len(sent) >= ALL_ZERO_AT_LEAST and not any(sent)
