"""Readings judged by the ones before: rates, stuck values, standing clocks, which device it is, and what is told."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.round_control import decode_progress
from collector.domain.errors import MisconfiguredError, SlotFailedError
from collector.domain.memory import Memory
from collector.domain.outcome import Quality
from collector.mapping.answer import MappedAnswer, map_answer
from collector.mapping.circumstances import Circumstances
from collector.mapping.profile import Profile
from tests.unit.jumping_time import NOON_MS

T: dict[str, Any] = {"name": "t", "select": "t", "unit": "C"}
H: dict[str, Any] = {"name": "h", "select": "h", "unit": "%"}
RATE = {"rate": {"change": 5, "within_s": 60}}
STUCK = {"stuck_s": 600}
HOUR_S = 3_600


def profile(*measurements: dict[str, Any], **other: Any) -> Profile:
    return Profile.model_validate({"name": "x", "measurements": [*measurements], **other})


class Watched:
    """A chamber whose answers are mapped one after the other, `s` seconds after noon, each with the memory before."""

    def __init__(self, rules: Profile, **known: Any) -> None:
        self.rules, self.known = rules, Circumstances(spec_version=3, **known)

    def hear(self, s: float, **values: Any) -> MappedAnswer:
        self.known = replace(self.known, received_ms=NOON_MS + round(s * 1000))
        heard = map_answer(self.rules, json.dumps(values).encode(), self.known)
        self.known = replace(self.known, memory=heard.memory)
        return heard

    def quality(self, s: float, **values: Any) -> str:
        return self.hear(s, **values).measurements[0].quality.value


# ---- nothing to remember


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.integers(0, 10**6), st.integers(0, 4))
def test_without_rules_memory_changes_nothing(value: float, good: float, when: int, version: int) -> None:
    held = Memory(version, "A1", when, when, {"t": [good, when, value, when], "h": [value, 0, value, 0]}, when)
    body = json.dumps({"t": value, "h": 40.0}).encode()
    rules = profile({**T, "range": [-50, 50]}, H)
    without = map_answer(rules, body, Circumstances(NOON_MS, spec_version=version))
    found = map_answer(rules, body, Circumstances(NOON_MS, spec_version=version, memory=held))
    assert found == without
    assert found.memory is None


SENT = st.one_of(st.none(), st.floats(-100, 100), st.sampled_from([0, 85, -999.9, "x", 21.5]))


@given(SENT, SENT, SENT, st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_reading_judged_twice_with_the_same_memory_gives_the_same(
    first: Any, second: Any, third: Any, ms: int, later_ms: int
) -> None:
    time = {"select": "d", "format": "unix", "stands_still_s": 300}
    room = Watched(profile({**T, **RATE, **STUCK}, {**H, **STUCK}, time=time, serial_number="sn"))
    now_s = NOON_MS // 1000
    room.hear(0, t=first, h=40, d=now_s, sn="A1")
    room.hear(ms / 1000, t=second, h=40, d=now_s, sn="A1")
    before = room.known
    heard = room.hear(ms / 1000 + later_ms / 1000, t=third, h=41, d=now_s)
    room.known = before
    assert room.hear(ms / 1000 + later_ms / 1000, t=third, h=41, d=now_s) == heard
    assert json.loads(json.dumps(heard.memory.values if heard.memory else {}))


def test_only_what_the_rules_need_is_remembered() -> None:
    room = Watched(profile({**T, **RATE}, {**H, **STUCK}, {"name": "p", "select": "p", "unit": "hPa"}))
    memory = room.hear(1, t=21.5, h=40, p=1013).memory
    at = NOON_MS + 1000
    assert memory == Memory(3, values={"t": [21.5, at, None, None], "h": [None, None, 40.0, at]}, at_ms=at)


def test_without_an_arrival_nothing_is_judged_and_the_memory_stays() -> None:
    room = Watched(profile({**T, **RATE}, H))
    before = room.hear(0, t=20, h=40).memory
    heard = map_answer(room.rules, b'{"t": 90, "h": 40}', Circumstances(spec_version=3, memory=before))
    assert (heard.measurements[0].quality, heard.memory) == (Quality.GOOD, before)


def test_a_newer_release_may_remember_more_of_a_measurement() -> None:
    room = Watched(profile({**T, **RATE}, H))
    at = NOON_MS
    newer: list[tuple[list[float | None], str]] = [
        ([20.0, at, None, None, 7.0], "suspect"),
        ([20.0, at], "good"),
        ([], "good"),
    ]
    for values, quality in newer:
        room.known = replace(room.known, memory=Memory(3, values={"t": values}, at_ms=at))
        assert room.quality(1, t=70, h=40) == quality


# ---- rates


def test_a_jump_is_suspect_with_its_value_and_says_why() -> None:
    room = Watched(profile({**T, **RATE}, H))
    room.hear(0, t=22, h=40)
    heard = room.hear(60, t=71.6, h=40)
    assert (heard.measurements[0].value, heard.measurements[0].quality) == (71.6, Quality.SUSPECT)
    assert heard.remarks == (
        "rate: t (t), is suspect: 71.6 Cel is 49.6 from the last good 22, 60 s ago; 5 within 60 s are plausible",
    )


def test_a_panel_switched_to_fahrenheit_is_suspect_until_the_jump_is_plausible() -> None:
    room = Watched(profile({**T, **RATE}, H))
    room.hear(0, t=22, h=40)
    assert [s for s in range(60, 900, 60) if room.quality(s, t=71.6, h=40) == "suspect"] == list(range(60, 600, 60))


def test_a_spike_does_not_become_what_the_next_is_held_against() -> None:
    room = Watched(profile({**T, **RATE}, H))
    assert [room.quality(60 * n, t=t, h=40) for n, t in enumerate([22, 80, 22.5, None, 23])] == [
        *("good", "suspect", "good", "missing", "good")
    ]


@given(st.floats(-4.9, 4.9), st.integers(60, 100 * HOUR_S))
def test_a_gap_of_hours_does_not_make_a_slow_drift_suspect(degrees_a_minute: float, gap_s: int) -> None:
    room = Watched(profile({**T, **RATE, "range": [-1e9, 1e9]}, H))
    room.hear(0, t=1e6, h=40)
    assert room.quality(gap_s, t=1e6 + degrees_a_minute * gap_s / 60, h=40) == "good"


# ---- stuck values


def test_a_value_that_does_not_change_is_suspect_from_the_limit_on_and_good_again_when_it_moves() -> None:
    room = Watched(profile({**T, **STUCK}, H))
    assert [room.quality(s, t=21.5, h=40) for s in (0, 300, 599, 600, 900)] == ["good"] * 3 + ["suspect"] * 2
    assert room.hear(960, t=21.5, h=40).remarks == ("stuck: t (t), is suspect: 21.5 Cel has not changed for 600 s",)
    assert [room.quality(s, t=t, h=40) for s, t in ((1_000, 21.6), (1_060, 21.5))] == ["good", "good"]


def test_readings_that_fail_between_do_not_make_a_stuck_value_move() -> None:
    room = Watched(profile({**T, **STUCK}, H))
    assert [room.quality(s, t=t, h=40) for s, t in ((0, 21.5), (300, None), (600, 21.5))] == [
        "good",
        "missing",
        "suspect",
    ]


def test_equal_values_with_a_long_outage_between_them_are_not_stuck() -> None:
    room = Watched(profile({**T, **STUCK}, H))
    assert [room.quality(s, t=21.5, h=40) for s in (0, HOUR_S, HOUR_S + 300, HOUR_S + 600)] == ["good"] * 3 + [
        "suspect"
    ]


# ---- the device's own time


def clocked(**rules: Any) -> Watched:
    return Watched(profile(T, H, time={"select": "d", "format": "unix", "stands_still_s": 300, **rules}))


def test_a_time_that_does_not_move_makes_every_value_suspect() -> None:
    room, now_s = clocked(max_skew_s=60), NOON_MS // 1000
    assert [room.quality(s, t=21 + s, h=40, d=now_s) for s in (0, 150, 299, 300)] == ["good"] * 3 + ["suspect"]
    heard = room.hear(301, t=30, h=40, d=now_s)
    assert {m.quality for m in heard.measurements} == {Quality.SUSPECT}
    assert heard.observed_ms is None
    assert [remark.split(" has ")[0] for remark in heard.remarks][-1] == "time: the device's clock"
    assert room.quality(302, t=30, h=40, d=now_s + 302) == "good"


def test_a_clock_that_was_never_set_is_not_held_to_stand_still() -> None:
    room = clocked()
    assert [room.quality(s, t=21, h=40, d=0) for s in (0, 400, 800)] == ["good"] * 3
    assert room.hear(900, t=21, h=40, d=0).remarks[0].startswith("time: 0 (d) is before 2015")


def test_a_time_that_can_be_trusted_is_when_it_was_observed() -> None:
    room, now_s = clocked(), NOON_MS // 1000
    assert room.hear(3, t=21, h=40, d=now_s).observed_ms == NOON_MS
    late = room.hear(700, t=21, h=40, d=now_s + 1)
    assert (late.observed_ms, late.measurements[0].quality) == (None, Quality.GOOD)
    assert len(late.remarks) == 1


# ---- which device


def named(**known: Any) -> Watched:
    return Watched(profile(T, H, serial_number="sn"), **known)


def test_another_device_at_the_address_is_refused_by_what_was_seen_first() -> None:
    room = named()
    room.hear(0, t=21, h=40, sn=" B-17 ")
    assert room.hear(1, t=21, h=40, sn="b-17").memory is not None
    empty: tuple[Any, ...] = (None, "", "--", True, [], {})
    for nothing in empty:
        assert room.quality(2, t=21, h=40, sn=nothing) == "good"
    with pytest.raises(MisconfiguredError) as caught:
        room.hear(3, t=21, h=40, sn="B-18")
    assert caught.value.detail == (
        "identity: the device says 'B-18', this chamber's is 'B-17'; another device has its address: correct the URL,"
        " or set serial_number"
    )
    assert room.known.memory is not None
    assert room.known.memory.serial_number == "B-17"


def test_the_owners_own_serial_number_wins_over_the_first_seen() -> None:
    room = named(serial_number="17", memory=Memory(3, "18"))
    assert room.quality(0, t=21, h=40, sn=17) == "good"
    with pytest.raises(MisconfiguredError, match="the device says '18', this chamber's is '17'"):
        room.hear(1, t=21, h=40, sn=18)


def test_another_device_is_told_before_its_answer_is_called_malformed() -> None:
    with pytest.raises(MisconfiguredError, match="identity"):
        named(serial_number="A").hear(0, sn="B")


def test_under_another_spec_everything_begins_anew() -> None:
    room = Watched(profile({**T, **RATE}, H, serial_number="sn"))
    room.hear(0, t=22, h=40, sn="A")
    room.known = replace(room.known, spec_version=4)
    heard = room.hear(60, t=71.6, h=40, sn="B")
    assert heard.measurements[0].quality is Quality.GOOD
    assert heard.memory is not None
    assert (heard.memory.spec_version, heard.memory.serial_number) == (4, "B")


# ---- which reason is told


def test_the_first_reason_is_told_and_the_readings_own_beside_it() -> None:
    room = Watched(profile({**T, **RATE, "range": [0, 50]}, {**H, **STUCK}))
    room.hear(0, t=22, h=40)
    heard = room.hear(60, t=71.6, h="oops")
    ranged, worded = heard.remarks
    assert ranged.startswith("range: t (t), is suspect: 71.6 Cel is outside ")
    assert worded == "number: h (h), is bad: 'oops' is not a number in %"
    zeros = room.hear(120, t=0, h=0)
    assert [remark.split(":")[0] for remark in zeros.remarks] == ["zero", "rate"]
    assert {m.quality for m in zeros.measurements} == {Quality.SUSPECT}


def test_what_nature_does_not_have_is_suspect_and_keeps_its_value() -> None:
    heard = Watched(profile(T, {**H, "name": "relative_humidity"})).hear(0, t=-999.9, h=110.5)
    assert [(m.value, m.quality.value) for m in heard.measurements] == [(-999.9, "suspect"), (110.5, "suspect")]
    assert heard.remarks == (
        (
            "range: t (t), is suspect: -999.9 Cel does not exist: nothing is below -273.15 (-999.9 is what devices send"
            " for a sensor that is missing: if it means no value here, name it under sentinels)"
        ),
        "range: relative_humidity (h), is suspect: 110.5 % does not exist: nothing is above 110",
    )


def test_a_hint_changes_no_quality_and_a_counter_has_none() -> None:
    counter = {"name": "n", "select": "n", "unit": "1", "diagnostic": True}
    heard = Watched(profile(T, counter, {**T, "name": "f", "select": "f", "unit": "F"})).hear(0, t=85, n=65535, f=85)
    assert {m.quality for m in heard.measurements} == {Quality.GOOD}
    assert heard.remarks == (
        (
            "sentinel: t (t), is good: 85 is what a DS18B20 sends after power-on: if it means no value here, name it"
            " under sentinels"
        ),
    )


# ---- whatever comes

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(
        ["2026-03-01T12:00:00Z", "2025-10-26 02:30:00", "\ud800", "\x00", "A1", 1772366400, -999.9, 10**300]
    ),
)
VALUES = st.one_of(LEAVES, st.lists(LEAVES, max_size=3), st.dictionaries(st.text(max_size=3), LEAVES, max_size=3))
ANSWERS = st.lists(st.dictionaries(st.sampled_from(["t", "h", "d", "sn"]), VALUES), min_size=1, max_size=5)
FORMATS = st.sampled_from(["iso", "unix", "%Y-%m-%d %H:%M:%S"])


@given(ANSWERS, FORMATS, st.integers(0, 2_000), st.sampled_from(["", "Europe/Prague", "Nowhere/At_All"]))
def test_whatever_comes_a_reading_or_a_reason_and_a_memory_that_travels(
    answers: list[dict[str, Any]], pattern: str, step_s: int, zone: str
) -> None:
    time = {"select": "d", "format": pattern, "stands_still_s": 1_000}
    room = Watched(profile({**T, **RATE, **STUCK}, {**H, **STUCK}, time=time, serial_number="sn"), timezone=zone)
    for number, values in enumerate(answers):
        try:
            heard = room.hear(number * step_s, **values)
        except SlotFailedError:  # a reason; another test holds what those say
            continue
        assert all(remark.isascii() and remark.isprintable() and len(remark) < 500 for remark in heard.remarks)
        assert heard.memory is not None
        travelled = json.loads(json.dumps(asdict(heard.memory)))
        assert decode_progress({"memory": travelled}).memory == heard.memory
        assert len(json.dumps(travelled)) < 2_000
