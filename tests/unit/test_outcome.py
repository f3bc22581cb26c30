"""Gap runs: merging loses no slot and joins nothing that differs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.domain.outcome import (
    Change,
    Epoch,
    EpochEnd,
    Gap,
    GapReason,
    PauseEnd,
    Reading,
    first_slot_of,
    merge_runs,
)

INTERVAL_MS = 1_000


@st.composite
def runs(draw: st.DrawFn) -> list[Gap]:
    """Closed runs in the order of their slots, with holes."""
    slot, made = 0, []
    for hole, length in draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=12)):
        first = slot + hole * INTERVAL_MS
        last = first + length * INTERVAL_MS
        reason = draw(st.sampled_from([GapReason.MISSED, GapReason.OVERRUN, GapReason.PAUSED]))
        detail, by = draw(st.sampled_from(["", "a"])), draw(st.sampled_from(["", "b"]))
        made.append(Gap(first, last, reason, detail, by, draw(st.sampled_from([None, 7]))))
        slot = last + INTERVAL_MS
    return made


def fates(gaps: list[Gap]) -> dict[int, tuple[object, ...]]:
    """What is said of each slot."""
    return {
        slot: (gap.reason, gap.detail, gap.by, gap.until_ms)
        for gap in gaps
        for slot in range(gap.first_ms, (gap.last_ms or 0) + 1, INTERVAL_MS)
    }


@given(runs())
@settings(deadline=None)
def test_merging_changes_no_slots_fate(gaps: list[Gap]) -> None:
    assert fates(merge_runs(gaps, INTERVAL_MS)) == fates(gaps)


@given(runs())
@settings(deadline=None)
def test_merged_runs_are_as_few_as_can_be(gaps: list[Gap]) -> None:
    merged = merge_runs(gaps, INTERVAL_MS)
    said = fates(gaps)
    begins = [slot for slot, fate in said.items() if said.get(slot - INTERVAL_MS) != fate]
    assert [gap.first_ms for gap in merged] == begins
    assert merge_runs(merged, INTERVAL_MS) == merged


def test_an_open_run_is_never_merged() -> None:
    gaps = [Gap(0, None, GapReason.PAUSED), Gap(1_000, 1_000, GapReason.PAUSED)]
    assert merge_runs(gaps, INTERVAL_MS) == gaps


def test_the_earliest_slot_that_an_outcome_decides() -> None:
    assert first_slot_of(Reading(5, 6, 7, (), 1)) == 5
    assert first_slot_of(Gap(5, None, GapReason.PAUSED)) == 5
    assert first_slot_of(PauseEnd(5, 9)) == 5
    assert first_slot_of(Epoch(5, 1_000, 5, 1)) == 5
    assert first_slot_of(Epoch(5, 1_000, 5, 1, 2)) == 3, "the slots from 3 on are no longer expected on the old grid"
    assert first_slot_of(Epoch(5, 1_000, 5, 1, 9)) == 5
    assert first_slot_of(EpochEnd(5)) == 5
    assert first_slot_of(Change(1, "pause", since_ms=5)) is None
