"""Signals by people: any JSON value, any number of inputs; nothing raises, and what is ignored is said in a line."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.messages import ChamberState, PauseRequest, ResumeRequest
from collector.transitions import pause
from tests.unit.test_chamber_spec import GOOD
from workflows.orders import Ignored, interval_order, pause_order, resume_order, shown
from workflows.presentation import details

NOON_MS = 1_772_366_400_000
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**4_000), 10**4_000),
    st.floats(),
    st.text(),
    st.text(st.characters()),
)
KEYS = st.one_of(st.sampled_from(["reason", "by", "until"]), st.text())
VALUES = st.recursive(ATOMS, lambda inner: st.one_of(st.lists(inner), st.dictionaries(KEYS, inner)), max_leaves=12)
INPUTS = st.lists(VALUES, max_size=3)
MEGABYTE = "x" * 1_000_000


def check_ignored(order: Ignored) -> None:
    assert order.why.isprintable()
    assert order.why.isascii()
    assert 0 < len(order.why) <= 200


@given(INPUTS)
@settings(deadline=None, max_examples=300)
def test_whatever_is_sent_pauses_or_is_ignored(args: list[Any]) -> None:
    order = pause_order(args, NOON_MS)
    if isinstance(order, Ignored):
        return check_ignored(order)
    assert isinstance(order, PauseRequest)
    assert max(len(order.reason), len(order.by)) <= 1_024
    assert order.version is None
    assert order.until_ms is None or order.until_ms > NOON_MS
    return check_obeyed(order)


def check_obeyed(order: PauseRequest) -> None:
    """The chamber can pause with it, travel and be shown."""
    assert "\x00" not in order.reason + order.by
    (order.reason + order.by).encode()
    state = ChamberState(GOOD, GOOD.grid.after(NOON_MS))
    pause(state, order, NOON_MS)
    assert details(state)


@given(st.dictionaries(st.sampled_from(["reason", "by", "until"]), VALUES))
@settings(deadline=None)
def test_an_object_with_the_right_keys_pauses_unless_its_end_is_wrong(wanted: dict[str, Any]) -> None:
    order = pause_order([wanted], NOON_MS)
    if isinstance(order, Ignored):
        assert order.why.startswith("until ")
        return check_ignored(order)
    return check_obeyed(order)


@given(INPUTS)
@settings(deadline=None)
def test_a_resume_is_a_resume_whatever_is_sent_along(args: list[Any]) -> None:
    order = resume_order(args)
    assert isinstance(order, ResumeRequest)
    assert len(order.by) <= 1_024
    order.by.encode()


@given(INPUTS)
@settings(deadline=None)
def test_an_interval_is_a_number_in_range_or_ignored(args: list[Any]) -> None:
    order = interval_order(args)
    if isinstance(order, Ignored):
        check_ignored(order)
    else:
        assert 1_000 <= order <= 86_400_000
        assert abs(order - args[0] * 1000) <= 0.5


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ([42], "42 is not an object"),
        (["x"], "'x' is not an object"),
        ([None], "None is not an object"),
        ([[]], "list is not an object"),
        ([{}, {}], "2 inputs instead of one"),
        ([{"untill": 1}], "unknown key 'untill'"),
        ([{"until": "yesterday"}], "until 'yesterday' is not an instant"),
        ([{"until": 1}], "until 1 is not an instant"),
        ([{"until": True}], "until True is not an instant"),
        ([{"until": {}}], "until dict is not an instant"),
        ([{"until": "2026-03-01T13:00:00"}], "is not an instant like 2026-03-01T12:00:00Z"),
        ([{"until": "2026-03-01T12:00:00Z"}], "is in the past"),
        ([{"until": "1826-03-01T12:00:00Z"}], "is in the past"),
        ([{"until": "9999-12-31T23:59:59-01:00"}], "is not an instant"),
        ([{"until": MEGABYTE}], "(1000002 characters) is not an instant"),
        ([MEGABYTE], "(1000002 characters) is not an object"),
        ([{MEGABYTE: 1}], "(1000002 characters); known are reason, by, until"),
    ],
)
def test_a_pause_that_nobody_understands_says_why(args: list[Any], why: str) -> None:
    order = pause_order(args, NOON_MS)
    assert isinstance(order, Ignored)
    assert why in order.why
    check_ignored(order)


@pytest.mark.parametrize(
    ("args", "request_"),
    [
        ([], PauseRequest()),
        ([{}], PauseRequest()),
        ([{"reason": None, "by": None, "until": None}], PauseRequest()),
        ([{"reason": "door", "by": "lab"}], PauseRequest("door", "lab")),
        ([{"reason": 7, "by": ["lab"]}], PauseRequest("7", "list")),
        ([{"reason": "a\x00b\ud800"}], PauseRequest("ab?")),
        ([{"reason": MEGABYTE}], PauseRequest("x" * 1_024)),
        ([{"until": "2026-03-01T13:00:00.500+01:00"}], None),
        ([{"until": "2026-03-01T14:00:00.500+01:00"}], PauseRequest(until_ms=NOON_MS + 3_600_500)),
    ],
)
def test_pauses_that_are_understood(args: list[Any], request_: PauseRequest | None) -> None:
    order = pause_order(args, NOON_MS)
    assert order == request_ if request_ else (isinstance(order, PauseRequest) and order.until_ms == NOON_MS + 500)


@pytest.mark.parametrize(
    ("args", "interval"),
    [([1], 1_000), ([1.5], 1_500), ([86_400], 86_400_000), ([0.001 + 60], 60_001)],
)
def test_intervals_that_are_understood(args: list[Any], interval: int) -> None:
    assert interval_order(args) == interval


@pytest.mark.parametrize("wrong", [True, "60", None, [], {}, 0, -1, 0.9, 86_401, float("nan"), float("inf"), 10**400])
def test_intervals_that_are_not(wrong: Any) -> None:
    order = interval_order([wrong])
    assert isinstance(order, Ignored)
    assert "is not a number of seconds from 1 to 86400" in order.why


@given(VALUES)
@settings(deadline=None)
def test_whatever_was_sent_is_shown_in_a_few_printable_characters(value: Any) -> None:
    assert shown(value).isprintable()
    assert len(shown(value)) <= 60 + len("... (1000002 characters)")
