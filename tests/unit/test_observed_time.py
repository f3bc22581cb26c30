"""The device's own time: formats, zones, and what cannot be trusted."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.domain.instants import iso
from collector.mapping.circumstances import Circumstances
from collector.mapping.observed_time import CLOCK_UNSET_MS, DeviceTime, device_time
from collector.mapping.time_rules import TimeRules
from collector.mapping.tree import Unended

MOMENT = "2022-08-11T05:04:12.108Z"
PRAGUE = "Europe/Prague"
NAMES_NO_ZONE = "names no zone, and the chamber has no timezone: set it, such as Europe/Prague"


def instant_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def said(
    found: object, received: str | None = None, timezone: str = "", stands_still_s: float | None = None, **rules: Any
) -> DeviceTime:
    """What is made of `{"t": found}` that arrived then."""
    known = Circumstances(None if received is None else instant_ms(received), timezone)
    return device_time(TimeRules(select="t", stands_still_s=stands_still_s, **rules), {"t": found}, known)


def read(found: object, received: str | None = None, timezone: str = "", **rules: Any) -> str | None:
    observed_ms = said(found, received, timezone, **rules).observed_ms
    return None if observed_ms is None else iso(observed_ms)


# ---- formats


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        (MOMENT, MOMENT),
        ("2022-08-11t05:04:12z", "2022-08-11T05:04:12.000Z"),
        ("2022-08-11 05:04:12", "2022-08-11T05:04:12.000Z"),
        ("  2022-08-11   05:04:12 UTC ", "2022-08-11T05:04:12.000Z"),
        ("2022-08-11_05:04", "2022-08-11T05:04:00.000Z"),
        ("2022-08-11T05:04:12.1Z", "2022-08-11T05:04:12.100Z"),
        ("2022-08-11T05:04:12,1089999999999Z", MOMENT),
        ("2022-08-11T07:04:12.108+02:00", MOMENT),
        ("2022-08-11T07:04:12.108 +0200", MOMENT),
        ("2022-08-11T07:04:12.108+02", MOMENT),
        ("2022-08-11T00:34:12.108-04:30", MOMENT),
        ("20220811T050412.108Z", MOMENT),
        (f"2022-08-11T04:00:00Z/{MOMENT}", MOMENT),
    ],
)
def test_iso_and_its_variants(text: str, instant: str) -> None:
    assert read(text, zone="utc") == instant


@pytest.mark.parametrize(
    "found",
    [
        *(
            "",
            "yesterday",
            "2022-08-11",
            "05:04:12",
            "15:30:33 2022-12-07",
            "2022-13-11T05:04:12Z",
            "2022-02-30 05:04:12",
        ),
        *("2022-08-11T24:00:00Z", "2022-08-11T05:04:60Z", "2022-08-11T05:04:12+25:00", "2022-8-11 5:4:1", "x" * 10_000),
        *("\u0662\u0660\u0662\u0662-08-11 05:04:12", 1660194252, True, {}, [MOMENT], 10**400),
    ],
)
def test_what_is_no_iso_time(found: object) -> None:
    told = said(found, zone="utc")
    assert (told.observed_ms, told.shown_ms) == (None, None)
    assert 0 < len(told.why_not) < 300


@pytest.mark.parametrize(
    "sent",
    [1660194252.108, 1660194252108, 1660194252108000, "1660194252.108", " 1660194252108 ", "1660194252108499"],
)
def test_seconds_milliseconds_and_microseconds_are_told_by_their_size(sent: object) -> None:
    assert read(sent, format="unix") == MOMENT


@pytest.mark.parametrize("sent", [-5, "-5", "soon", True, 10**400, 1e18, float("inf"), "1e9", {}, MOMENT])
def test_what_is_no_epoch(sent: object) -> None:
    told = said(sent, format="unix")
    assert told.observed_ms is None
    assert "since 1970" in told.why_not


@pytest.mark.parametrize(
    ("pattern", "text", "instant"),
    [
        ("%Y/%m/%dT%H:%M:%Sz", "2025/10/09T21:40:36z", "2025-10-09T21:40:36.000Z"),
        ("%H:%M:%S %Y-%m-%d", "15:30:33 2022-12-07", "2022-12-07T15:30:33.000Z"),
        ("%d.%m.%y %I:%M %p", "07.12.22 03:30 PM", "2022-12-07T15:30:00.000Z"),
        ("%Y-%m-%d %H:%M:%S %z", "2022-12-07 15:30:33 +0100", "2022-12-07T14:30:33.000Z"),
    ],
)
def test_a_pattern_of_strptime(pattern: str, text: str, instant: str) -> None:
    assert read(text, format=pattern, zone="utc") == instant
    assert "does not fit" in said("27-09-2019 15:42:5x", format=pattern).why_not


@given(st.datetimes(datetime(2015, 1, 2), datetime(2090, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_an_offset_says_the_instant_whatever_the_zone(moment: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{moment.isoformat()}{sign}{hours:02}:{rest:02}"
    wanted = (moment - timedelta(minutes=minutes)).replace(tzinfo=UTC)
    told = said(text, timezone="Asia/Kolkata")
    assert told.observed_ms == (wanted - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.text(max_size=3)), st.booleans()))
def test_anything_is_read_or_refused(found: object) -> None:
    for rules in (
        TimeRules(select="t"),
        TimeRules(select="t", format="unix"),
        TimeRules(select="t", format="%Y%m%d%H%M"),
    ):
        told = device_time(rules, {"t": found}, Circumstances(instant_ms(MOMENT), PRAGUE))
        assert (told.observed_ms is None) == bool(told.why_not)


# ---- zones


def test_a_naive_time_is_read_in_the_profiles_or_the_chambers_zone_or_not_at_all() -> None:
    naive = "2022-08-11T07:04:12"
    assert read(naive, zone="utc") == "2022-08-11T07:04:12.000Z"
    assert read(naive, zone=PRAGUE) == "2022-08-11T05:04:12.000Z"
    assert read(naive, timezone=PRAGUE) == "2022-08-11T05:04:12.000Z"
    assert read(naive, timezone="America/New_York", zone=PRAGUE) == "2022-08-11T05:04:12.000Z"
    assert said(naive).why_not == f"'{naive}' (t) {NAMES_NO_ZONE}"
    assert "this worker does not know" in said(naive, timezone="Europe/Atlantis").why_not


@pytest.mark.parametrize(
    ("received", "instant"),
    [
        ("2025-10-26T00:31:00+00:00", "2025-10-26T00:30:00.000Z"),
        ("2025-10-26T01:29:00+00:00", "2025-10-26T01:30:00.000Z"),
    ],
)
def test_of_two_instants_in_the_fold_the_one_nearer_to_the_arrival_counts(received: str, instant: str) -> None:
    assert read("2025-10-26T02:30:00", received, PRAGUE) == instant


def test_the_fold_without_an_arrival_and_the_hour_that_never_was() -> None:
    assert said("2025-10-26T02:30:00", timezone=PRAGUE).why_not.endswith(
        "was twice in Europe/Prague: clocks were put back"
    )
    assert said("2025-03-30T02:30:00", timezone=PRAGUE).why_not.endswith("clocks were put forward over it")
    assert read("2025-03-30T03:00:00", timezone=PRAGUE) == "2025-03-30T01:00:00.000Z"


ZONES = st.sampled_from(
    [PRAGUE, "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "UTC"]
)


@given(ZONES, st.datetimes(datetime(2015, 1, 3), datetime(2037, 1, 1)), st.integers(0, 900))  # noqa: DTZ001
def test_a_clock_on_the_wall_that_is_nearly_right_is_put_back_into_utc(name: str, utc: datetime, late_s: int) -> None:
    """Nearer than half of the smallest fold (30 minutes, Lord Howe) there is no doubt which of the two it was."""
    moment = utc.replace(microsecond=0, tzinfo=UTC)
    wall = moment.astimezone(ZoneInfo(name)).replace(tzinfo=None)
    received_ms = round((moment + timedelta(seconds=late_s)).timestamp() * 1000)
    known = Circumstances(received_ms, name)
    told = device_time(TimeRules(select="t", max_skew_s=900.0), {"t": wall.isoformat()}, known)
    assert told.observed_ms == round(moment.timestamp() * 1000)


# ---- what is not trusted


def test_a_clock_that_was_never_set() -> None:
    told = said("1970-01-01T17:54:20", "2022-08-11T05:04:12+00:00", zone="utc")
    assert told == DeviceTime(why_not="'1970-01-01T17:54:20' (t) is before 2015: the device's clock is not set")
    assert said(0, format="unix").why_not == "0 (t) is before 2015: the device's clock is not set"
    assert said((CLOCK_UNSET_MS - 1) / 1000, format="unix").observed_ms is None
    assert said(CLOCK_UNSET_MS / 1000, format="unix").observed_ms == CLOCK_UNSET_MS


def test_a_clock_too_far_from_the_arrival() -> None:
    behind = said(MOMENT, "2022-08-11T05:14:13+00:00")
    assert behind.observed_ms is None
    assert behind.shown_ms == instant_ms(MOMENT)
    assert behind.why_not.endswith("601 s behind the answer's arrival; 600 s are allowed")
    assert "3588 s ahead of" in said(MOMENT, "2022-08-11T04:04:24+00:00").why_not
    assert read(MOMENT, "2022-08-11T05:14:12+00:00") == MOMENT
    assert read(MOMENT, "2022-08-11T05:14:13+00:00", max_skew_s=601.0) == MOMENT


def test_an_epoch_by_the_wall_clock_is_hours_wrong_and_the_wall_clock_itself_is_right() -> None:
    """ESPEC: `uts` 1485936764 equals its own `08:12:44` read as UTC; the answer came at 08:12:44 in Michigan."""
    arrived = "2017-02-01T13:12:45+00:00"
    assert "behind the answer's arrival" in said(1485936764, arrived, format="unix").why_not
    assert read("2017-02-01 08:12:44", arrived, "America/Detroit") == "2017-02-01T13:12:44.000Z"


def test_a_time_that_may_be_cut_is_not_used() -> None:
    assert said(Unended("2022-08-11T05:04:12"), zone="utc").why_not.endswith(
        "may be cut: nothing in the answer follows it"
    )


def test_nothing_there_and_a_shape_that_does_not_fit() -> None:
    assert said(None).why_not == "nothing is at t"
    wrong = device_time(TimeRules(select="abs(t)"), {"t": "x"}, Circumstances())
    assert wrong.observed_ms is None
    assert "abs(t)" in wrong.why_not
