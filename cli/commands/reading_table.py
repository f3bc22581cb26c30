"""Readings as a table: a row for each slot, a column for each detector."""

from collections.abc import Sequence
from typing import Any

from cli.output import print_table
from cli.times import clock_of


def print_readings(readings: Sequence[dict[str, Any]]) -> None:
    """Readings for people; a measurement that is not `good` says its quality beside (or instead of) its value."""
    names = list(dict.fromkeys(m["name"] for r in readings for m in r["measurements"]))
    units = {m["name"]: m["unit"] for r in readings for m in r["measurements"]}
    rows = []
    for reading in readings:
        cells = {m["name"]: _cell(m) for m in reading["measurements"]}
        rows.append([clock_of(reading["scheduled_at"]), *(cells.get(name, "") for name in names)])
    print_table(["slot (UTC)", *(f"{n} [{units[n]}]" for n in names)], rows, f"{len(rows)} readings")


def _cell(measurement: dict[str, Any]) -> str:
    value, quality = measurement["value"], measurement["quality"]
    shown = "" if value is None else f"{value:.10g}"
    return shown if quality == "good" else f"{shown} {quality}".strip()


def print_bins(document: dict[str, Any]) -> None:
    """Bins for people; an empty bin says the reason of its gap."""
    columns = ["from (UTC)", "min", "mean", "max", "count", "worst quality", "gap"]
    rows = [
        [
            *(clock_of(b["start"]), _number(b["min"]), _number(b["mean"]), _number(b["max"])),
            *(str(b["count"]), b["worst_quality"] or "-", b["gap_reason"] or ""),
        ]
        for b in document["items"]
    ]
    print_table(columns, rows, f"{len(rows)} bins")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"
