"""A chamber that starts from a row of which it has not heard: the ledger's grid goes on until the new one begins."""

from dataclasses import replace

import pytest

from adapters.memory import InMemoryLedger, InMemoryOutcomes, InMemoryRegistry
from adapters.memory.history import InMemoryHistory
from adapters.temporal_control import initial_state
from collector import transitions
from collector.domain.chamber import ChamberSpec
from collector.domain.outcome import Epoch, GapReason, Reading
from collector.domain.timerange import TimeRange
from collector.messages import ChamberState
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
