"""The curve in the terminal: broken and marked where something is missing, 80 columns, no colour in a pipe."""

from collections.abc import Sequence
from typing import Any

import pytest

from cli.plot import GAP_MARK, HOLE_MARK, NO_VALUE_MARK, PAUSE_MARK, Curve, draw_curve, points_of
from collector.domain.instants import iso

START, WIDTH_S = 1_770_000_000_000, 60
PROOF = {"unaccounted": 0, "overdue": 0}
LINE_DOTS = range(0x2801, 0x2900)
"""Braille characters with at least one dot."""


def bins_of(values: Sequence[float | str | None]) -> list[dict[str, Any]]:
    """A number is a mean; `missing` a reading without value; another text a gap; None an empty bin."""
    return [bin_of(START + n * WIDTH_S * 1000, value) for n, value in enumerate(values)]


def bin_of(start_ms: int, value: float | str | None) -> dict[str, Any]:
    mean = value if isinstance(value, float) else None
    gap = value if isinstance(value, str) and value != "missing" else None
    worst = "good" if mean is not None else "missing" if value == "missing" else None
    spread = {"min": mean, "mean": mean, "max": mean, "count": int(mean is not None)}
    return {"start": iso(start_ms), **spread, "worst_quality": worst, "gap_reason": gap}


def curve_of(values: Sequence[float | str | None], **changes: Any) -> Curve:
    fields: dict[str, Any] = {"title": "c1 temperature [Cel]", "gaps": [], "proof": PROOF, "interval_s": 60}
    return Curve(bins=bins_of(values), **{**fields, **changes})


def columns_with_line(text: str) -> set[int]:
    return {n for line in text.splitlines() for n, sign in enumerate(line) if ord(sign) in LINE_DOTS}


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_whole_curve_is_one_line_without_marks() -> None:
    text = draw_curve(curve_of([20.0 + n / 7 for n in range(70)]))
    columns = columns_with_line(text)
    assert columns == set(range(min(columns), max(columns) + 1))
    assert "c1 temperature [Cel]" in text
    assert "no reading" not in text


def test_a_gap_is_a_break_with_its_mark_and_its_reason() -> None:
    gap = {"first_slot": iso(START), "last_slot": iso(START + 60_000), "slots": 2}
    gap |= {"reason": "timeout", "detail": "no whole answer", "by": ""}
    text = draw_curve(curve_of([20.0] * 30 + ["timeout"] * 20 + [21.0] * 20, gaps=[gap]))
    columns = columns_with_line(text)
    holes = set(range(min(columns), max(columns) + 1)) - columns
    assert len(holes) > 15
    marked = next(line for line in text.splitlines() if line.count(GAP_MARK) > 3)
    assert {n for n, sign in enumerate(marked) if sign == GAP_MARK} <= holes
    assert f"{GAP_MARK}  no reading" in text
    assert "timeout 2026-02-02 02:40:00Z to 2026-02-02 02:41:00Z, 2 slots: no whole answer" in text


def test_a_pause_is_named_with_who_and_why_even_while_it_lasts() -> None:
    pause = {
        "first_slot": iso(START),
        "last_slot": None,
        "slots": 9,
        "reason": "paused",
        "detail": "door",
        "by": "key/a",
    }
    text = draw_curve(curve_of([20.0] * 30 + ["paused"] * 20 + [21.0] * 20, gaps=[pause]))
    assert any(line.count(PAUSE_MARK) > 3 for line in text.splitlines())
    assert f"{PAUSE_MARK}  paused" in text
    assert "paused 2026-02-02 02:40:00Z to now, 9 slots by key/a: door" in text


def test_one_lost_slot_among_many_is_seen_too() -> None:
    values: list[float | str | None] = [20.0] * 140
    values[70] = "unreachable"
    text = draw_curve(curve_of(values))
    assert any(GAP_MARK in line for line in text.splitlines()[1:20])


def test_readings_without_a_value_break_the_curve() -> None:
    points = points_of(curve_of([1.0, "missing", 2.0]))
    assert [p.mark for p in points] == ["", NO_VALUE_MARK, ""]


def test_empty_bins_between_slow_slots_are_no_break() -> None:
    curve = curve_of([1.0, None, None, 2.0], interval_s=180)
    assert {p.mark for p in points_of(curve)} == {""}
    unproved = curve_of([1.0, None, None, 2.0], interval_s=180, proof={**PROOF, "overdue": 1})
    assert {p.mark for p in points_of(unproved)} == {""}


def test_an_unproved_hole_is_never_drawn_over() -> None:
    curve = curve_of([1.0, None, None, 2.0, None, 3.0], proof={"unaccounted": 0, "overdue": 2})
    assert [p.mark for p in points_of(curve)] == ["", HOLE_MARK, HOLE_MARK, "", "", ""]
    assert "2 slots overdue in this range" in draw_curve(curve)


def test_a_range_without_any_value_says_so() -> None:
    text = draw_curve(curve_of(["missed"] * 5))
    assert text.startswith("c1 temperature [Cel]: no value in this range")
    assert f"{GAP_MARK}  no reading" in text


def test_many_gaps_are_cut_and_counted() -> None:
    gap = {"first_slot": iso(START), "last_slot": iso(START), "slots": 1, "reason": "timeout", "detail": "", "by": ""}
    text = draw_curve(curve_of([1.0, 2.0], gaps=[gap] * 11))
    assert text.count("timeout") == 8
    assert "and 3 more gaps: see `chamberlog gaps`" in text


@pytest.mark.parametrize("columns", [20, 40, 80, 120, 500])
def test_the_curve_fits_the_terminal_and_has_no_colour_in_a_pipe(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = draw_curve(curve_of([float(n % 9) for n in range(50)]))
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= max(40, min(160, columns))


def test_an_excursion_within_a_bin_is_drawn() -> None:
    curve = curve_of([20.0] * 60)
    curve.bins[30]["max"] = 35.0
    assert "35" in draw_curve(curve)


def test_times_are_utc_and_carry_the_day_in_long_ranges() -> None:
    assert "02:40:30Z" in draw_curve(curve_of([1.0, 2.0, 3.0]))
    assert "02-02 02:40Z" in draw_curve(curve_of([float(n) for n in range(1500)]))
