"""Outcomes that wait: bounded, never without a word about a slot; portions; the table of docs/grid.md."""

import re
from pathlib import Path

import pytest
import temporalio.converter
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.backlog import STATE_LIMIT_BYTES, bounded, oldest_slot, portion, total_bytes
from collector.domain.chamber import LABEL_LIMIT, LABELS_LIMIT, NAME_LIMIT, URL_LIMIT, ChamberSpec, Pause
from collector.domain.health import Health
from collector.domain.outcome import (
    DETAIL_LIMIT,
    Change,
    Epoch,
    Gap,
    GapReason,
    Measurement,
    Outcome,
    PauseEnd,
    Quality,
    Reading,
)
from collector.messages import ChamberState
from collector.packing import Packed, pack, packed_bytes, unpack

PAGE = Path(__file__).resolve().parents[2] / "docs" / "grid.md"
NOON_MS = 1_772_366_400_000
LIMIT = 4_096
NAMES = ("co2", "temperature", "humidity", "pm_1", "pm_2_5", "pm_10", "tvoc_index", "nox_index")
UNITS = ("[ppm]", "Cel", "%", "ug/m3", "ug/m3", "ug/m3", "1", "1")
VALUES = (612.0, 21.47, 43.5, 3.25, 5.17, 6.08, 101.0, 1.0)


def reading(slot: int, measurements: int = 1) -> Reading:
    columns = list(zip(NAMES, VALUES, UNITS, strict=True))[:measurements]
    return Reading(slot, slot + 2, slot + 47, tuple(Measurement(n, v, u) for n, v, u in columns), 1)


@st.composite
def backlogs(draw: st.DrawFn) -> list[Packed]:
    """What a chamber may carry, oldest first: many readings and gaps, few changes of the schedule."""
    slot = 0
    rows: list[Packed] = []
    kinds = st.sampled_from(["reading"] * 6 + ["gap"] * 2 + ["pause", "epoch", "change"])
    for kind, length in draw(st.lists(st.tuples(kinds, st.integers(1, 8)), max_size=120)):
        made: list[Outcome] = [reading(slot, length)]
        if kind == "gap":
            made = [Gap(slot, slot + (length - 1) * 1_000, GapReason.MISSED, "x" * length * 30)]
            slot += (length - 1) * 1_000
        elif kind == "pause" and total_bytes(rows) < LIMIT * 8:
            made = [Gap(slot, None, GapReason.PAUSED, "door"), PauseEnd(slot, slot + 1_000)]
            slot += 1_000
        elif kind == "epoch":
            made = [Epoch(slot, 1_000, 0, 1, slot - 1_000), reading(slot)]
        elif kind == "change":
            made = [reading(slot), Change(1, "set_interval", interval_ms=1_000)]
        rows += [pack(outcome) for outcome in made]
        slot += 1_000
    return rows


def is_kept_for_ever(row: Packed) -> bool:
    return row["kind"] not in ("reading", "gap") or (row["kind"] == "gap" and "last" not in row)


def slots_of(rows: list[Packed]) -> set[int]:
    """Slots with a reading or in a closed run, on a grid of a second."""
    covered: set[int] = set()
    for outcome in map(unpack, rows):
        if isinstance(outcome, Reading):
            covered.add(outcome.slot_ms)
        elif isinstance(outcome, Gap) and outcome.last_ms is not None:
            covered.update(range(outcome.first_ms, outcome.last_ms + 1, 1_000))
    return covered


@given(backlogs())
@settings(deadline=None, max_examples=120)
def test_a_bounded_backlog_fits_and_loses_no_slot(rows: list[Packed]) -> None:
    kept = bounded(rows, LIMIT)
    unfoldable = [row for row in rows if is_kept_for_ever(row)]
    assert [row for row in kept if is_kept_for_ever(row)] == unfoldable
    if total_bytes(unfoldable) + 150 <= LIMIT * 3 // 4:
        assert total_bytes(kept) <= LIMIT
    assert slots_of(rows) <= slots_of(kept)
    assert oldest_slot(kept) == oldest_slot(rows)


@given(backlogs())
@settings(deadline=None, max_examples=60)
def test_only_the_oldest_are_folded_and_only_when_they_must(rows: list[Packed]) -> None:
    kept = bounded(rows, LIMIT)
    if total_bytes(rows) <= LIMIT:
        assert kept == rows
        return
    folded = [row for row in rows if not is_kept_for_ever(row) and not any(row is k for k in kept)]
    left = [row for row in rows if not is_kept_for_ever(row) and any(row is k for k in kept)]
    assert [*folded, *left] == [row for row in rows if not is_kept_for_ever(row)]
    run = unpack(kept[0])
    assert isinstance(run, Gap)
    assert run.reason is GapReason.OVERFLOW
    assert f"{len(folded)} outcomes" in run.detail


@given(st.lists(backlogs(), max_size=4))
@settings(deadline=None, max_examples=40)
def test_folding_again_and_again_loses_no_slot(waves: list[list[Packed]]) -> None:
    kept: list[Packed] = []
    expected: set[int] = set()
    for number, wave in enumerate(waves):
        moved = [_later(row, number * 10**6 * 1_000) for row in wave]
        expected |= slots_of(moved)
        kept = bounded([*kept, *moved], LIMIT)
        assert expected <= slots_of(kept)
    assert sum(row.get("reason") == "overflow" for row in kept) <= 1


def _later(row: Packed, ms: int) -> Packed:
    return {k: v + ms if k in ("slot", "first", "last", "previous_last") else v for k, v in row.items()}


@given(backlogs(), st.integers(1, 3_000))
@settings(deadline=None, max_examples=60)
def test_a_portion_is_the_oldest_that_fit_at_least_one(rows: list[Packed], limit: int) -> None:
    taken = portion(rows, limit)
    assert taken == rows[: len(taken)]
    assert bool(taken) == bool(rows)
    assert len(taken) == 1 or total_bytes(taken) <= limit
    if len(taken) < len(rows):
        assert total_bytes(rows[: len(taken) + 1]) > limit


def test_the_largest_state_that_is_allowed_is_half_a_payload() -> None:
    widest = "\U0001f321"  # twelve bytes in Temporal's JSON: no character takes more
    spec = ChamberSpec(
        id="x" * 63,
        organization="o" * 63,
        section="s" * 63,
        url="http://host/" + "é" * (URL_LIMIT - 12),
        profile="p" * 63,
        interval_ms=86_400_000,
        timeout_ms=86_400_000,
        name=widest * NAME_LIMIT,
        labels={f"{n:02}" + widest * (LABEL_LIMIT - 2): widest * LABEL_LIMIT for n in range(LABELS_LIMIT)},
        secret_ref="file:/" + "x" * 994,
        version=2**31,
    )
    text = widest * DETAIL_LIMIT
    state = ChamberState(
        spec,
        NOON_MS,
        pause=Pause(NOON_MS, text, text, NOON_MS),
        health=Health(10**6, NOON_MS, widest * 500, NOON_MS),
        unsaved=bounded([pack(Gap(n, n, GapReason.MALFORMED, text, text)) for n in range(60)]),
        retiring=text,
        notes=[widest * 200] * 10,
        last=widest * 200,
    )
    assert total_bytes(state.unsaved) > STATE_LIMIT_BYTES // 2
    [payload] = temporalio.converter.default().payload_converter.to_payloads([state])
    assert len(payload.data) - total_bytes(state.unsaved) < 300 * 1024, "all beside the backlog"
    assert len(payload.data) - total_bytes(state.unsaved) + STATE_LIMIT_BYTES < 1024 * 1024


# ---- the table for users


def readings_that_fit(measurements: int) -> int:
    """Counted, not calculated: readings are added until one is folded."""
    size, count = 0, 0
    while True:
        size += packed_bytes(pack(reading(NOON_MS + count * 60_000, measurements))) + 1
        if size > STATE_LIMIT_BYTES:
            return count
        count += 1


def spoken(seconds: int) -> str:
    """Hours and minutes, or days and hours, rounded down."""
    minutes = seconds // 60
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    return f"{minutes // 1440} d {minutes // 60 % 24} h"


@pytest.mark.parametrize("measurements", [1, 5, 8])
def test_the_page_for_users_says_how_long_an_outage_may_last(measurements: int) -> None:
    fit = readings_that_fit(measurements)
    size = packed_bytes(pack(reading(NOON_MS, measurements)))
    lasts = [spoken(fit * interval_s) for interval_s in (1, 5, 60)]
    row = f"| {measurements} | {size} | {fit:,} | {' | '.join(lasts)} |"
    rows = re.findall(r"^\| \d+ \| .*\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert row in rows


def test_qualities_and_long_names_carry_fewer() -> None:
    plain = reading(NOON_MS, 8)
    doubted = Reading(
        *(NOON_MS,) * 3, tuple(Measurement(m.name, None, m.unit, Quality.MISSING) for m in plain.measurements), 1
    )
    assert packed_bytes(pack(doubted)) > packed_bytes(pack(plain))
