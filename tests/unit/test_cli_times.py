"""Durations and instants of the command line: what is read, what is refused, and that reading undoes writing."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.times import UNITS_MS, clock_of, duration_of, parse_duration_ms, parse_instant_ms, parse_until_ms, seconds_of
from collector.domain.errors import InvalidFieldError
from collector.domain.instants import iso

NOW = 1_770_000_000_000
SOME_INSTANT = st.integers(0, 4_102_444_800_000)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("500ms", 500),
        ("10s", 10_000),
        ("1.5s", 1_500),
        ("0.1s", 100),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("24h", 86_400_000),
        ("2d", 172_800_000),
        ("1h30m", 5_400_000),
        ("1d2h3m4s5ms", 93_784_005),
        (" 10s ", 10_000),
    ],
)
def test_a_duration_is_read(text: str, milliseconds: int) -> None:
    assert parse_duration_ms("every", text) == milliseconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "10", "s", "-10s", "10 s", "10S", "30m1h", "1h1h", "1e3s", "٣s", "0.5ms", "0.0001s", "10sec", "∞s"],
)
def test_what_is_no_duration_is_refused_by_field_and_remedy(text: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        parse_duration_ms("interval_s", text)
    assert refused.value.field == "interval_s"
    assert "1h30m" in refused.value.remedy


@given(st.integers(1, 10**9 - 1))
def test_a_duration_is_written_as_it_is_read(milliseconds: int) -> None:
    assert parse_duration_ms("x", duration_of(milliseconds / 1000)) == milliseconds


@given(st.dictionaries(st.sampled_from(list(UNITS_MS)), st.integers(0, 10**6), min_size=1))
def test_the_parts_of_a_duration_add_up(counts: dict[str, int]) -> None:
    text = "".join(f"{counts[unit]}{unit}" for unit in UNITS_MS if unit in counts)
    assert parse_duration_ms("x", text) == sum(counts[unit] * UNITS_MS[unit] for unit in counts)


@given(st.text())
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    with suppress(InvalidFieldError):
        assert parse_duration_ms("x", text) >= 0


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-02-02T02:40:00Z", NOW),
        ("2026-02-02T03:40:00+01:00", NOW),
        ("2026-02-02T02:40:00.250Z", NOW + 250),
        ("2026-02-02", 1_769_990_400_000),
        ("now", NOW),
        ("-2h", NOW - 7_200_000),
        ("+30m", NOW + 1_800_000),
    ],
)
def test_an_instant_is_read(text: str, instant: int) -> None:
    assert parse_instant_ms("from", text, NOW) == instant


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("yesterday", "is not a time"),
        ("2026-02-30", "is not a time"),
        ("2026-02-02T25:00:00Z", "is not a time"),
        ("2026-02-02T02:40:00", "has no offset"),
        ("2026-02-02 02:40", "has no offset"),
        ("-2", "is not a duration"),
        ("", "is not a time"),
    ],
)
def test_what_is_no_instant_is_refused_by_field_and_remedy(text: str, problem: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        parse_instant_ms("from", text, NOW)
    assert refused.value.field == "from"
    assert problem in refused.value.problem
    assert refused.value.remedy


@given(st.text())
def test_any_text_is_an_instant_or_refused(text: str) -> None:
    with suppress(InvalidFieldError):
        assert isinstance(parse_instant_ms("to", text, NOW), int)


@given(SOME_INSTANT)
def test_an_instant_is_read_as_it_is_written(instant: int) -> None:
    assert parse_instant_ms("from", iso(instant), NOW) == instant
    assert parse_instant_ms("from", clock_of(iso(instant)), NOW) == instant


def test_an_end_is_a_duration_from_now_or_an_instant() -> None:
    assert parse_until_ms("until", "30m", NOW) == NOW + 1_800_000
    assert parse_until_ms("until", "2026-02-02T02:40:01Z", NOW) == NOW + 1_000


@pytest.mark.parametrize("text", ["-5m", "0s", "now", "2026-02-02T02:40:00Z"])
def test_an_end_that_is_not_in_the_future_is_refused(text: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        parse_until_ms("until", text, NOW)
    assert refused.value.field == "until"


def test_times_for_people_are_utc_and_say_so() -> None:
    assert clock_of("2026-02-02T03:40:00+01:00") == "2026-02-02 02:40:00Z"
    assert clock_of("2026-02-02T02:40:00.250Z") == "2026-02-02 02:40:00.250Z"
    assert clock_of(None) == "-"


def test_seconds_stay_whole_where_they_are() -> None:
    assert repr([seconds_of(10_000), seconds_of(500)]) == "[10, 0.5]"
    assert [duration_of(s) for s in (10, 0.5, 90, 3600, 86_400, 0)] == ["10s", "500ms", "90s", "1h", "1d", "0s"]
