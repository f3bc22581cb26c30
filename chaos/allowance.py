"""Which slots a fault may cost a chamber: a stretch of time for each chamber, from what happened and when."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chaos.counting import GapSlot
from chaos.fleet import Chamber
from workers.failover import LOOK_S, LOST_AFTER_S

TAKEOVER_MS = int((LOST_AFTER_S + LOOK_S + 5.0) * 1000)
"""A worker that is gone is noticed after its silence and one more look; the take-over itself gets 5 s."""


@dataclass(frozen=True, slots=True)
class Happened:
    """When a fault began and when everything was up again, in milliseconds since the epoch."""

    began_ms: int
    recovered_ms: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Slots from `from_ms` on may be lost whose deadline is over by `until_ms`."""

    from_ms: int
    until_ms: int

    def slots(self, chamber: Chamber) -> range:
        """The slots of a chamber that lie in it."""
        slots = chamber.slots(self.from_ms, self.until_ms)
        within = sum(chamber.grid.deadline(slot) <= self.until_ms for slot in slots)
        return slots[:within]  # deadlines keep the order of their slots


Allowance = Callable[[Chamber, Happened], Stretch | None]
"""None = no slot of this chamber may be lost."""


def nothing(_chamber: Chamber, _happened: Happened) -> Stretch | None:
    """No slot of anybody."""
    return None


def takeover(chamber: Chamber, happened: Happened) -> Stretch | None:
    """A worker went: what fast chambers miss until another has its rounds. One slot a round is taken up in time."""
    if not chamber.fast:
        return None
    return Stretch(chamber.grid.at_or_before(happened.began_ms), happened.began_ms + TAKEOVER_MS)


def standstill(chamber: Chamber, happened: Happened) -> Stretch | None:
    """A worker stood still: as long as that, because the server may go on handing it rounds, and the take-over."""
    return Stretch(chamber.grid.at_or_before(happened.began_ms), happened.recovered_ms + TAKEOVER_MS)


def outage_of_temporal(chamber: Chamber, happened: Happened) -> Stretch | None:
    """Temporal was away: the slots behind the round in flight, until lost answers of rounds have been noticed."""
    return Stretch(chamber.round_over_ms(happened.began_ms), happened.recovered_ms + TAKEOVER_MS)


def outside(
    allowance: Allowance, chambers: Sequence[Chamber], happened: Happened, gaps: Sequence[GapSlot]
) -> list[GapSlot]:
    """The gaps that the fault does not excuse."""
    slots = excused(allowance, chambers, happened)
    return [gap for gap in gaps if gap.slot_ms not in slots[gap.chamber]]


def excused(allowance: Allowance, chambers: Sequence[Chamber], happened: Happened) -> dict[str, range]:
    """Chamber to the slots that it may lose."""
    stretches = {chamber.id: (chamber, allowance(chamber, happened)) for chamber in chambers}
    return {key: range(0) if stretch is None else stretch.slots(c) for key, (c, stretch) in stretches.items()}
