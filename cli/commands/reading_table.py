"""Readings as a table: a row for each slot, a column for each detector."""

from collections.abc import Sequence
from typing import Any

from cli.output import print_table
from cli.times import clock_of


def print_readings(readings: Sequence[dict[str, Any]]) -> None:
    """Readings for people; a measurement that is not `good` says its quality beside (or instead of) its value."""
    units = {name: m["unit"] for r in readings for name, m in r["measurements"].items()}
    rows = []
    for reading in readings:
        found = reading["measurements"]
        rows.append([clock_of(reading["slot"]), *(_measured(found.get(name)) for name in units)])
    headings = [name if unit == "1" else f"{name} {unit}" for name, unit in units.items()]
    print_table(["slot (UTC)", *headings], rows, _counted(len(rows), "reading"))


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
    print_table(columns, rows, _counted(len(rows), "bin"))


def _measured(measurement: dict[str, Any] | None) -> str:
    if measurement is None:
        return ""
    value, quality = measurement["value"], measurement["quality"]
    shown = "" if value is None else _number(value)
    return shown if quality == "good" else f"{shown} {quality}".strip()


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.10g}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
