"""A curve in the terminal, its gaps visible as breaks, marked and named."""

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
GAP_MARK, PAUSE_MARK, NO_VALUE_MARK = "x", "P", "?"
MEANINGS = {
    GAP_MARK: "no reading",
    PAUSE_MARK: "paused",
    NO_VALUE_MARK: "a reading without a value (bad or missing)",
}
NAMED_GAPS = 8


@dataclass(frozen=True, slots=True)
class Point:
    """One bin of the curve.

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


def draw_curve(chamber: str, binned: dict[str, Any], gaps: Sequence[dict[str, Any]]) -> str:
    """The curve of one detector as text.

    Args:
        chamber: its id.
        binned: the API's answer to `readings` with `points`.
        gaps: the API's gap runs of the same range.
    """
    points = _points(binned)
    title = f"{chamber} {binned['detector']} [{binned.get('unit') or '?'}]"
    curve = _canvas(title, points) if any(p.mean is not None for p in points) else f"{title}: no value in this range"
    marks = {p.mark for p in points if p.mark}
    legend = [f"{mark}  {meaning}" for mark, meaning in MEANINGS.items() if mark in marks]
    return "\n".join([curve, *legend, *_named(gaps)])


def _points(binned: dict[str, Any]) -> list[Point]:
    items = binned["items"]
    starts = [_instant_s(b["start"]) for b in items]
    half = (starts[1] - starts[0]) / 2 if len(starts) > 1 else 0.0
    return [
        Point(start + half, b["min"], b["mean"], b["max"], _mark(b)) for start, b in zip(starts, items, strict=True)
    ]


def _mark(item: dict[str, Any]) -> str:
    reason = item["gap_reason"]
    if reason is not None:
        return PAUSE_MARK if reason == "paused" else GAP_MARK
    return NO_VALUE_MARK if item["count"] == 0 and item["worst_quality"] is not None else ""


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
    spread = [p for p in points if p.minimum is not None and p.minimum != p.maximum]
    for point in spread:
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
    days = last - first >= 86_400
    figure.ruler("x").lim(first, last)
    figure.ruler("x").ticks(ticks, [_tick(t, days=days) for t in ticks])


def _tick(instant_s: float, *, days: bool) -> str:
    text = clock_of(iso(round(instant_s) * 1000))
    return text[5:16] + "Z" if days else text[11:]


def _named(gaps: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    for gap in gaps[:NAMED_GAPS]:
        end = clock_of(gap["last_slot"]) if gap["last_slot"] else "now"
        why = f" ({gap['detail']})" if gap["detail"] else ""
        by = f" by {gap['by']}" if gap["by"] else ""
        lines.append(f"{gap['reason']}: {clock_of(gap['first_slot'])} to {end}, {gap['slots']} slots{by}{why}")
    more = len(gaps) - NAMED_GAPS
    return [*lines, f"and {more} more gaps: see `chamberlog gaps`"] if more > 0 else lines


def _instant_s(text: str) -> float:
    return parse_iso(text) / 1000


def _width() -> int:
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))


def _has_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
