"""Strict numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.mapping.numbers import finite
from collector.mapping.numbers import number_of as read


def number_of(sent: object, unit: str, *, decimal_comma: bool = False) -> float | None:
    found = read(sent, unit, decimal_comma=decimal_comma)
    return None if found is None else found.number


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        (21, 21.0),
        (21.5, 21.5),
        (0, 0.0),
        ("21.5", 21.5),
        (" -4.25 ", -4.25),
        ("+3", 3.0),
        ("007.50", 7.5),
        ("21.5C", 21.5),
        ("21.5 \u00b0C", 21.5),
        ("21.5\u2103", 21.5),
        ("21.5&deg;C", 21.5),
    ],
)
def test_numbers(sent: object, value: float) -> None:
    assert number_of(sent, "Cel") == value


@pytest.mark.parametrize(
    "sent",
    [
        True, False, None, [], {}, [21], float("nan"), float("inf"), 10**400, "", " ", "nan", "NaN", "inf",
        "-Infinity", "1e999", "1e3", "0x1F", "1_000", "21.5 V", "21.5 %", "21.5 grad", "21,5", "1,234.5", "1.2.3",
        "21.", ".5", "--5", "+-5", "- 5", "2 1",
        "\u0662\u0661", "\u221221", "21\x00", "9" * 400, "warm", "Error 2", "21.5 C C", "C", "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_number(sent: object) -> None:
    assert number_of(sent, "Cel") is None


@pytest.mark.parametrize(
    ("sent", "glued"),
    [(21.5, None), ("21.5", None), ("21.5F", "[degF]"), ("21.5 \u2103", "Cel"), ("294 K", "K")],
)
def test_a_glued_unit_may_be_any_that_is_stored_as_the_expected_one(sent: object, glued: str | None) -> None:
    found = read(sent, "Cel")
    assert found is not None
    assert found.glued == glued


@pytest.mark.parametrize(
    ("sent", "value"),
    [("21,5", 21.5), ("-0,25 C", -0.25), ("21", 21.0), ("21.5", None), ("1.234,5", None), (21.5, 21.5)],
)
def test_decimal_comma(sent: object, value: float | None) -> None:
    assert number_of(sent, "Cel", decimal_comma=True) == value


@given(st.floats() | st.integers() | st.text(max_size=80) | st.booleans() | st.none(), st.booleans())
def test_only_finite_floats_come_out(sent: object, comma: bool) -> None:
    found = number_of(sent, "Cel", decimal_comma=comma)
    assert found is None or (type(found) is float and math.isfinite(found))


@given(st.decimals(-(10**9), 10**9, places=4))
def test_decimals_as_texts_are_read_exactly(number: object) -> None:
    text = f"{number:f}"
    assert number_of(text, "%") == float(text)
    assert number_of(f"{text}%", "%") == float(text)
    assert number_of(text.replace(".", ","), "%", decimal_comma=True) == float(text)


@given(st.floats(allow_nan=True, allow_infinity=True) | st.integers())
def test_finite(number: float) -> None:
    found = finite(number)
    assert (found is None) == (not -1.7976931348623157e308 <= number <= 1.7976931348623157e308)
