"""What people see of a chamber in the Temporal Web UI: search attributes and current details."""

from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from collector import wire
from collector.backlog import total_bytes
from collector.domain.chamber import ChamberSpec
from collector.domain.health import Status
from collector.domain.instants import iso
from collector.messages import ChamberState, ChamberStatus
from collector.transitions import settled_through
from workflows.introduction import facts_of, orders_for
from workflows.texts import plain

ORGANIZATION = SearchAttributeKey.for_keyword(wire.SEARCH_ORGANIZATION)
SECTION = SearchAttributeKey.for_keyword(wire.SEARCH_SECTION)
STATUS = SearchAttributeKey.for_keyword(wire.SEARCH_STATUS)
PROFILE = SearchAttributeKey.for_keyword(wire.SEARCH_PROFILE)
INTERVAL = SearchAttributeKey.for_int(wire.SEARCH_INTERVAL_SECONDS)

SKEW_SHOWN_MS = 1_000
"""A worker's clock that is wrong by less is nobody's concern."""


def status_of(state: ChamberState) -> Status:
    """The status as the chamber itself can know it (never `stale`)."""
    if state.retiring is not None:
        return Status.RETIRING
    return Status.PAUSED if state.pause is not None else state.health.status


def attributes(spec: ChamberSpec, status: Status) -> TypedSearchAttributes:
    """The search attributes that a chamber has with this spec and status."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(ORGANIZATION, spec.organization),
            SearchAttributePair(SECTION, spec.section),
            SearchAttributePair(STATUS, status.value),
            SearchAttributePair(PROFILE, spec.profile),
            SearchAttributePair(INTERVAL, round(spec.interval_ms / 1000)),
        ]
    )


def changes(have: TypedSearchAttributes, want: TypedSearchAttributes) -> list[SearchAttributeUpdate[Any]]:
    """The updates that turn one into the other; none when nothing changed, because each upsert is an event."""
    return [pair.key.value_set(pair.value) for pair in want if have.get(pair.key) != pair.value]


def status_answer(state: ChamberState) -> ChamberStatus:
    """The answer of the `status` query."""
    return ChamberStatus(
        id=state.spec.id,
        status=status_of(state).value,
        next_slot_ms=_next_slot_ms(state),
        pause=state.pause,
        failures=state.health.failures,
        last_reading_ms=state.health.last_reading_ms,
        last_failure=state.health.last_failure,
        unsaved=len(state.unsaved),
        unsaved_bytes=total_bytes(state.unsaved),
        version=state.spec.version,
        interval_ms=state.spec.interval_ms,
        notes=list(state.notes),
        run_number=state.run_number,
        unconfirmed=state.unconfirmed,
        settled_ms=settled_through(state, state.unsaved),
    )


def _next_slot_ms(state: ChamberState) -> int | None:
    until = state.pause.until_ms if state.pause else None
    if state.retiring is not None or (state.pause is not None and until is None):
        return None
    return state.next_ms if until is None else state.spec.grid.at_or_after(max(until, state.next_ms))


def page(state: ChamberState, riding: int, namespace: str) -> str:
    """Markdown for the Web UI, the same in every run: how the chamber does, what it is, and what people do with it.

    Args:
        state: the chamber.
        riding: see `details`.
        namespace: in which it runs.
    """
    asked, orders = facts_of(state.spec), orders_for(state.spec, namespace)
    return "\n".join([details(state, riding), "", "**Settings**", "", *asked, "", "**Commands**", "", *orders])


def details(state: ChamberState, riding: int = 0) -> str:
    """How the chamber does, as Markdown: what an operator asks first.

    Args:
        state: the chamber.
        riding: how many of its unsaved outcomes, the oldest, were handed to the round that runs now.
    """
    health, next_slot_ms = state.health, _next_slot_ms(state)
    lines = [
        f"**{status_of(state).value}** every {state.spec.interval_ms / 1000:g} s, profile {plain(state.spec.profile)}",
        "",
    ]
    if state.pause is not None:
        lines.append(f"- paused since {iso(state.pause.since_ms)} {_pause_words(state)}")
    if health.last_reading_ms is not None:
        lines.append(f"- last reading: {iso(health.last_reading_ms)}")
    if state.last:
        lines.append(f"- last outcome: {plain(state.last)}")
    if next_slot_ms is not None:
        lines.append(f"- next slot: {iso(next_slot_ms)}")
    if health.failures:
        when = iso(health.last_failure_ms) if health.last_failure_ms is not None else "unknown"
        what = plain(health.last_failure)
        lines.append(f"- {health.failures} slots in a row without a reading, last at {when}: {what}")
    lines += _waiting_words(state, riding)
    lines += _clock_words(state.skew_ms)
    lines += [f"- ignored: {plain(note)}" for note in reversed(state.notes)]
    return "\n".join(lines)


def _waiting_words(state: ChamberState, riding: int) -> list[str]:
    lines = [f"- {riding} outcomes travel with the round that runs now"] if riding else []
    if waiting := state.unsaved[riding:]:
        lines.append(f"- {len(waiting)} outcomes wait for the store ({total_bytes(waiting)} bytes)")
    if untold := len(state.signals.waiting) + state.signals.dropped:
        lines.append(f"- {untold} signals are no audit events yet")
    return lines


def _clock_words(skew_ms: int) -> list[str]:
    if abs(skew_ms) <= SKEW_SHOWN_MS:
        return []
    side = "ahead of" if skew_ms > 0 else "behind"
    return [f"- the worker's clock is {abs(skew_ms) / 1000:.1f} s {side} Temporal's"]


def _pause_words(state: ChamberState) -> str:
    assert state.pause is not None
    by = f"by {plain(state.pause.by)} " if state.pause.by else ""
    until = f" until {iso(state.pause.until_ms)}" if state.pause.until_ms is not None else " until somebody resumes it"
    return f"{by}({plain(state.pause.reason) or 'no reason given'}){until}"
