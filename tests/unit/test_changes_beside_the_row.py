"""A chamber and its registry row: a start from a row that was changed meanwhile, and signals beside the API."""

from dataclasses import replace

import pytest

from adapters.memory import InMemoryLedger, InMemoryOutcomes, InMemoryRegistry
from adapters.memory.history import InMemoryHistory
from adapters.temporal_control import initial_state
from collector import transitions
from collector.domain.chamber import ChamberSpec
from collector.domain.outcome import Change, Epoch, GapReason, Reading
from collector.domain.timerange import TimeRange
from collector.messages import ChamberState, PauseRequest, ResumeRequest
from collector.packing import unpack
from collector.ports import SaveBatch

NOON_MS = 1_790_000_000_000
MINUTE = 60_000
SPEC = ChamberSpec(
    id="forgotten",
    organization="default",
    section="default",
    url="http://192.0.2.7/",
    profile="generic-json",
    interval_ms=10_000,
    timeout_ms=5_000,
)


async def collect_until(state: ChamberState, outcomes: InMemoryOutcomes, until_ms: int) -> None:
    """Store what waits, then a reading for every slot."""
    step = state.spec.interval_ms
    readings = [Reading(slot, slot, slot, (), state.spec.version) for slot in range(state.next_ms, until_ms, step)]
    batch = [*(unpack(row) for row in state.unsaved), *readings]
    await outcomes.save(SaveBatch(SPEC.id, batch, readings[-1].slot_ms))


@pytest.mark.parametrize(
    "changed",
    [{"interval_ms": 7_000}, {"aligned": True}, {"interval_ms": 40_000, "aligned": True}],
    ids=["interval", "aligned", "both"],
)
async def test_a_change_that_no_chamber_heard_of_takes_force_at_the_start(changed: dict[str, int]) -> None:
    now_ms = NOON_MS
    ledger = InMemoryLedger(lambda: now_ms)
    registry, outcomes, history = InMemoryRegistry(ledger), InMemoryOutcomes(ledger), InMemoryHistory(ledger)
    grid = SPEC.grid
    first = grid.after(now_ms)
    record = await registry.enrol(SPEC, Epoch(first, grid.interval_ms, grid.phase_ms, 1), now_ms)
    await collect_until(initial_state(record), outcomes, now_ms + 3 * MINUTE)

    now_ms += 5 * MINUTE  # Temporal was away when the row was changed, and the workflow is gone
    wanted = replace(SPEC, **changed)  # type: ignore[arg-type]
    state = initial_state(await registry.change_spec(wanted, 1))
    transitions.begin(state, now_ms)
    assert state.spec == replace(wanted, version=2)
    await collect_until(state, outcomes, now_ms + 5 * MINUTE)

    now_ms += 5 * MINUTE
    audit = await history.audit("default", SPEC.id, TimeRange(NOON_MS, now_ms), now_ms)
    assert (audit.unaccounted, audit.overdue, audit.pending) == (0, 0, 0)
    assert audit.expected == audit.stored + audit.gaps[GapReason.MISSED]
    assert audit.gaps == {GapReason.MISSED: 11}, (
        "two minutes of the old grid but for the slot that the new one replaced"
    )
    assert (await registry.find("default", SPEC.id)).grid == wanted.grid


def waiting_changes(state: ChamberState) -> list[Change]:
    """The changes that wait for the row."""
    return [outcome for outcome in map(unpack, state.unsaved) if isinstance(outcome, Change)]


def test_a_version_from_the_api_holds_what_became_of_waiting_changes() -> None:
    state = ChamberState(SPEC, SPEC.grid.after(NOON_MS))
    transitions.set_interval(state, 20_000, NOON_MS)  # made on version 1, waits
    transitions.configure(state, replace(SPEC, version=3, interval_ms=30_000), NOON_MS)

    transitions.confirm(state, [1], [])
    assert state.spec.version == 3, "the row is at 3 with it, not at 4"
    transitions.pause(state, PauseRequest("door"), NOON_MS)
    assert waiting_changes(state)[-1].expected_version == 3


def test_a_pause_of_the_api_before_a_waiting_change_is_what_the_next_change_is_made_on() -> None:
    state = ChamberState(SPEC, SPEC.grid.after(NOON_MS))
    transitions.set_interval(state, 20_000, NOON_MS)  # made on version 1; will be lost to the API's pause
    transitions.pause(state, PauseRequest("door", "key/1", version=2), NOON_MS)
    transitions.resume(state, ResumeRequest(), NOON_MS)
    assert [change.expected_version for change in waiting_changes(state)] == [1, 2]

    transitions.confirm(state, [1], ["it lost"])
    transitions.confirm(state, [2], [])
    assert (state.spec.version, state.unconfirmed) == (3, 0)


def test_a_resume_of_the_api_follows_a_pause_that_is_still_on_its_way_to_the_row() -> None:
    state = ChamberState(SPEC, SPEC.grid.after(NOON_MS))
    transitions.pause(state, PauseRequest("door"), NOON_MS)  # by signal: the row does not know yet
    transitions.resume(state, ResumeRequest("key/1", version=1), NOON_MS)  # the API found nothing to change in the row
    assert [(c.kind, c.expected_version) for c in waiting_changes(state)] == [("pause", 1), ("resume", 2)]
