"""Outcomes as they travel: nothing changes on the way, old rows are read, sizes are those of Temporal's converter."""

import json
from dataclasses import replace
from typing import Any

import pytest
import temporalio.converter
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.domain.outcome import (
    DETAIL_LIMIT,
    Change,
    Epoch,
    EpochEnd,
    Gap,
    GapReason,
    Measurement,
    Outcome,
    PauseEnd,
    Quality,
    Reading,
)
from collector.packing import Packed, count_readings, pack, packed_bytes, unpack

MS = st.integers(-(2**50), 2**50)
MAYBE_MS = st.one_of(st.none(), MS)
TEXTS = st.text(max_size=60)
LONG_TEXTS = st.one_of(TEXTS, st.integers(0, 3_000).map(lambda n: "é" * n))
VALUES = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
MEASUREMENTS = st.builds(Measurement, TEXTS, VALUES, TEXTS, st.sampled_from(Quality))
VERSIONS = st.integers(1, 10**6)
READINGS = st.builds(Reading, MS, MS, MS, st.lists(MEASUREMENTS, max_size=9).map(tuple), VERSIONS, MAYBE_MS)
GAPS = st.builds(Gap, MS, MAYBE_MS, st.sampled_from(GapReason), LONG_TEXTS, LONG_TEXTS, MAYBE_MS)
EPOCHS = st.builds(Epoch, MS, MS, MS, VERSIONS, MAYBE_MS, st.integers(0, 2**50))
KINDS = st.sampled_from(["pause", "resume", "set_interval"])
CHANGES = st.builds(Change, VERSIONS, KINDS, LONG_TEXTS, LONG_TEXTS, MAYBE_MS, MAYBE_MS, MAYBE_MS)
OUTCOMES = st.one_of(READINGS, GAPS, st.builds(PauseEnd, MS, MS), EPOCHS, st.builds(EpochEnd, MS), CHANGES)


def cut(outcome: Outcome) -> Outcome:
    """The outcome as it may arrive: long texts are cut."""
    match outcome:
        case Gap(detail=detail, by=by):
            return replace(outcome, detail=detail[:DETAIL_LIMIT], by=by[:DETAIL_LIMIT])
        case Change(reason=reason, by=by):
            return replace(outcome, reason=reason[:DETAIL_LIMIT], by=by[:DETAIL_LIMIT])
    return outcome


def travelled(row: Packed) -> Packed:
    """The row after Temporal's default converter, as an activity gets it: without type hints."""
    converter = temporalio.converter.default().payload_converter
    [arrived] = converter.from_payloads(converter.to_payloads([row]))
    assert isinstance(arrived, dict)
    return arrived


@given(OUTCOMES)
@settings(deadline=None)
def test_an_outcome_comes_back_the_same(outcome: Outcome) -> None:
    assert unpack(pack(outcome)) == cut(outcome)


@given(OUTCOMES)
@settings(deadline=None)
def test_an_outcome_survives_its_travel(outcome: Outcome) -> None:
    assert unpack(travelled(pack(outcome))) == cut(outcome)


@given(OUTCOMES)
@settings(deadline=None)
def test_the_size_is_what_temporal_sends(outcome: Outcome) -> None:
    [payload] = temporalio.converter.default().payload_converter.to_payloads([pack(outcome)])
    assert packed_bytes(pack(outcome)) == len(payload.data)


@given(OUTCOMES)
@settings(deadline=None)
def test_empty_fields_do_not_travel(outcome: Outcome) -> None:
    assert all(value is not None and value != "" for value in pack(outcome).values())


@given(st.lists(OUTCOMES, max_size=8))
@settings(deadline=None)
def test_readings_are_counted_by_kind(outcomes: list[Outcome]) -> None:
    assert count_readings(map(pack, outcomes)) == sum(isinstance(o, Reading) for o in outcomes)


def test_whatever_text_a_device_or_person_sent_can_be_sized_and_sent() -> None:
    gap = Gap(0, 0, GapReason.MALFORMED, "\ud800\x00\U0001f321")
    assert unpack(travelled(pack(gap))) == gap
    assert packed_bytes(pack(gap)) == len(json.dumps(pack(gap), separators=(",", ":")))


OLD: list[tuple[dict[str, Any], Outcome]] = [
    ({"kind": "gap", "first": 1, "last": 1, "reason": "missed"}, Gap(1, 1, GapReason.MISSED)),
    ({"kind": "gap", "first": 1, "reason": "paused"}, Gap(1, None, GapReason.PAUSED)),
    ({"kind": "pause_end", "first": 1, "last": 2}, PauseEnd(1, 2)),
    ({"kind": "epoch", "first": 1, "interval": 1000, "phase": 1, "v": 1}, Epoch(1, 1000, 1, 1)),
    ({"kind": "epoch_end", "last": 1}, EpochEnd(1)),
    ({"kind": "change", "v": 1, "what": "resume"}, Change(1, "resume")),
    (
        {"kind": "reading", "slot": 5, "req": 1, "rec": 2, "v": 1, "names": ["t"], "units": ["Cel"], "values": [21]},
        Reading(5, 6, 7, (Measurement("t", 21.0, "Cel"),), 1),
    ),
]


@pytest.mark.parametrize(("row", "outcome"), OLD, ids=[row["kind"] for row, _ in OLD])
def test_rows_without_optional_fields_are_read(row: dict[str, Any], outcome: Outcome) -> None:
    assert unpack(row) == outcome
    assert unpack(row | {"added_later": [1]}) == outcome, "a newer worker may have added a field"


def test_an_unknown_kind_is_an_error_and_is_not_dropped() -> None:
    with pytest.raises(ValueError, match="unknown kind 'tomorrow'"):
        unpack({"kind": "tomorrow"})


def test_a_reading_whose_columns_differ_in_length_is_an_error() -> None:
    row = pack(Reading(0, 0, 0, (Measurement("t", 1.0, "Cel"),), 1))
    with pytest.raises(ValueError, match="zip"):
        unpack(row | {"values": []})
