"""Instants as text and back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.domain.instants import FIRST_MS, LAST_MS, iso, parse_iso

INSTANTS = st.integers(FIRST_MS, LAST_MS)
OFFSETS = st.integers(-14 * 60, 14 * 60)


@given(INSTANTS)
@settings(deadline=None)
def test_an_instant_comes_back_to_the_millisecond(instant_ms: int) -> None:
    assert parse_iso(iso(instant_ms)) == instant_ms


@given(st.integers(-(2**31) * 1000, 2**34 * 1000), OFFSETS)
@settings(deadline=None)
def test_the_offset_does_not_matter(instant_ms: int, offset_min: int) -> None:
    zone = timezone(timedelta(minutes=offset_min))
    text = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant_ms)).astimezone(zone).isoformat()
    assert parse_iso(text) == instant_ms


@given(INSTANTS, INSTANTS)
@settings(deadline=None)
def test_text_sorts_as_time_does(a_ms: int, b_ms: int) -> None:
    assert (iso(a_ms) <= iso(b_ms)) == (a_ms <= b_ms)


@given(st.integers())
@settings(deadline=None)
def test_whatever_a_state_holds_can_be_shown(instant_ms: int) -> None:
    assert iso(instant_ms) == iso(max(FIRST_MS, min(instant_ms, LAST_MS)))


@pytest.mark.parametrize(
    ("text", "instant_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-03-01T12:00:00.001Z", 1_772_366_400_001),
        ("2026-03-01T13:00:00.001+01:00", 1_772_366_400_001),
        ("2026-03-29T02:30:00+01:00", 1_774_747_800_000),
        ("1969-12-31T23:59:59.999Z", -1),
        ("9999-12-31T23:59:59.999Z", LAST_MS),
        ("0001-01-01T00:00:00.000Z", FIRST_MS),
    ],
)
def test_vectors(text: str, instant_ms: int) -> None:
    assert parse_iso(text) == instant_ms
    assert parse_iso(iso(instant_ms)) == instant_ms


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("yesterday", "Invalid isoformat"),
        ("", "Invalid isoformat"),
        ("2026-03-01T12:00:00", "has no offset"),
        ("2026-03-01", "has no offset"),
        ("9999-12-31T23:59:59-01:00", "years 1 to 9999"),
        ("0001-01-01T00:00:00+01:00", "years 1 to 9999"),
    ],
)
def test_what_is_no_instant_is_refused(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        parse_iso(text)


@given(st.text())
@settings(deadline=None)
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    try:
        parsed = parse_iso(text)
    except ValueError:
        return
    assert FIRST_MS <= parsed <= LAST_MS
