"""Faults of time and behaviour: the device answers well, about another clock, another time or another place.

Each is a function from what the device knows to what it believes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from simulator.dialects import Moment
from simulator.faults.fault import Fault, Kind

NEVER_SET_S = 3_600.0
"""An hour after the Unix epoch: the clock of a device that started an hour ago and was never set."""
FOLD_S = datetime(2025, 10, 26, 0, 30, tzinfo=UTC).timestamp()
"""02:30 in Central Europe on the night in which that hour comes twice."""
FOLD_NEW_YORK_S = datetime(2025, 11, 2, 5, 30, tzinfo=UTC).timestamp()
JUST_STARTED_S = 5.0


@dataclass(frozen=True, slots=True)
class Course:
    """How it went since the fault is in force.

    Attributes:
        now: what the device would know without the fault.
        first: what it knew at its first answer under the fault.
    """

    now: Moment
    first: Moment


Behaviour = Callable[[Course, Fault], Moment]


def _clock_never_set(course: Course, _: Fault) -> Moment:
    return replace(course.now, clock_s=NEVER_SET_S + course.now.clock_s - course.first.clock_s)


def _clock_jumped(course: Course, fault: Fault) -> Moment:
    return replace(course.now, clock_s=course.now.clock_s + fault.shift_s)


def _in_the_fold(course: Course, _: Fault) -> Moment:
    fold_s = FOLD_NEW_YORK_S if course.now.zone.startswith("America/") else FOLD_S
    return replace(course.now, clock_s=fold_s + course.now.clock_s - course.first.clock_s)


def _time_stands_still(course: Course, _: Fault) -> Moment:
    return replace(course.now, clock_s=course.first.clock_s)


def _stuck(course: Course, _: Fault) -> Moment:
    return replace(course.now, sample=course.first.sample)


def _other_device(course: Course, _: Fault) -> Moment:
    return replace(course.now, device_id=f"{course.now.device_id}-other")


def _just_started(course: Course, _: Fault) -> Moment:
    return replace(course.now, uptime_s=JUST_STARTED_S + course.now.clock_s - course.first.clock_s)


def _fahrenheit(course: Course, _: Fault) -> Moment:
    return replace(course.now, fahrenheit=True)


BEHAVIOUR: dict[str, Kind[Behaviour]] = {
    "clock-1970": Kind(about="its clock was never set", play=_clock_never_set),
    "clock-jump": Kind(about="its clock is wrong by `shift_s`", play=_clock_jumped, defaults={"shift_s": 7_200}),
    "dst-fold": Kind(about="its clock is in the hour that comes twice in autumn", play=_in_the_fold),
    "time-stands-still": Kind(about="its clock stands still", play=_time_stands_still),
    "stuck": Kind(about="its values no longer change", play=_stuck),
    "other-device": Kind(about="another device of its kind has its address", play=_other_device),
    "restarted": Kind(about="it has just started: its uptime begins anew", play=_just_started),
    "fahrenheit": Kind(about="somebody switched its panel to degrees Fahrenheit", play=_fahrenheit),
}
"""Called with the course of things and the fault."""
