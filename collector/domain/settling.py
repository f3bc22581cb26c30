"""Rules of the ledger that every store keeps alike: what may be stored, and what a change does to the registry row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from collector.domain.cadence import DEFAULT_ROUND_SPAN_MS
from collector.domain.chamber import INTERVAL_MS, ChamberSpec, Pause
from collector.domain.outcome import (
    DETAIL_LIMIT,
    Change,
    Epoch,
    EpochEnd,
    Gap,
    GapReason,
    Outcome,
    PauseEnd,
    Reading,
    first_slot_of,
)

FUTURE_SLACK_MS = 3_600_000
"""A worker's clock may be wrong by this much before its outcomes are refused."""
LAST_INSTANT_MS = 253_402_300_799_999
"""The end of the year 9999: instants that are only shown to people are cut down to it."""


@dataclass(frozen=True, slots=True)
class Window:
    """The instants that are kept, both ends inclusive.

    Attributes:
        from_ms: nothing before is kept: the begin of the chamber's first epoch, or where days were dropped up to.
        readings_to_ms: latest slot of a reading.
        gaps_to_ms: latest first slot of a gap run: a pause begins at the next slot, which may be an interval away, and
            the row may know another interval than the chamber whose change still waits.
    """

    from_ms: int
    readings_to_ms: int
    gaps_to_ms: int


def window_of(retained_from_ms: int, spec: ChamberSpec, now_ms: int) -> Window:
    """The window in which outcomes of a chamber are kept."""
    latest = now_ms + (spec.round_span_ms or DEFAULT_ROUND_SPAN_MS) + FUTURE_SLACK_MS
    return Window(retained_from_ms, latest, latest + INTERVAL_MS[1])


def storable(outcome: Outcome, window: Window) -> Outcome:
    """The outcome as it can be kept: texts without NUL, and a `misconfigured` gap where it lies outside the window.

    Schedule changes (epochs, ends, changes of the row) are never refused: without them no slot is expected.
    """
    match outcome:
        case Reading(slot_ms=slot) if not window.from_ms <= slot <= window.readings_to_ms:
            return _outside(slot, slot, window)
        case Gap(first_ms=first, last_ms=last) if first > window.gaps_to_ms or (
            last is not None and last < window.from_ms
        ):
            return _outside(first, first if last is None else last, window)
        case Gap():
            texts = (_brief(outcome.detail), _brief(outcome.by))
            return replace(outcome, detail=texts[0], by=texts[1], until_ms=_shown(outcome.until_ms))
        case Change():
            texts = (_brief(outcome.reason), _brief(outcome.by))
            return replace(outcome, reason=texts[0], by=texts[1], until_ms=_shown(outcome.until_ms))
        case Reading():
            measurements = (replace(m, name=clean(m.name), unit=clean(m.unit)) for m in outcome.measurements)
            return replace(outcome, measurements=tuple(measurements))
        case PauseEnd() | Epoch() | EpochEnd():
            return outcome


def claimed_from(outcomes: Sequence[Outcome], settled_through_ms: int) -> int:
    """The first instant that these outcomes account for, when they are said to settle everything up to that one.

    What lies before was settled before them, or else the store does not know what its caller takes for stored.
    """
    # the end of an epoch says nothing of its last slot: that one has an outcome of its own
    firsts = (o.last_slot_ms + 1 if isinstance(o, EpochEnd) else first_slot_of(o) for o in outcomes)
    return min((ms for ms in firsts if ms is not None), default=settled_through_ms + 1)


def forgotten_run(first_ms: int, last_ms: int) -> Gap:
    """The gap of slots that were stored once, or handed out, and that the ledger does not know."""
    return Gap(first_ms, last_ms, GapReason.LOST, "handed out, and the ledger has no outcome")


def poisoned(outcome: Outcome, sqlstate: str, message: str) -> Gap | None:
    """The `malformed` gap of an outcome that the database itself refused; None for a change, which has no slot."""
    first = first_slot_of(outcome)
    if first is None:
        return None
    last = outcome.last_ms if isinstance(outcome, Gap) and outcome.last_ms is not None else first
    detail = _brief(f"sqlstate {sqlstate}: {message}")
    return Gap(_cut(first), _cut(max(first, last)), GapReason.MALFORMED, detail)


def outdates(epoch: Epoch, first_ms: int, decided_ms: int) -> bool:
    """Whether an epoch that the ledger has, with this first slot and decided then, is this one or a later one.

    Two epochs may have the same first slot: the chamber changed its mind before it. One that says nothing of when it
    was decided is known by its first slot.
    """
    return decided_ms >= epoch.decided_ms if epoch.decided_ms else first_ms == epoch.first_slot_ms


def clean(text: str) -> str:
    """The text without what PostgreSQL cannot keep: NUL and lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _brief(text: str) -> str:
    return clean(text)[:DETAIL_LIMIT]


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """What a change made of a registry row.

    Attributes:
        spec: with the version that stands now.
        pause: that stands now.
        lost: why nothing changed, as a sentence; empty when the change applies, or was applied before.
    """

    spec: ChamberSpec
    pause: Pause | None
    lost: str = ""


def apply_change(spec: ChamberSpec, pause: Pause | None, change: Change) -> ChangedRow:
    """Apply a signal's change to the row by compare-and-set on its version.

    The timeout is cut down to a shorter new interval. The second run finds the next version and what it asked for,
    and changes nothing.
    """
    problem = _problem(change)
    if problem:
        return ChangedRow(spec, pause, f"{change.kind} was not written to the registry: {problem}")
    wanted, wanted_pause = _wanted(spec, pause, change)
    if spec.version == change.expected_version:
        return ChangedRow(replace(wanted, version=spec.version + 1), wanted_pause)
    if spec.version == change.expected_version + 1 and (wanted, wanted_pause) == (spec, pause):
        return ChangedRow(spec, pause)
    lost = (
        f"{change.kind} was made on version {change.expected_version}, but the registry is at version {spec.version}: "
        "the registry's row stands"
    )
    return ChangedRow(spec, pause, lost)


def still_to_apply(spec: ChamberSpec, pause: Pause | None, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes without changes that were stored together before: the row is what the last of them made of it.

    One by one, the second run would take the first of several changes for lost: the row is further by all of them.
    """
    changes = [outcome for outcome in outcomes if isinstance(outcome, Change)]
    wanted = (spec, pause)
    for place, change in enumerate(changes):
        if _problem(change) or change.expected_version != spec.version - len(changes) + place:
            return list(outcomes)
        wanted = _wanted(*wanted, change)
    if wanted != (spec, pause):
        return list(outcomes)
    return [outcome for outcome in outcomes if not isinstance(outcome, Change)]


def _problem(change: Change) -> str:
    low, high = INTERVAL_MS
    match change.kind:
        case "pause" | "resume":
            return ""
        case "set_interval" if change.interval_ms is not None and low <= change.interval_ms <= high:
            return ""
        case "set_interval":
            return f"the interval {change.interval_ms} ms is not within {low} and {high} ms"
        case _:
            return "this release does not know such a change"


def _wanted(spec: ChamberSpec, pause: Pause | None, change: Change) -> tuple[ChamberSpec, Pause | None]:
    if change.kind == "pause":
        return spec, Pause(change.since_ms or 0, change.reason, change.by, change.until_ms)
    if change.kind == "resume":
        return spec, None
    interval = change.interval_ms or spec.interval_ms
    return replace(spec, interval_ms=interval, timeout_ms=min(spec.timeout_ms, interval)), pause


def _outside(first_ms: int, last_ms: int, window: Window) -> Gap:
    detail = (
        f"outside_window: slot {first_ms} is not within {window.from_ms} and {window.readings_to_ms}; "
        "check the worker's clock"
    )
    return Gap(_cut(first_ms), _cut(last_ms), GapReason.MISCONFIGURED, detail)


def _cut(instant_ms: int) -> int:
    return max(0, min(instant_ms, LAST_INSTANT_MS))


def _shown(instant_ms: int | None) -> int | None:
    return None if instant_ms is None else _cut(instant_ms)
