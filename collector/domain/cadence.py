"""The grid of slots: phase, deadlines, rounds, and which slots nobody collected. Integers of milliseconds, UTC."""

import hashlib
from dataclasses import dataclass

LEAD_MS = 2_000
"""A round's activity is started this long before its first slot, so that Temporal's latency is not sampling jitter."""
DEADLINE_FLOOR_MS = 60_000
"""A slot may be collected late by a tenth of its interval, but at least by this, and never past the next slot."""
LONG_INTERVAL_MS = 60_000
"""From here on a chamber is one activity per slot, visible and retried in the Web UI."""
DEFAULT_ROUND_SPAN_MS = 300_000


@dataclass(frozen=True, slots=True)
class Grid:
    """The slots `phase_ms + n * interval_ms`, for every integer n.

    Attributes:
        interval_ms: distance of two slots, 1 s to 24 h.
        phase_ms: 0 <= phase_ms < interval_ms.
    """

    interval_ms: int
    phase_ms: int

    def at_or_after(self, instant_ms: int) -> int:
        """The first slot that is not before the instant."""
        return instant_ms + (self.phase_ms - instant_ms) % self.interval_ms

    def after(self, instant_ms: int) -> int:
        """The first slot later than the instant."""
        return self.at_or_after(instant_ms + 1)

    def at_or_before(self, instant_ms: int) -> int:
        """The last slot that is not after the instant."""
        return instant_ms - (instant_ms - self.phase_ms) % self.interval_ms

    def count(self, first_ms: int, last_ms: int) -> int:
        """How many slots lie in the closed interval; 0 when it is empty."""
        first, last = self.at_or_after(first_ms), self.at_or_before(last_ms)
        return max(0, (last - first) // self.interval_ms + 1)

    def deadline(self, slot_ms: int) -> int:
        """The instant from which on nobody fetches the slot any more."""
        return slot_ms + min(self.interval_ms, max(DEADLINE_FLOOR_MS, self.interval_ms // 10))

    def first_open(self, now_ms: int) -> int:
        """The first slot whose deadline is not over. There is at most one that is past and still open."""
        slot = self.at_or_before(now_ms)
        return slot if now_ms < self.deadline(slot) else slot + self.interval_ms


def phase_of(chamber_id: str, interval_ms: int, *, aligned: bool = False) -> int:
    """Offset of the chamber's slots: a stable hash of its id, so that load is spread and restarts change nothing.

    The first 8 bytes of SHA-256 of the id, big-endian, modulo the interval; 0 when the owner asks for aligned slots.
    """
    return 0 if aligned else _hash(chamber_id, 0) % interval_ms


def grid_of(chamber_id: str, interval_ms: int, *, aligned: bool = False) -> Grid:
    """The grid that a chamber has with this interval."""
    return Grid(interval_ms, phase_of(chamber_id, interval_ms, aligned=aligned))


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """The next round of a chamber.

    Attributes:
        first_ms: its first slot.
        count: how many consecutive slots it has, at least 1.
        missed: first and last slot that nobody can collect any more, or None.
    """

    first_ms: int
    count: int
    missed: tuple[int, int] | None = None


def plan_round(chamber_id: str, grid: Grid, next_ms: int, now_ms: int, round_span_ms: int | None = None) -> RoundPlan:
    """Plan the next round; a plan never goes back, whatever the clock says.

    Args:
        chamber_id: spreads the ends of rounds, so that they never come in herds.
        grid: the chamber's grid.
        next_ms: its first slot that was not handed out yet.
        now_ms: the clock of whoever plans.
        round_span_ms: the owner's explicit span, if any.
    """
    first = max(next_ms, grid.first_open(now_ms))
    missed = (next_ms, first - grid.interval_ms) if first > next_ms else None
    span = round_span_ms or (None if grid.interval_ms >= LONG_INTERVAL_MS else DEFAULT_ROUND_SPAN_MS)
    if span is None or span <= grid.interval_ms:
        return RoundPlan(first, 1, missed)
    ends = Grid(span, _hash(chamber_id, 1) % span)
    return RoundPlan(first, grid.count(first, ends.after(first) - 1), missed)


def _hash(chamber_id: str, which: int) -> int:
    digest = hashlib.sha256(chamber_id.encode()).digest()
    return int.from_bytes(digest[8 * which : 8 * which + 8], "big")
