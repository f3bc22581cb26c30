"""A curve in the terminal; where something is missing it is broken, marked, and the reason is named."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotext  # type: ignore[import-untyped]  # it ships no types

from cli.times import clock_of
from collector.domain.instants import iso, parse_iso

HEIGHT = 20
NARROWEST, WIDEST = 40, 160
TICKS = 5
GAP_MARK, PAUSE_MARK, NO_VALUE_MARK, HOLE_MARK = "x", "P", "?", "!"
MEANINGS = {
    GAP_MARK: "no reading",
    PAUSE_MARK: "paused",
    NO_VALUE_MARK: "readings without a value (bad or missing)",
    HOLE_MARK: "slots without an outcome yet: see `chamberlog audit`",
}
NAMED_GAPS = 8


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn, as the API answers it.

    Attributes:
        title: stands above.
        bins: one detector in equal bins, at least one.
        gaps: gap runs of the same range.
        proof: the audit of the same range.
        interval_s: distance of two slots now.
    """

    title: str
    bins: Sequence[dict[str, Any]]
    gaps: Sequence[dict[str, Any]]
    proof: dict[str, Any]
    interval_s: float


@dataclass(frozen=True, slots=True)
class Point:
    """One bin.

    Attributes:
        at_s: its middle, seconds since the epoch.
        minimum: None without a value, as `mean` and `maximum`.
        mark: why the curve is broken here, or empty.
    """

    at_s: float
    minimum: float | None
    mean: float | None
    maximum: float | None
    mark: str


def draw_curve(curve: Curve) -> str:
    """The curve as text, as wide as the terminal, in colour only where standard output is one."""
    points = points_of(curve)
    valued = any(p.mean is not None for p in points)
    drawn = _canvas(curve.title, points) if valued else f"{curve.title}: no value in this range"
    marks = {p.mark for p in points}
    legend = [f"{mark}  {meaning}" for mark, meaning in MEANINGS.items() if mark in marks]
    return "\n".join([drawn, *legend, *_named(curve.gaps), *_unproved(curve.proof)])


def points_of(curve: Curve) -> list[Point]:
    """The bins as points, each with the mark that breaks the curve there."""
    starts = [parse_iso(b["start"]) / 1000 for b in curve.bins]
    width = starts[1] - starts[0] if len(starts) > 1 else 0.0
    marks = [_mark(b) for b in curve.bins]
    if curve.proof["unaccounted"] or curve.proof["overdue"]:
        _mark_holes(curve, width, marks)
    return [
        Point(start + width / 2, b["min"], b["mean"], b["max"], mark)
        for start, b, mark in zip(starts, curve.bins, marks, strict=True)
    ]


def _mark(item: dict[str, Any]) -> str:
    reason = item["gap_reason"]
    if reason is not None:
        return PAUSE_MARK if reason == "paused" else GAP_MARK
    return NO_VALUE_MARK if item["mean"] is None and item["worst_quality"] is not None else ""


def _mark_holes(curve: Curve, width: float, marks: list[str]) -> None:
    """Mark stretches of empty bins that are longer than the interval: a reading was due in them."""
    run: list[int] = []
    for index, item in enumerate([*curve.bins, None]):
        if item is not None and item["worst_quality"] is None and not marks[index]:
            run.append(index)
            continue
        if len(run) * width > curve.interval_s:
            for hole in run:
                marks[hole] = HOLE_MARK
        run = []


def _canvas(title: str, points: Sequence[Point]) -> str:
    figure = plotext.figure
    figure.clear()
    figure.theme("clear")
    figure.plot_size(_width(), HEIGHT)
    figure.title(title)
    _draw_means(figure, points)
    _draw_spread(figure, points)
    _draw_marks(figure, points)
    _draw_times(figure, points)
    drawn = str(figure.build())
    return drawn if _has_colour() else plotext.uncolorize(drawn)


def _draw_means(figure: Any, points: Sequence[Point]) -> None:
    valued = [(i, p) for i, p in enumerate(points) if p.mean is not None]
    signal = figure.signal([p.at_s for _, p in valued], [p.mean for _, p in valued], marker="braille").density("full")
    signal.lines(True)
    for index in range(1, len(valued)):
        before, here = valued[index - 1][0], valued[index][0]
        signal.line(index, not any(p.mark for p in points[before + 1 : here + 1]))
    figure.draw(signal)


def _draw_spread(figure: Any, points: Sequence[Point]) -> None:
    for point in points:
        if point.minimum != point.maximum:
            ends = figure.signal([point.at_s] * 2, [point.minimum, point.maximum], marker="braille")
            figure.draw(ends.lines(True))


def _draw_marks(figure: Any, points: Sequence[Point]) -> None:
    floor = min(p.minimum for p in points if p.minimum is not None)
    for mark in MEANINGS:
        marked = [p.at_s for p in points if p.mark == mark]
        if marked:
            figure.draw(figure.signal(marked, [floor] * len(marked), marker=mark))


def _draw_times(figure: Any, points: Sequence[Point]) -> None:
    first, last = points[0].at_s, points[-1].at_s
    ticks = [first + (last - first) * n / (TICKS - 1) for n in range(TICKS)]
    figure.ruler("x").lim(first, last)
    figure.ruler("x").ticks(ticks, [_tick(t, days=last - first >= 86_400) for t in ticks])


def _tick(instant_s: float, *, days: bool) -> str:
    text = clock_of(iso(round(instant_s) * 1000))
    return text[5:16] + "Z" if days else text[11:]


def _named(gaps: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    for gap in gaps[:NAMED_GAPS]:
        end = clock_of(gap["last_slot"]) if gap["last_slot"] else "now"
        by = f" by {gap['by']}" if gap["by"] else ""
        why = f": {gap['detail']}" if gap["detail"] else ""
        lines.append(f"{gap['reason']} {clock_of(gap['first_slot'])} to {end}, {gap['slots']} slots{by}{why}")
    more = len(gaps) - NAMED_GAPS
    return [*lines, f"and {more} more gaps: see `chamberlog gaps`"] if more > 0 else lines


def _unproved(proof: dict[str, Any]) -> list[str]:
    return [f"{proof[name]} slots {name} in this range" for name in ("unaccounted", "overdue") if proof[name]]


def _width() -> int:
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))


def _has_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
