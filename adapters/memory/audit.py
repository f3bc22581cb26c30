"""The proof that nothing is missing, by arithmetic on segments in which nothing changes."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from adapters.memory.ledger import KeptChamber, KeptEpoch, KeptGap
from collector.domain.cadence import Grid
from collector.domain.outcome import GapReason
from collector.domain.timerange import TimeRange


@dataclass(slots=True)
class Account:
    """What became of a chamber's slots; see `Audit`."""

    expected: int = 0
    stored: int = 0
    gaps: Counter[GapReason] = field(default_factory=Counter)
    unaccounted: int = 0
    overdue: int = 0
    pending: int = 0


def slots_in(epoch: KeptEpoch, from_ms: int, to_ms: int) -> int:
    """Slots of the epoch in [from, to)."""
    last_ms = to_ms - 1 if epoch.last_ms is None else min(epoch.last_ms, to_ms - 1)
    return Grid(epoch.interval_ms, epoch.phase_ms).count(max(epoch.first_ms, from_ms), last_ms)


def account_of(kept: KeptChamber, span: TimeRange, now_ms: int) -> Account:
    """Account for every slot of the chamber in the range, which ends at `now_ms` at the latest."""
    account, readings = Account(), sorted(kept.readings)
    for epoch in kept.epochs:
        grid = Grid(epoch.interval_ms, epoch.phase_ms)
        for start_ms, end_ms, run in _segments(kept, epoch, span, now_ms):
            slots = slots_in(epoch, start_ms, end_ms)
            there = readings[bisect_left(readings, start_ms) : bisect_left(readings, end_ms)]
            stored = sum(1 for slot in there if grid.at_or_before(slot) == slot)
            account.expected, account.stored = account.expected + slots, account.stored + stored
            open_slots = slots - stored
            if open_slots == 0:
                continue
            if run is not None:
                account.gaps[run.gap.reason] += open_slots
            elif start_ms <= kept.settled_ms:
                account.unaccounted += open_slots
            elif start_ms <= now_ms - _patience_ms(epoch):
                account.overdue += open_slots
            else:
                account.pending += open_slots
    return account


def lacks_outcomes(kept: KeptChamber, from_ms: int, to_ms: int) -> bool:
    """Whether a slot of the chamber in [from, to) has no outcome."""
    account = account_of(kept, TimeRange(from_ms, max(from_ms, to_ms)), to_ms)
    return account.expected > account.stored + account.gaps.total()


def _segments(
    kept: KeptChamber, epoch: KeptEpoch, span: TimeRange, now_ms: int
) -> Iterator[tuple[int, int, KeptGap | None]]:
    low = max(span.from_ms, epoch.first_ms)
    high = span.to_ms if epoch.last_ms is None else min(span.to_ms, epoch.last_ms + 1)
    if low >= high:
        return
    runs = sorted(kept.gaps, key=lambda g: (g.recorded_ms, g.number))
    cuts = {low, high, kept.settled_ms + 1, now_ms - _patience_ms(epoch) + 1}
    cuts |= {edge for g in runs for edge in (g.gap.first_ms, _end_ms(g, high))}
    bounds = sorted(c for c in cuts if low <= c <= high)
    winners = _winners(bounds, runs, high)
    for index in range(len(bounds) - 1):
        yield bounds[index], bounds[index + 1], winners.get(index)


def _winners(bounds: Sequence[int], runs: Sequence[KeptGap], high: int) -> dict[int, KeptGap]:
    winners: dict[int, KeptGap] = {}
    for run in runs:
        first = bisect_left(bounds, run.gap.first_ms)
        for index in range(first, bisect_right(bounds, _end_ms(run, high)) - 1):
            winners.setdefault(index, run)
    return winners


def _end_ms(run: KeptGap, high: int) -> int:
    return high if run.gap.last_ms is None else run.gap.last_ms + 1


def _patience_ms(epoch: KeptEpoch) -> int:
    return Grid(epoch.interval_ms, epoch.phase_ms).deadline(0)
