"""What is measured: so many chambers at an interval, for so long."""

from collections.abc import Mapping
from dataclasses import dataclass

QUICK_S, NORMAL_S = 15.0, 60.0
"""Length of the steady window."""
SETTLE_S = 5.0
"""Added to one interval: within it every chamber has left `starting`, which costs a search attribute once."""
IDLE_SHARE = 3.0
"""The stack without chambers is watched for this part of the window's length."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One fleet under measurement.

    Attributes:
        name: of the workload.
        chambers: how many, a device each.
        interval_s: distance of their slots.
        window_s: length of the steady window.
        workers: worker processes.
    """

    name: str
    chambers: int
    interval_s: int
    window_s: float
    workers: int = 1

    @property
    def warm_up_s(self) -> float:
        """From the end of the enrolment to the begin of the window."""
        return self.interval_s + SETTLE_S

    @property
    def idle_s(self) -> float:
        """How long the stack is watched before there is any chamber."""
        return self.window_s / IDLE_SHARE


@dataclass(frozen=True, slots=True)
class Shape:
    """A named workload before anybody chose its length: chambers in a normal and in a quick run, and their interval."""

    chambers: int
    quick_chambers: int
    interval_s: int


SHAPES: Mapping[str, Shape] = {"fast": Shape(1_000, 200, 5), "slow": Shape(1_000, 200, 60)}
"""`fast`: rounds of many slots; `slow`: one activity for each reading."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for; None = as the workload has it.

    Attributes:
        quick: fewer chambers, a shorter window.
        chambers: of every workload.
        interval_s: of every workload.
        window_s: of every workload.
        workers: worker processes.
    """

    quick: bool = False
    chambers: int | None = None
    interval_s: int | None = None
    window_s: float | None = None
    workers: int = 1


def workload(name: str, wish: Wish) -> Workload:
    """The workload of this name (a key of `SHAPES`) as the person wants it."""
    shape = SHAPES[name]
    return Workload(
        name,
        wish.chambers or (shape.quick_chambers if wish.quick else shape.chambers),
        wish.interval_s or shape.interval_s,
        wish.window_s or (QUICK_S if wish.quick else NORMAL_S),
        wish.workers,
    )
