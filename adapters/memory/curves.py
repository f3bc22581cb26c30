"""One detector's curve from memory: from hours where the range is long or readings were dropped, else from readings."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from adapters.memory.ledger import InMemoryLedger, KeptChamber, KeptHour
from collector.domain.outcome import GapReason, Quality, Reading
from collector.domain.sealing import HOUR_MS, hours_until
from collector.domain.timerange import TimeRange
from collector.ports.history import Bin

WORST_FIRST = (Quality.MISSING, Quality.BAD, Quality.SUSPECT, Quality.GOOD)


@dataclass(frozen=True, slots=True)
class Part:
    """Figures that belong to one instant: of a reading, or of an hour."""

    at_ms: int
    figures: KeptHour


def figures_of(readings: Iterable[Reading], detector: str) -> KeptHour | None:
    """One detector's figures over some readings; None when none of them has it."""
    found = [m for reading in readings for m in reading.measurements if m.name == detector]
    values = [m.value for m in found if m.value is not None]
    if not found:
        return None
    worst = _worst(m.quality for m in found)
    if not values:
        return KeptHour(None, None, None, 0, worst)
    return KeptHour(min(values), sum(values), max(values), len(values), worst)


def parts_of_curve(
    ledger: InMemoryLedger, kept: KeptChamber, detector: str, span: TimeRange, points: int
) -> Sequence[Part]:
    """What a curve is made of; see `hours_until`.

    Hours that got readings since they were rolled up, and those that the range's ends cut, are drawn from readings.
    """
    until_ms = hours_until(span, points, ledger.retained_from_ms)
    slots = {s: r for s, r in kept.readings.items() if span.from_ms <= s < span.to_ms}
    raw_hours = {s // HOUR_MS * HOUR_MS for s, r in slots.items() if r.stored_ms >= ledger.rolled_up_ms}
    raw_hours |= {edge_ms // HOUR_MS * HOUR_MS for edge_ms in (span.from_ms, span.to_ms)}
    raw_hours = {hour for hour in raw_hours if hour >= ledger.retained_from_ms}
    hours = (
        Part(max(hour, span.from_ms), figures)
        for (name, hour), figures in kept.hours.items()
        if name == detector and span.from_ms - HOUR_MS < hour < until_ms and hour not in raw_hours
    )
    wanted = (r.reading for s, r in slots.items() if s >= until_ms or s // HOUR_MS * HOUR_MS in raw_hours)
    return [*hours, *_single(wanted, detector)]


def bin_of(parts: Sequence[Part], span: TimeRange, gap_reason: GapReason | None) -> Bin:
    """The bin of the parts that begin in the range."""
    found = [part.figures for part in parts if span.from_ms <= part.at_ms < span.to_ms]
    worst = _worst(f.worst for f in found) if found else None
    valued = [(f.minimum, f.total, f.maximum) for f in found if f.count]
    if not valued:
        return Bin(span.from_ms, None, None, None, 0, worst, gap_reason)
    count = sum(f.count for f in found)
    lows, totals, highs = ([v for v in column if v is not None] for column in zip(*valued, strict=True))
    return Bin(span.from_ms, min(lows), sum(totals) / count, max(highs), count, worst, gap_reason)


def _single(readings: Iterable[Reading], detector: str) -> Iterator[Part]:
    for reading in readings:
        figures = figures_of([reading], detector)
        if figures is not None:
            yield Part(reading.slot_ms, figures)


def _worst(qualities: Iterable[Quality]) -> Quality:
    return min(qualities, key=WORST_FIRST.index)
