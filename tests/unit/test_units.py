"""The closed table of units."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.domain.errors import MisconfiguredError
from collector.domain.units import find_unit, spellings, stored_unit, to_stored, unit_code

CODES = sorted(set(spellings().values()))
STORED = {"Cel", "%", "hPa", "[ppm]", "[ppb]", "ug/m3", "lx", "W", "g/m3", "V", "A", "m/s", "s", "1"}
STORED |= {"W/m2", "km/h", "[mi_i]/h", "mm", "mm/h"}


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("C", "Cel"),
        ("\u00b0C", "Cel"),
        ("\u00baC", "Cel"),
        ("\u2103", "Cel"),
        ("&deg;C", "Cel"),
        ("[`degree`C]", "Cel"),
        (" C ", "Cel"),
        ("F", "[degF]"),
        ("degF", "[degF]"),
        ("\u00b0F", "[degF]"),
        ("K", "K"),
        ("%RH", "%"),
        ("%", "%"),
        ("Pa", "Pa"),
        ("mbar", "hPa"),
        ("inHg", "[in_i'Hg]"),
        ("ppm", "[ppm]"),
        ("ppb", "[ppb]"),
        ("\u00b5g/m\u00b3", "ug/m3"),
        ("\u03bcg/m\u00b3", "ug/m3"),
        ("ug/m3", "ug/m3"),
        ("lux", "lx"),
        ("W", "W"),
    ],
)
def test_real_spellings(spelling: str, code: str) -> None:
    assert unit_code(spelling) == code


@pytest.mark.parametrize("spelling", ["", "c", "0", "%%", "Grad", "\u00b0", "kelvins", "m\x00", "\ud800"])
def test_unknown_spelling_is_shown(spelling: str) -> None:
    assert find_unit(spelling) is None
    with pytest.raises(MisconfiguredError) as caught:
        unit_code(spelling)
    assert ascii(spelling) in caught.value.detail
    assert caught.value.detail.isascii()
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("value", "unit", "stored", "result"),
    [
        (70.0, "degF", "Cel", 21.1111111),
        (-40.0, "F", "Cel", -40.0),
        (293.15, "K", "Cel", 20.0),
        (101101.17, "Pa", "hPa", 1011.0117),
        (1013.2, "mbar", "hPa", 1013.2),
        (29.92, "inHg", "hPa", 1013.2076),
        (760.0, "mmHg", "hPa", 1013.25),
        (14.696, "psi", "hPa", 1013.2535),
        (101.3, "kPa", "hPa", 1013.0),
        (0.03, "mg/m3", "ug/m3", 30.0),
        (1.5, "kW", "W", 1500.0),
        (20.8, "C", "Cel", 20.8),
        (612.0, "ppm", "[ppm]", 612.0),
        (3.0, "V", "V", 3.0),
    ],
)
def test_conversion(value: float, unit: str, stored: str, result: float) -> None:
    code = unit_code(unit)
    assert stored_unit(code) == stored
    assert to_stored(value, code) == pytest.approx(result, abs=1e-3)


def test_decimal_fractions_are_not_blurred() -> None:
    assert to_stored(101101.17, "Pa") == 1011.0117
    assert to_stored(97294.09, "Pa") == 972.9409


def test_every_spelling_leads_to_a_stored_unit_that_is_its_own() -> None:
    assert {stored_unit(code) for code in CODES} == STORED
    for code in STORED:
        assert find_unit(code) == code
        assert stored_unit(code) == code
    assert len(spellings()) >= 40


def test_no_spelling_has_blanks_around() -> None:
    assert all(spelling == spelling.strip() for spelling in spellings())


@given(st.sampled_from(CODES), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_conversions_are_finite_and_keep_the_order(code: str, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert math.isfinite(to_stored(low, code))
    assert to_stored(low, code) <= to_stored(high, code)


@given(st.text(max_size=12))
def test_any_text_is_a_known_spelling_or_none(text: str) -> None:
    code = find_unit(text)
    assert code == spellings().get(text.strip())
