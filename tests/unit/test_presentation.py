"""What people see of a chamber: bounded Markdown that no text can break; attributes that change only when they must."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.common import TypedSearchAttributes

from collector.domain.chamber import Pause
from collector.domain.health import Health, Status
from collector.domain.outcome import Gap, GapReason
from collector.messages import ChamberState
from collector.packing import pack
from tests.unit.test_chamber_spec import GOOD
from workflows.presentation import INTERVAL, STATUS, attributes, changes, details, status_answer, status_of
from workflows.texts import plain

NOON_MS = 1_772_366_400_000
HOSTILE = st.one_of(
    st.text(max_size=400),
    st.text(alphabet="`|*_#[]()<>!~-\\\n\r\t\x00\x1b \u2028\u202e\ud800a", max_size=400),
    st.integers(300, 5_000).map(lambda n: "`" * n),
)
INSTANTS = st.integers(-(2**60), 2**60)
PAUSES = st.one_of(st.none(), st.builds(Pause, INSTANTS, HOSTILE, HOSTILE, st.one_of(st.none(), INSTANTS)))
HEALTHS = st.builds(Health, st.integers(0, 9), st.one_of(st.none(), INSTANTS), HOSTILE, st.one_of(st.none(), INSTANTS))
SPECS = st.builds(lambda p, i: replace(GOOD, profile=p, interval_ms=i), HOSTILE, st.integers(1_000, 86_400_000))
STATES = st.builds(
    lambda spec, at, pause, health, notes, last, retiring, skew: ChamberState(
        spec, at, pause=pause, health=health, notes=notes, last=last, retiring=retiring, skew_ms=skew
    ),
    SPECS,
    INSTANTS,
    PAUSES,
    HEALTHS,
    st.lists(HOSTILE, max_size=10),
    HOSTILE,
    st.one_of(st.none(), HOSTILE),
    INSTANTS,
)
LINES = r"- (paused since|last reading:|last outcome:|next slot:|\d+ slots in|\d+ outcomes|the worker's|ignored:) ?"


@given(STATES)
@settings(deadline=None, max_examples=200)
def test_no_text_can_break_the_details(state: ChamberState) -> None:
    head, empty, *items = details(state).split("\n")
    assert re.match(r"\*\*[a-z]+\*\* every [\d.e+]+ s, profile ", head)
    assert empty == ""
    assert len(items) <= 6 + len(state.notes)
    for item in items:
        assert re.match(LINES, item)
        assert item.isprintable()
        assert len(item) <= 1_500
    details(state).encode()


@given(STATES)
@settings(deadline=None)
def test_no_text_can_begin_markdown_in_a_line(state: ChamberState) -> None:
    shown = details(state).removeprefix(f"**{status_of(state)}**")
    assert re.sub(r"\\[\\`*\[\]<>|~]", "", shown) == re.sub(r"[\\`*\[\]<>|~]", "", shown)


@given(HOSTILE)
@settings(deadline=None)
def test_a_plain_text_keeps_what_it_says(text: str) -> None:
    back = re.sub(r"\\(.)", r"\1", plain(text))
    kept = back.removesuffix("...") if len(text) > 300 else back
    assert kept == "".join(c if c.isprintable() else " " for c in text[:300])


@pytest.mark.parametrize(
    ("skew_ms", "line"),
    [
        (0, None),
        (1_000, None),
        (-1_000, None),
        (3_140, "- the worker's clock is 3.1 s ahead of Temporal's"),
        (-7_960, "- the worker's clock is 8.0 s behind Temporal's"),
    ],
)
def test_a_wrong_clock_of_the_worker_is_shown(skew_ms: int, line: str | None) -> None:
    lines = details(ChamberState(GOOD, NOON_MS, skew_ms=skew_ms)).split("\n")
    assert [shown for shown in lines if "clock" in shown] == ([line] if line else [])


def test_the_details_of_a_paused_failing_chamber() -> None:
    state = ChamberState(
        replace(GOOD, interval_ms=60_000),
        NOON_MS,
        pause=Pause(NOON_MS, "| `x`\n- ignored: nothing", "a", NOON_MS + 3_600_000),
        health=Health(3, NOON_MS - 240_000, "timeout: 10 s", NOON_MS - 60_000),
        unsaved=[pack(Gap(NOON_MS - 60_000, NOON_MS - 60_000, GapReason.TIMEOUT))],
        notes=["first", "second"],
        last="co2 612 [ppm]",
    )
    next_ms = state.spec.grid.at_or_after(NOON_MS + 3_600_000)
    assert status_answer(state).next_slot_ms == next_ms
    assert details(state).split("\n") == [
        "**paused** every 60 s, profile airgradient",
        "",
        r"- paused since 2026-03-01T12:00:00.000Z by a (\| \`x\` - ignored: nothing) until 2026-03-01T13:00:00.000Z",
        "- last reading: 2026-03-01T11:56:00.000Z",
        "- last outcome: co2 612 \\[ppm\\]",
        "- next slot: 2026-03-01T13:00:34.480Z",
        "- 3 slots in a row without a reading, last at 2026-03-01T11:59:00.000Z: timeout: 10 s",
        f"- 1 outcomes wait for the store ({status_answer(state).unsaved_bytes} bytes)",
        "- ignored: second",
        "- ignored: first",
    ]
    assert "- 1 outcomes travel with the round that runs now" in details(state, riding=1).split("\n")
    assert "wait for the store" not in details(state, riding=1)


# ---- attributes and status


@pytest.mark.parametrize("status", list(Status))
def test_nothing_is_updated_when_nothing_changed(status: Status) -> None:
    have = attributes(GOOD, status)
    assert changes(have, attributes(GOOD, status)) == []
    assert changes(have, attributes(replace(GOOD, version=9, labels={"a": "b"}), status)) == []


def test_only_what_changed_is_updated() -> None:
    have = attributes(GOOD, Status.COLLECTING)
    [update] = changes(have, attributes(GOOD, Status.FAILING))
    assert (update.key, update.value) == (STATUS, "failing")
    [update] = changes(have, attributes(replace(GOOD, interval_ms=90_000), Status.COLLECTING))
    assert (update.key, update.value) == (INTERVAL, 90)
    assert len(changes(TypedSearchAttributes.empty, have)) == 5


def test_retiring_wins_over_paused_wins_over_failing() -> None:
    state = ChamberState(GOOD, NOON_MS, health=Health(failures=3))
    assert status_of(state) is Status.FAILING
    state.pause = Pause(NOON_MS)
    assert status_of(state) is Status.PAUSED
    state.retiring = "moved"
    assert status_of(state) is Status.RETIRING


def test_the_next_slot_is_one_that_will_be_collected() -> None:
    state = ChamberState(GOOD, NOON_MS + 34_480)
    assert status_answer(state).next_slot_ms == NOON_MS + 34_480
    state.pause = Pause(NOON_MS + 34_480)
    assert status_answer(state).next_slot_ms is None
    state.pause = replace(state.pause, until_ms=NOON_MS + 1)
    assert status_answer(state).next_slot_ms == NOON_MS + 34_480, "the pause ends before its first slot"
    state.retiring = "moved"
    assert status_answer(state).next_slot_ms is None
