"""What is measured: so many chambers at an interval, for so long."""

from collections.abc import Mapping
from dataclasses import dataclass

QUICK_S, NORMAL_S = 15.0, 60.0
"""Length of the steady window."""
SETTLE_S = 5.0
"""Added to one interval: within it every chamber has left `starting`, which costs a search attribute once."""
IDLE_SHARE, LONGEST_IDLE_S = 3.0, 10.0
"""The stack without chambers is watched for this part of the window's length, at most for so long."""
LONG_ROUND_S = 600


@dataclass(frozen=True, slots=True)
class Workload:
    """One fleet under measurement.

    Attributes:
        name: of the workload.
        chambers: how many, a device each.
        interval_s: distance of their slots.
        window_s: length of the steady window.
        workers: worker processes.
        round_span_s: length of a round, where the chambers have it of their own.
    """

    name: str
    chambers: int
    interval_s: int
    window_s: float
    workers: int = 1
    round_span_s: int | None = None

    @property
    def warm_up_s(self) -> float:
        """From the end of the enrolment to the begin of the window."""
        return self.interval_s + SETTLE_S

    @property
    def idle_s(self) -> float:
        """How long the stack is watched before there is any chamber."""
        return min(self.window_s / IDLE_SHARE, LONGEST_IDLE_S)


@dataclass(frozen=True, slots=True)
class Shape:
    """A named fleet before anybody chose the length of its window.

    Attributes:
        about: what it is for.
        chambers: in a normal run.
        quick_chambers: in a quick one; 0 = a quick run leaves it out unless it is named.
        interval_s: of the chambers.
        round_span_s: of the chambers, where they have it of their own.
    """

    about: str
    chambers: int
    quick_chambers: int
    interval_s: int
    round_span_s: int | None = None


CHAMBERLOG = "chamberlog"
"""The stack itself, where it stands beside its peers."""
FAST, LONG, SMALL, LARGE, SECOND, SLOW = "fast", "long", "small", "large", "second", "slow"
SHAPES: Mapping[str, Shape] = {
    FAST: Shape("default settings: one activity for 60 readings", 1_000, 200, 5),
    LONG: Shape("`round_span_s` 600: one activity for 120 readings", 1_000, 200, 5, LONG_ROUND_S),
    SMALL: Shape("a small fleet", 500, 0, 10),
    LARGE: Shape("the same with ten times the chambers", 5_000, 0, 10),
    SECOND: Shape("the shortest interval", 100, 50, 1),
    SLOW: Shape("one activity for each reading", 200, 50, 60),
}
"""Of the stack itself. At 5 s the large fleet would need more than two cores."""
PEER_SHAPES: Mapping[str, Shape] = {
    "bullmq": Shape("BullMQ job schedulers on the fleet of `fast`", 1_000, 200, 5),
    "naive": Shape("a naive Temporal workflow for each chamber", 100, 100, 5),
    "schedules": Shape("a Temporal Schedule for each chamber", 100, 0, 5),
}
"""Of the peers. Those on Temporal need so much CPU that more chambers do not fit on a small machine."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for; None = as the fleet has it.

    Attributes:
        quick: fewer chambers, a shorter window.
        chambers: of every fleet.
        interval_s: of every fleet.
        window_s: of every fleet.
        workers: worker processes.
    """

    quick: bool = False
    chambers: int | None = None
    interval_s: int | None = None
    window_s: float | None = None
    workers: int = 1


def workload(name: str, wish: Wish) -> Workload:
    """The fleet of this name (a key of `SHAPES` or `PEER_SHAPES`) as the person wants it."""
    shape = SHAPES.get(name) or PEER_SHAPES[name]
    return Workload(
        name,
        wish.chambers or (wish.quick and shape.quick_chambers) or shape.chambers,
        wish.interval_s or shape.interval_s,
        wish.window_s or (QUICK_S if wish.quick else NORMAL_S),
        1 if name in PEER_SHAPES else wish.workers,
        shape.round_span_s,
    )
