"""What pausing, resuming, a new spec and retiring do to a chamber's state: pure, in place, never between two slots.

Each takes the clock as `now_ms`, appends the outcomes that follow from it to `state.unsaved`, and answers the slot that
people want to know. Slots that nobody can collect any more become `missed` first, so that no slot is ever skipped.
"""

from collections.abc import Sequence
from dataclasses import replace

from collector.backlog import oldest_slot
from collector.domain.cadence import RoundPlan, plan_round
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.memory import Memory
from collector.domain.outcome import Change, Epoch, EpochEnd, Gap, GapReason, Outcome, PauseEnd, decides_slots
from collector.messages import ChamberState, PauseRequest, ResumeRequest
from collector.packing import Packed, pack, unpack


def plan(state: ChamberState, now_ms: int) -> RoundPlan:
    """The chamber's next round; changes nothing."""
    spec = state.spec
    return plan_round(spec.id, spec.grid, state.next_ms, now_ms, spec.round_span_ms)


def begin(state: ChamberState, now_ms: int) -> None:
    """Once, when a chamber starts from its registry row: its pause and the ledger's open run become one again.

    A pause that the row holds but no chamber ever obeyed has no open run yet, and one that ended without a chamber is
    still open. An open run begins at the first slot that is not settled, and at most one slot before the row's pause.
    """
    grid, held = state.spec.grid, state.pause
    since = grid.first_open(now_ms) if held is None else grid.at_or_after(held.since_ms)
    if since > state.next_ms + (0 if held is None else grid.interval_ms):
        before = since - grid.interval_ms
        _add(state, PauseEnd(state.next_ms, before))
        for gap in missed_runs(state, (state.next_ms, before)):
            _add(state, gap)
        state.next_ms = since
    elif held is None and state.spec.version > 1:  # the row may have been resumed before the run's first slot
        _add(state, PauseEnd(state.next_ms, state.next_ms - grid.interval_ms))
    state.handed_out_ms = now_ms  # whoever was before may have handed out slots up to here
    if held is not None:
        state.pause = replace(held, since_ms=state.next_ms)
        _add(state, _open_run(state.pause))
    if state.wanted is not None:
        wanted, state.wanted = state.wanted, None
        configure(state, wanted, now_ms)


def begin_again(state: ChamberState, fresh: ChamberState) -> None:
    """The row is older than the chamber, as after a restore from a dump: `fresh` takes over what only the chamber has.

    Slots that were handed out and that the ledger has forgotten become `lost`, but those whose outcomes still wait.
    What the chamber decided about its schedule goes: the row stands.
    """
    fresh.lost_through_ms, fresh.verify = state.next_ms - 1, True
    carried = [row for row in state.unsaved if _outlasts(unpack(row))]
    fresh.unsaved = [*carried, *fresh.unsaved]
    fresh.notes, fresh.last, fresh.health = state.notes, state.last, state.health
    fresh.decided_ms, fresh.cycles_per_run = state.decided_ms, state.cycles_per_run
    fresh.memory, fresh.signals = _outlasting(state, fresh.spec), state.signals
    fresh.enrolment = fresh.enrolment or state.enrolment  # a former release's API does not tell it


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
        _end_pause(state, _first_after_pause(state, held, now_ms))
    since = _settle_past(state, now_ms)
    state.pause = Pause(since, request.reason, request.by, request.until_ms)
    _add(state, _open_run(state.pause))
    if _row_follows(state, request.version):
        _write_back(state, "pause", state.pause)
    _take_version(state, request.version)
    return since


def resume(state: ChamberState, request: ResumeRequest, now_ms: int) -> int:
    """Collect again on the same grid; answers the first slot. Not paused: changes nothing.

    A pause that was over before ended then: the slots since were not paused, nobody was there.
    """
    if state.pause is None:
        _take_version(state, request.version)
        return state.next_ms
    _end_pause(state, _first_after_pause(state, state.pause, now_ms))
    first = _settle_past(state, now_ms)
    if _row_follows(state, request.version):
        _write_back(state, "resume", Pause(first, by=request.by))
    _take_version(state, request.version)
    return first


def configure(state: ChamberState, spec: ChamberSpec, now_ms: int, *, from_signal: bool = False) -> int:
    """Take over a spec; answers the first slot under it. An older version, or the same again, changes nothing.

    A new grid begins at its first slot after now and after the last slot handed out; the old grid ends there. What the
    chamber remembers of its readings is forgotten, unless a signal set the interval, or nothing but the version is new.
    """
    if not from_signal and not _is_news(state, spec):
        return state.next_ms
    if not from_signal:
        state.unconfirmed = 0  # the row's version says what became of the changes that wait: see `confirm`
        state.memory = _outlasting(state, spec)
    if spec.grid == state.spec.grid:
        state.spec = spec
        return state.next_ms
    _expire(state, now_ms)
    old, held = state.spec.grid, state.pause
    if held is None:
        handed_out = _settle_past(state, now_ms) - old.interval_ms
    else:
        handed_out = old.at_or_before(max(now_ms, held.since_ms - old.interval_ms))
        _add(state, PauseEnd(held.since_ms, handed_out))
    new, floor = spec.grid, max(handed_out, state.handed_out_ms or handed_out)
    first = new.after(max(floor, now_ms))
    state.spec, state.next_ms, state.handed_out_ms = spec, first, floor
    state.decided_ms = max(now_ms, state.decided_ms + 1)
    _add(state, Epoch(first, new.interval_ms, new.phase_ms, spec.version, handed_out, state.decided_ms))
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
    _expire(state, now_ms)
    grid = state.spec.grid
    if state.pause is not None:
        _end_pause(state, grid.after(max(now_ms, state.pause.since_ms - 1)))
    else:
        _settle_past(state, now_ms)
    last = state.next_ms - grid.interval_ms
    _add(state, EpochEnd(last))
    return last


def settled_through(state: ChamberState, waiting: Sequence[Packed]) -> int:
    """Up to where every slot has its outcome in the store, once only `waiting` is not there.

    Never past the last slot handed out: the next one may be a day away, and a new grid may begin before it.
    """
    handed_out, oldest = state.next_ms - state.spec.interval_ms, oldest_slot(waiting)
    return handed_out if oldest is None else min(handed_out, oldest - 1)


def confirm(state: ChamberState, versions: Sequence[int], lost: list[str]) -> None:
    """The registry answered the changes that were made on these versions; lost ones leave it to whoever won."""
    # those on an older version are counted in the row's version that was taken since
    counted = [version for version in versions if version >= state.spec.version]
    state.unconfirmed -= min(len(counted), state.unconfirmed)
    if counted and not lost:
        _take(state, max(counted) + 1)


def _settle_past(state: ChamberState, now_ms: int) -> int:
    """Slots past their deadline become gaps; answers the first slot that is still open or in the future."""
    grid = state.spec.grid
    first = max(state.next_ms, grid.first_open(now_ms))
    if first > state.next_ms:
        for gap in missed_runs(state, (state.next_ms, first - grid.interval_ms)):
            _add(state, gap)
        state.next_ms = first
    return first


def _first_after_pause(state: ChamberState, held: Pause, now_ms: int) -> int:
    over_ms = now_ms if held.until_ms is None else min(now_ms, held.until_ms)
    return state.spec.grid.at_or_after(max(over_ms, held.since_ms))


def _expire(state: ChamberState, now_ms: int) -> None:
    held = state.pause
    if held is not None and held.until_ms is not None and held.until_ms <= now_ms:
        resume(state, ResumeRequest(by="end of the pause"), now_ms)


def _outlasts(outcome: Outcome) -> bool:
    """Whether it says what became of slots: a reading, a closed run, the end of an open one."""
    return decides_slots(outcome) or isinstance(outcome, PauseEnd)


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


def _row_follows(state: ChamberState, version: int | None) -> bool:
    """Whether the row is to be told: a signal asked, or the row was so already, but a signal's change is on its way."""
    return version is None or (version <= state.spec.version and state.unconfirmed > 0)


def _is_news(state: ChamberState, spec: ChamberSpec) -> bool:
    """Whether the row's spec is to be taken: with the same version it is, if the row has refused a signal's change."""
    return spec.version > state.spec.version or (spec.version == state.spec.version and not state.unconfirmed)


def _take_version(state: ChamberState, version: int | None) -> None:
    """The row's version of a pause, unless a spec between was not heard of: that one is still to be taken over."""
    have, confirmed = state.spec.version, state.spec.version + state.unconfirmed
    if version is not None and version - 1 in (have, confirmed):
        _take(state, version)
        state.unconfirmed = 0


def _take(state: ChamberState, version: int) -> None:
    """The spec is the same under a new version."""
    spec = replace(state.spec, version=version)
    state.spec, state.memory = spec, _outlasting(state, spec)


def _outlasting(state: ChamberState, spec: ChamberSpec) -> Memory | None:
    """Of what is remembered, what holds under this spec.

    All of it under another version of the same spec, such as a pause makes; the device's serial number while address,
    profile and the owner's word for it stand: a change of the interval must not let another device pass.
    """
    memory = state.memory
    if memory is None:
        return None
    if replace(spec, version=state.spec.version) == state.spec:
        return replace(memory, spec_version=spec.version)
    if memory.serial_number and _device(spec) == _device(state.spec):
        return Memory(spec.version, memory.serial_number)
    return None


def _device(spec: ChamberSpec) -> tuple[str, str, str]:
    return spec.url, spec.profile, spec.serial_number


def _add(state: ChamberState, outcome: Outcome) -> None:
    state.unsaved.append(pack(outcome))
