"""Readings as a table: a row for each slot, a column for each detector."""

from collections.abc import Sequence
from typing import Any

from cli.output import amount, print_table
from cli.tables import Fit
from cli.times import clock_of


def print_readings(readings: Sequence[dict[str, Any]]) -> None:
    """Readings for people; a measurement that is not `good` says its quality beside (or instead of) its value.

    Args:
        readings: as the API answers them; those of a batch say their `chamber` too.
    """
    units = {name: m["unit"] for r in readings for name, m in r["measurements"].items()}
    whose = ["chamber"] if any("chamber" in reading for reading in readings) else []
    rows = []
    for reading in readings:
        found = reading["measurements"]
        shown = (measured(found.get(name)) for name in units)
        rows.append([*(reading[name] for name in whose), clock_of(reading["slot"]), *shown])
    headings = [name if unit == "1" else f"{name} {unit}" for name, unit in units.items()]
    columns = [*whose, "slot (UTC)", *headings]
    print_table(columns, rows, amount(len(rows), "reading"), Fit(keys=len(whose) + 1))


def measured(measurement: dict[str, Any] | None) -> str:
    """A value as people read it, with its quality unless that is `good`."""
    if measurement is None:
        return ""
    value, quality = measurement["value"], measurement["quality"]
    shown = "" if value is None else _number(value)
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
    print_table(columns, rows, amount(len(rows), "bin"))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.10g}"
