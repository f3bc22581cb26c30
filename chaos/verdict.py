"""One row for each fault, and whether what it promises was kept: pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from chaos.allowance import Allowance, Happened, excused, outside
from chaos.counting import (
    APART_MS,
    Count,
    Found,
    GapSlot,
    Stored,
    asked_twice,
    count_slots,
    doubled,
    lateness_p99_ms,
    longest_gap_s,
    strange,
    told_twice,
    unstored,
)
from chaos.fleet import Chamber
from collector.domain.timerange import TimeRange

SETTLE_LIMIT_S = 60.0
"""After recovery nothing from before may be open for longer."""
LIVE_MS = 10_000
"""Live slots are looked at for so long at least: a backlog that is drained at once shows nothing."""
NAMED = 5
KEPT, BROKEN = "kept", "broken"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a fault may cost.

    Attributes:
        gaps: slots that may be lost; None = they are counted and any number is taken.
        asked_once: no device may be asked twice for a slot.
        apart_ms: how far the clock of a worker may be from that of the devices.
        judged_from_ms: gaps and second questions of chambers with a shorter interval are counted, not judged: on a
            machine that is busy with something else a hand-over takes longer than their slots are open.
    """

    gaps: Allowance | None
    asked_once: bool = False
    apart_ms: int = APART_MS
    judged_from_ms: int = 0

    def judges(self, chamber: Chamber) -> bool:
        """Whether the chamber's gaps and second questions may break the row."""
        return chamber.grid.interval_ms >= self.judged_from_ms


@dataclass(frozen=True, slots=True)
class Settled:
    """How long the ledger took to settle.

    Attributes:
        after_s: from recovery until no slot before it was open; None = it never was in time.
        audit: the API's answer for the range of the row, at its end.
    """

    after_s: float | None
    audit: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A fault and what became of the slots around it; gaps are slots by reason.

    Attributes:
        fault: its name.
        seconds: from its begin until everything was up again.
        expected: slots.
        stored: slots with a reading.
        gaps_slow: of the chambers at 60 s.
        gaps_fast: of the others.
        longest_gap_s: of one chamber.
        allowed_slow: slots of the chambers at 60 s that might have been lost; None = any.
        allowed_fast: the same of the others.
        doubled: answers that are stored under two slots.
        strange: readings that their device did not serve then.
        asked_twice: slots for which a device gave several answers.
        unstored: answers that no reading has.
        told_twice: slots with more than one outcome; the audit takes the reading, else the gap recorded first.
        unaccounted: settled slots without outcome.
        overdue: slots that were open at the end.
        settled_s: see `Settled.after_s`.
        live_p99_ms: lateness of the slots after recovery, while the backlog was drained.
        verdict: `kept` or `broken`.
        complaints: why it is broken.
        notes: what else is worth knowing.
    """

    fault: str
    seconds: float
    expected: int = 0
    stored: int = 0
    gaps_slow: Mapping[str, int] = field(default_factory=dict)
    gaps_fast: Mapping[str, int] = field(default_factory=dict)
    longest_gap_s: float = 0.0
    allowed_slow: int | None = None
    allowed_fast: int | None = None
    doubled: int = 0
    strange: int = 0
    asked_twice: int = 0
    unstored: int = 0
    told_twice: int = 0
    unaccounted: int = 0
    overdue: int = 0
    settled_s: float | None = None
    live_p99_ms: int | None = None
    verdict: str = BROKEN
    complaints: Sequence[str] = ()
    notes: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Case:
    """All that a row is made of, but for what was found.

    Attributes:
        fault: its name.
        rule: what it may cost.
        chambers: all that collected.
        happened: when.
        span: the slots that are counted.
        settled: how long the ledger took.
        notes: of whoever made the fault.
    """

    fault: str
    rule: Rule
    chambers: Sequence[Chamber]
    happened: Happened
    span: TimeRange
    settled: Settled
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A row, and the (chamber, slot) pairs that are worth a look when it is broken."""

    row: Row
    suspects: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class _Odd:
    """What was counted beside the slots; `stray` are gaps that the fault does not excuse, `judged` the chambers."""

    judged: frozenset[str]
    stray: Sequence[GapSlot]
    doubled: Sequence[tuple[str, int, list[int]]]
    strange: Sequence[Stored]
    twice: Sequence[tuple[str, int, int]]

    def blamed(self, rule: Rule) -> list[tuple[str, int, int]]:
        """Second questions that break the row."""
        return [one for one in self.twice if rule.asked_once and one[0] in self.judged]


def judge(case: Case, found: Found) -> Judged:
    """Count, and hold the count against the rule."""
    count, rule = count_slots(case.chambers, found, case.span), case.rule
    judged = [chamber for chamber in case.chambers if rule.judges(chamber)]
    names = frozenset(chamber.id for chamber in judged)
    gaps = [gap for gap in count.gaps if gap.chamber in names]
    odd = _Odd(
        names,
        [] if rule.gaps is None else outside(rule.gaps, judged, case.happened, gaps),
        doubled(found.readings),
        strange(found, case.span, rule.apart_ms),
        asked_twice(case.chambers, found, case.span),
    )
    row = _counted(case, found, count, odd)
    complaints = _complaints(case, count, odd)
    verdict = BROKEN if complaints else KEPT
    return Judged(replace(row, verdict=verdict, complaints=complaints), _suspects(rule, count, odd))


def _counted(case: Case, found: Found, count: Count, odd: _Odd) -> Row:
    slow = {chamber.id for chamber in case.chambers if not chamber.fast}
    allowed = None if case.rule.gaps is None else excused(case.rule.gaps, case.chambers, case.happened)
    return Row(
        fault=case.fault,
        seconds=round((case.happened.recovered_ms - case.happened.began_ms) / 1000, 1),
        expected=count.expected,
        stored=count.stored,
        gaps_slow=_by_reason(gap for gap in count.gaps if gap.chamber in slow),
        gaps_fast=_by_reason(gap for gap in count.gaps if gap.chamber not in slow),
        longest_gap_s=longest_gap_s(case.chambers, count.gaps),
        allowed_slow=None if allowed is None else sum(len(s) for name, s in allowed.items() if name in slow),
        allowed_fast=None if allowed is None else sum(len(s) for name, s in allowed.items() if name not in slow),
        doubled=len(odd.doubled),
        strange=len(odd.strange),
        asked_twice=len(odd.twice),
        unstored=len(unstored(found, case.span)),
        told_twice=len(told_twice(case.chambers, found, case.span)),
        unaccounted=len(count.unaccounted),
        overdue=len(count.open),
        settled_s=case.settled.after_s,
        live_p99_ms=lateness_p99_ms(found.readings, live_span(case)),
        notes=case.notes,
    )


def _complaints(case: Case, count: Count, odd: _Odd) -> list[str]:
    strays = [(gap.chamber, gap.slot_ms, gap.reason) for gap in odd.stray]
    unserved = [(reading.chamber, reading.slot_ms, reading.serial) for reading in odd.strange]
    return [
        *_listed("gaps that the fault does not excuse", strays),
        *_listed("answers stored twice", odd.doubled),
        *_listed("readings that the device did not serve then", unserved),
        *_listed("slots for which a device was asked twice", odd.blamed(case.rule)),
        *_listed("slots unaccounted", count.unaccounted),
        *_listed("slots still open", count.open),
        *_late(case.settled),
        *_disagreements(count, case.settled.audit),
    ]


def _suspects(rule: Rule, count: Count, odd: _Odd) -> list[tuple[str, int]]:
    return [
        *count.unaccounted,
        *count.open,
        *((gap.chamber, gap.slot_ms) for gap in odd.stray),
        *((chamber, slots[0]) for chamber, _, slots in odd.doubled),
        *((reading.chamber, reading.slot_ms) for reading in odd.strange),
        *((chamber, slot) for chamber, slot, _ in odd.blamed(rule)),
    ]


def live_span(case: Case) -> TimeRange:
    """The slots that came while the backlog was drained."""
    drained_ms = int((case.settled.after_s or 0) * 1000)
    begin = case.happened.recovered_ms
    return TimeRange(begin, begin + max(LIVE_MS, drained_ms))


def _by_reason(gaps: Iterable[GapSlot]) -> dict[str, int]:
    return dict(sorted(Counter(gap.reason for gap in gaps).items()))


def _listed(what: str, found: Sequence[object]) -> list[str]:
    """One sentence, or none; the first few are named."""
    if not found:
        return []
    more = ", ..." if len(found) > NAMED else ""
    return [f"{len(found)} {what}: {', '.join(str(one) for one in found[:NAMED])}{more}"]


def _late(settled: Settled) -> list[str]:
    if settled.after_s is None or settled.after_s > SETTLE_LIMIT_S:
        return [f"slots from before the recovery were still open {SETTLE_LIMIT_S:g} s after it"]
    return []


def _disagreements(count: Count, audit: Mapping[str, Any]) -> list[str]:
    """The audit must say the same as the plain count."""
    ours: dict[str, Any] = {
        "expected": count.expected,
        "stored": count.stored,
        "gaps": _by_reason(count.gaps),
        "unaccounted": len(count.unaccounted),
    }
    theirs = {name: audit[name] for name in ours} | {"gaps": {r: n for r, n in sorted(audit["gaps"].items()) if n}}
    return [
        f"the audit says {name} {theirs[name]}, the count {ours[name]}" for name in ours if ours[name] != theirs[name]
    ]
