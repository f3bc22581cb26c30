"""What pausing, resuming, a new spec and retiring do to a chamber's state: pure, in place, never between two slots.

Each takes the clock as `now_ms`, appends the outcomes that follow from it to `state.unsaved`, and answers the slot that
people want to know. Slots that nobody can collect any more become `missed` first, so that no slot is ever skipped.
"""

from dataclasses import replace

from collector.domain.cadence import RoundPlan, plan_round
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.outcome import Change, Epoch, EpochEnd, Gap, GapReason, Outcome, PauseEnd
from collector.messages import ChamberState, PauseRequest, ResumeRequest
from collector.packing import pack


def plan(state: ChamberState, now_ms: int) -> RoundPlan:
    """The chamber's next round; changes nothing."""
    spec = state.spec
    return plan_round(spec.id, spec.grid, state.next_ms, now_ms, spec.round_span_ms)


def missed_runs(state: ChamberState, missed: tuple[int, int] | None) -> list[Gap]:
    """Gap runs for slots that nobody collected: `lost` if they were handed out before this start, else `missed`."""
    if missed is None:
        return []
    first, last = missed
    grid, lost_through = state.spec.grid, state.lost_through_ms
    if lost_through is None or lost_through < first:
        return [Gap(first, last, GapReason.MISSED)]
    border = min(last, grid.at_or_before(lost_through))
    lost = Gap(first, border, GapReason.LOST, "handed out before this start, never settled")
    return [lost, *([Gap(border + grid.interval_ms, last, GapReason.MISSED)] if border < last else [])]


def pause(state: ChamberState, request: PauseRequest, now_ms: int) -> int:
    """Stop collecting; answers the first slot that is not collected.

    Paused already: the open run ends and a new one begins with the new reason, author and end. The same again
    changes nothing.
    """
    if state.pause is not None:
        held = state.pause
        if (held.reason, held.by, held.until_ms) == (request.reason, request.by, request.until_ms):
            _take_version(state, request.version)
            return held.since_ms
        _end_pause(state, state.spec.grid.at_or_after(max(now_ms, held.since_ms)))
    since = _settle_past(state, now_ms)
    state.pause = Pause(since, request.reason, request.by, request.until_ms)
    _add(state, _open_run(state.pause))
    if request.version is None:
        _write_back(state, "pause", state.pause)
    _take_version(state, request.version)
    return since


def resume(state: ChamberState, request: ResumeRequest, now_ms: int) -> int:
    """Collect again on the same grid; answers the first slot. Not paused: changes nothing."""
    if state.pause is None:
        _take_version(state, request.version)
        return state.next_ms
    first = state.spec.grid.at_or_after(max(now_ms, state.pause.since_ms))
    _end_pause(state, first)
    if request.version is None:
        _write_back(state, "resume", Pause(first, by=request.by))
    _take_version(state, request.version)
    return first


def configure(state: ChamberState, spec: ChamberSpec, now_ms: int, *, from_signal: bool = False) -> int:
    """Take over a spec; answers the first slot under it. A version that is not above the chamber's changes nothing.

    A new grid begins at its first slot after now and after the last slot handed out; the old grid ends there.
    """
    if not from_signal and spec.version <= state.spec.version:
        return state.next_ms
    if spec.grid == state.spec.grid:
        state.spec = spec
        return state.next_ms
    old, held = state.spec.grid, state.pause
    if held is None:
        handed_out = _settle_past(state, now_ms) - old.interval_ms
    else:
        handed_out = old.at_or_before(max(now_ms, held.since_ms - old.interval_ms))
        _add(state, PauseEnd(held.since_ms, handed_out))
    new = spec.grid
    first = new.after(max(handed_out, now_ms))
    state.spec, state.next_ms = spec, first
    _add(state, Epoch(first, new.interval_ms, new.phase_ms, spec.version, handed_out))
    if held is not None:  # a run belongs to one grid: the pause goes on with the new one
        state.pause = replace(held, since_ms=first)
        _add(state, _open_run(state.pause))
    return first


def set_interval(state: ChamberState, interval_ms: int, now_ms: int) -> int:
    """A signal's way to `configure`: the registry row is told by compare-and-set; answers the first slot."""
    if interval_ms == state.spec.interval_ms:
        return state.next_ms
    spec = replace(state.spec, interval_ms=interval_ms, timeout_ms=min(state.spec.timeout_ms, interval_ms))
    first = configure(state, spec, now_ms, from_signal=True)
    expected = state.spec.version + state.unconfirmed
    _add(state, Change(expected, "set_interval", interval_ms=interval_ms))
    state.unconfirmed += 1
    return first


def end(state: ChamberState, now_ms: int) -> int:
    """The chamber retires: the open pause and the epoch end; answers the last slot handed out."""
    grid = state.spec.grid
    if state.pause is not None:
        _end_pause(state, grid.after(max(now_ms, state.pause.since_ms - 1)))
    else:
        _settle_past(state, now_ms)
    last = state.next_ms - grid.interval_ms
    _add(state, EpochEnd(last))
    return last


def confirm(state: ChamberState, changes: int, lost: list[str]) -> None:
    """The registry answered that many written-back changes; lost ones leave the version to whoever won."""
    state.unconfirmed -= min(changes, state.unconfirmed)
    if changes and not lost:
        state.spec = replace(state.spec, version=state.spec.version + changes)


def _settle_past(state: ChamberState, now_ms: int) -> int:
    """Slots past their deadline become gaps; answers the first slot that is still open or in the future."""
    grid = state.spec.grid
    first = max(state.next_ms, grid.first_open(now_ms))
    if first > state.next_ms:
        for gap in missed_runs(state, (state.next_ms, first - grid.interval_ms)):
            _add(state, gap)
        state.next_ms = first
    return first


def _open_run(held: Pause) -> Gap:
    return Gap(held.since_ms, None, GapReason.PAUSED, held.reason, held.by, held.until_ms)


def _end_pause(state: ChamberState, first: int) -> None:
    assert state.pause is not None
    _add(state, PauseEnd(state.pause.since_ms, first - state.spec.grid.interval_ms))
    state.pause, state.next_ms = None, first


def _write_back(state: ChamberState, kind: str, held: Pause) -> None:
    expected = state.spec.version + state.unconfirmed
    _add(state, Change(expected, kind, held.reason, held.by, held.until_ms, held.since_ms))
    state.unconfirmed += 1


def _take_version(state: ChamberState, version: int | None) -> None:
    if version is not None and version > state.spec.version:
        state.spec = replace(state.spec, version=version)


def _add(state: ChamberState, outcome: Outcome) -> None:
    state.unsaved.append(pack(outcome))
