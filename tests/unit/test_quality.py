"""Doubts about values: pure rules."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.domain.outcome import Quality
from collector.domain.quality import (
    HINTED,
    all_zero,
    natural_bounds,
    quality_of,
    sentinel_hint,
    stood_still,
    too_fast,
)

HOUR_MS = 3_600_000
VALUES = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("sent", "unit", "meaning"),
    [
        (-999, "Cel", "missing"),
        (-999.9, "%", "missing"),
        (-9999, "1", "missing"),
        (9999, "[ppm]", "missing"),
        (32767, "lx", "16-bit"),
        (-32768, "Cel", "16-bit"),
        (65535, "hPa", "unsigned 16-bit"),
        (6553.5, "%", "unsigned 16-bit"),
        (85.0, "Cel", "power-on"),
        (-127, "Cel", "gone"),
        (-273, "Cel", "failed reading"),
        (-273.15, "Cel", "failed reading"),
        (0, "[ppm]", "CO2"),
    ],
)
def test_what_devices_send_for_no_value_is_known(sent: float, unit: str, meaning: str) -> None:
    hint = sentinel_hint(sent, unit)
    assert hint is not None
    assert hint.startswith(f"{sent:g} is what ")
    assert meaning in hint
    assert hint.endswith("name it under sentinels")
    assert sent in HINTED


@pytest.mark.parametrize(
    ("sent", "unit"), [(21.5, "Cel"), (85.0, "%"), (0, "Cel"), (0, "%"), (-127, "1"), (85.1, "Cel")]
)
def test_ordinary_numbers_have_no_hint(sent: float, unit: str) -> None:
    assert sentinel_hint(sent, unit) is None


@given(VALUES, st.sampled_from(["Cel", "%", "[ppm]", "1"]))
def test_what_has_a_hint_is_in_the_list_that_is_looked_up_first(sent: float, unit: str) -> None:
    assert sentinel_hint(sent, unit) is None or sent in HINTED


def test_nature_has_bounds_for_temperatures_and_humidities_only() -> None:
    assert natural_bounds("product_temperature", "Cel") == (-273.15, math.inf)
    assert natural_bounds("relative_humidity", "%") == (0, 110)
    assert natural_bounds("heating_power", "%") == natural_bounds("co2", "[ppm]") == (-math.inf, math.inf)


def test_range_and_all_zero() -> None:
    assert [quality_of(value, (0, 30)) for value in (-0.1, 0, 30, 30.1)] == [
        *(Quality.SUSPECT, Quality.GOOD, Quality.GOOD, Quality.SUSPECT)
    ]
    assert [all_zero(sent) for sent in ([], [0.0], [0.0, 0.0], [0.0, 0.1])] == [False, False, True, False]


def test_from_celsius_to_fahrenheit_at_22_degrees_is_implausible_for_ten_minutes_at_5_degrees_a_minute() -> None:
    """49.6 / 5 x 60 s = 595.2 s."""
    suspect = [second for second in range(1_000) if too_fast(71.6, 22.0, second * 1000, 5.0, 60_000)]
    assert suspect == list(range(596))


@given(VALUES, st.floats(0.01, 100), st.integers(1_000, HOUR_MS), st.floats(0, 1), st.integers(0, 48 * HOUR_MS))
def test_a_drift_at_the_rate_or_slower_is_never_too_fast_however_long_nobody_looked(
    good: float, change: float, within_ms: int, share: float, elapsed_ms: int
) -> None:
    drift = change * share * 0.999 * elapsed_ms / within_ms
    assert not too_fast(good + drift, good, elapsed_ms, change, within_ms)
    assert not too_fast(good - drift, good, elapsed_ms, change, within_ms)


@given(VALUES, VALUES, st.floats(0.01, 100), st.integers(1_000, HOUR_MS), st.integers(-HOUR_MS, 48 * HOUR_MS))
def test_what_is_plausible_stays_so_with_time_and_what_jumped_becomes_so(
    value: float, good: float, change: float, within_ms: int, elapsed_ms: int
) -> None:
    if not too_fast(value, good, elapsed_ms, change, within_ms):
        assert not too_fast(value, good, elapsed_ms + within_ms, change, within_ms)
    enough_ms = math.ceil(abs(value - good) / change * within_ms * 1.001) + within_ms
    assert not too_fast(value, good, enough_ms, change, within_ms)


@given(VALUES, VALUES, st.integers(-HOUR_MS, 0))
def test_a_clock_that_ran_backwards_allows_what_is_allowed_at_once(value: float, good: float, elapsed_ms: int) -> None:
    assert too_fast(value, good, elapsed_ms, 5.0, 60_000) == too_fast(value, good, 0, 5.0, 60_000)


def test_standing_still() -> None:
    assert [stood_still(since, 10_000, 3_000) for since in (None, 7_001, 7_000, 11_000)] == [False, False, True, False]
