"""Every fault of the simulator ends as its row says, within the slot's budget, in little memory.

Besides: no fault of any dialect makes a wrong number good.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from collector.domain.outcome import Measurement, Quality, Reading
from simulator.dialects import DIALECTS
from simulator.faults import KINDS
from tests.contract.fault_runs import Chamber, Seen, aged, chambers
from tests.contract.fault_table import ROWS, SHORT_MS, Expected, Row, table

ROOT = Path(__file__).resolve().parents[2]
PEAK_BYTES = 16 * 2**20
SLACK_MS = 1_000
"""A machine with other work is late by this, at most."""
NOISE = {"Cel": 1.0, "%": 2.0, "[ppm]": 30.0, "hPa": 1.0}
"""How far two answers of the same air may lie apart, by unit."""
SLOT_S = 60.0


async def suffered(chamber: Chamber, row: Row) -> tuple[Seen, Seen]:
    """What came before the fault, and what became of it."""
    at_ms = None if row.at is None else round(row.at * 1000)
    before = await chamber.collect()
    await chamber.suffer(row.fault)
    kept: dict[str, Any] = {"timeout_ms": row.timeout_ms, "at_ms": at_ms, "measured": True}
    seen = await chamber.collect(memory=aged(before.memory, SLOT_S), **kept)
    if row.again_after_s is not None:
        seen = await chamber.collect(memory=aged(seen.memory, row.again_after_s), **kept)
    return before, seen


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
async def test_a_fault_ends_as_its_row_says(tmp_path: Path, row: Row) -> None:
    async with chambers(tmp_path, row.dialect) as [chamber]:
        before, seen = await suffered(chamber, row)
    assert seen.took_ms <= row.timeout_ms + SLACK_MS
    assert seen.peak_bytes <= PEAK_BYTES
    if row.expected.reason:
        assert seen.gap == (row.expected.reason, row.expected.code), seen.outcome
    else:
        assert isinstance(seen.outcome, Reading), seen.outcome
        hold(row.expected, before, seen)
        if seen.outcome.observed_ms is not None and row.fault["kind"] not in ELSEWHEN:
            assert abs(seen.outcome.observed_ms - seen.outcome.received_ms) < 5_000


ELSEWHEN = {"clock-jump", "time-stands-still"}
"""Faults under which the device's time is another one, and is told as it is."""


def hold(expected: Expected, before: Seen, seen: Seen) -> None:
    """Every measurement is as before, or as the row says."""
    assert isinstance(seen.outcome, Reading)
    assert isinstance(before.outcome, Reading)
    assert set(seen.measurements) == set(before.measurements) - set(expected.gone)
    for name, measurement in seen.measurements.items():
        usual = before.measurements[name]
        quality, value = expected.changed.get(name, (usual.quality.value, usual.value))
        assert measurement.quality.value == quality, (name, measurement)
        if value is not None:
            assert measurement.value == pytest.approx(value, abs=NOISE.get(measurement.unit, 1e9)), name
    observed = before.outcome.observed_ms is not None if expected.observed is None else expected.observed
    assert (seen.outcome.observed_ms is not None) == observed


def test_every_fault_has_a_row() -> None:
    assert {str(row.fault["kind"]) for row in ROWS} == set(KINDS)


def test_the_page_shows_the_table() -> None:
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    assert table() in page, "put the output of `python -m tests.contract.fault_table` into docs/faults.md"


@pytest.mark.parametrize("name", list(DIALECTS))
async def test_a_device_without_a_fault_is_read_whole(tmp_path: Path, name: str) -> None:
    async with chambers(tmp_path, name) as [chamber]:
        seen = await chamber.collect()
    assert isinstance(seen.outcome, Reading), seen.outcome
    assert {m.quality for m in seen.outcome.measurements if m.name != "ch4"} <= {Quality.GOOD, Quality.MISSING}
    assert seen.measurements["temperature"].value == pytest.approx(21.5, abs=1)
    assert (seen.outcome.observed_ms is not None) == (name in WITH_TIME)
    if seen.outcome.observed_ms is not None:
        assert abs(seen.outcome.observed_ms - seen.outcome.received_ms) < 2_000


SILENT = {"hang", "silence", "web-server-dead", "slow", "drip"}
WITH_TIME = {
    *("awair", "comet-web-sensor", "espec-web-controller", "home-assistant", "purpleair", "sensor-community"),
    *("shelly-rpc", "tasmota"),
}
NOT_TOLD = {
    "fahrenheit": {"generic-json", "generic-xml", "generic-csv"},
    "all-zero": {"papouch-tme", "esphome", "home-assistant"},
    "jump": set(DIALECTS),
}
"""Faults that nothing in a single answer tells, by dialect; docs/faults.md says so."""


@pytest.mark.parametrize("name", list(DIALECTS))
async def test_no_fault_makes_a_wrong_number_good(tmp_path: Path, name: str) -> None:
    kinds = [kind for kind in KINDS if kind != "syn-dropped" and _has(name, kind)]

    async def tried(chamber: Chamber, kind: str) -> list[Measurement]:
        await chamber.suffer({"kind": kind})
        seen = await chamber.collect(timeout_ms=SHORT_MS if kind in SILENT else 20_000)
        assert isinstance(seen.outcome, Reading) or seen.gap[1] != "defect", (kind, seen.outcome)
        return wrong(seen, before)

    async with chambers(tmp_path, *[name] * (len(kinds) + 1)) as [untouched, *fleet]:
        before = await untouched.collect()
        found = await asyncio.gather(*map(tried, fleet, kinds))
    untold = {kind for kind, names in NOT_TOLD.items() if name in names}
    assert {kind: wrongs for kind, wrongs in zip(kinds, found, strict=True) if wrongs and kind not in untold} == {}


def _has(name: str, kind: str) -> bool:
    """Whether the dialect can have the fault."""
    dialect, shapes = DIALECTS[name], KINDS[kind].shapes
    return (not shapes or dialect.shape.value in shapes) and (kind != "refusal" or dialect.refusal is not None)


def wrong(seen: Seen, before: Seen) -> list[Measurement]:
    """Measurements that are good and not what the device measured."""
    return [
        measurement
        for name, measurement in seen.measurements.items()
        if measurement.quality is Quality.GOOD and not _same(measurement, before.measurements.get(name))
    ]


def _same(measurement: Measurement, before: Measurement | None) -> bool:
    if measurement.unit not in NOISE:
        return True
    return before is not None and measurement.value == pytest.approx(before.value, abs=NOISE[measurement.unit])
