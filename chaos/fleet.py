"""The chambers that are tried: fast ones in rounds of two lengths, and a few at 60 s with a round for each slot."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from collector.domain.cadence import LONG_INTERVAL_MS, Grid, grid_of, plan_round
from stack.simulated import LABELS, SimulatedDevice

INTERVALS_S = (1, 1, 2, 2, 5, 5, 10, 10)
"""Every second chamber has rounds of `SPAN_S`: some rounds end under every outage, others last through it."""
SPAN_S = 120
FAST, SLOW = 56, 5
SLOW_S = 60
DEVICES = FAST + SLOW


@dataclass(frozen=True, slots=True)
class Chamber:
    """A chamber as the count needs it.

    Attributes:
        id: of the chamber, and of its device.
        grid: of its slots.
        span_ms: its owner's length of a round; None = the product's own.
    """

    id: str
    grid: Grid
    span_ms: int | None = None

    @property
    def fast(self) -> bool:
        """Whether a round of it has several slots."""
        return self.grid.interval_ms < LONG_INTERVAL_MS

    def slots(self, from_ms: int, to_ms: int) -> range:
        """Its slots in [from, to)."""
        return range(self.grid.at_or_after(from_ms), to_ms, self.grid.interval_ms)

    def round_over_ms(self, instant_ms: int) -> int:
        """The first slot behind the round that an instant lies in."""
        slot = self.grid.at_or_before(instant_ms)
        plan = plan_round(self.id, self.grid, slot, slot, self.span_ms)
        return slot + plan.count * self.grid.interval_ms


def bodies(devices: Sequence[SimulatedDevice], every_s: Sequence[int] = INTERVALS_S) -> list[dict[str, Any]]:
    """What the API is asked to enrol, one chamber a device; the last `SLOW` are those at 60 s.

    Args:
        devices: in their order.
        every_s: intervals of the fast chambers, repeated.
    """
    intervals_s = [*islice(cycle(every_s), len(devices) - SLOW), *([SLOW_S] * SLOW)]
    return [_body(number, device, intervals_s[number]) for number, device in enumerate(devices)]


def chambers_of(enrolled: Sequence[dict[str, Any]]) -> list[Chamber]:
    """The same chambers for the count."""
    return [
        Chamber(
            str(body["id"]),
            grid_of(str(body["id"]), int(body["interval_s"]) * 1000),
            int(body["round_span_s"]) * 1000 if "round_span_s" in body else None,
        )
        for body in enrolled
    ]


def _body(number: int, device: SimulatedDevice, interval_s: int) -> dict[str, Any]:
    body = {
        "id": device.id,
        "section": "default",
        "url": device.url,
        "profile": device.dialect,
        "interval_s": interval_s,
        "name": f"Tried {device.dialect} {number + 1}",
        "labels": LABELS,
    }
    return body | ({"round_span_s": SPAN_S} if number % 2 and interval_s < SLOW_S else {})
