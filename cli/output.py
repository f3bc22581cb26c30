"""What commands print: data on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.exits import Complaint
from cli.tables import ANYWHERE, GAP, Fit, natural_width, parts_of

STATUS_STYLES = {"collecting": "green", "failing": "red", "stale": "magenta", "paused": "yellow"}


def print_json(document: Any) -> None:
    """One JSON document on standard output, indented for people at a terminal."""
    print(json.dumps(document, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str | None = None, fit: Fit = ANYWHERE
) -> None:
    """A table on standard output, in parts where the terminal is too narrow; in a pipe it is as wide as it has to be.

    Args:
        columns: headings.
        rows: a text for each column.
        caption: says what the rows do not.
        fit: what may become of columns that do not fit.
    """
    rows = list(rows)
    widths = [max(cell_len(row[n]) for row in (columns, *rows)) for n in range(len(columns))]
    console = _data_console(natural_width(widths))
    for number, part in enumerate(parts_of(columns, widths, console.width, fit)):
        if number:
            console.print()
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
        for index in part:
            wraps = columns[index] in fit.texts
            table.add_column(Text(columns[index]), no_wrap=not wraps, overflow="fold")  # a unit [ppm] is no markup
        for row in rows:
            table.add_row(*(_styled(row[index]) for index in part))
        console.print(table)
    if caption:
        console.print(Text(caption, style="italic"))


def plain(text: str) -> str:
    """The text without what would move a cursor: names come from devices, profiles and whoever else chose them."""
    return "".join(character if character.isprintable() else " " for character in text)


def amount(count: int, one: str, many: str = "") -> str:
    """`1 chamber`, `2 chambers`; `many` where it is not `one` and an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def print_fields(rows: Iterable[tuple[str, str]]) -> None:
    """Names and values of one thing, a line each."""
    rows = list(rows)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, GAP, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, _styled(value))
    widths = [max((cell_len(row[n]) for row in rows), default=0) for n in (0, 1)]
    _data_console(natural_width(widths) + GAP).print(table)


def say(text: str) -> None:
    """A remark for people, on standard error."""
    Console(stderr=True, highlight=False).print(text, markup=False, soft_wrap=True)


def show_complaints(complaints: Iterable[Complaint]) -> None:
    """`error: FIELD: problem` and `remedy: ...` on standard error, unwrapped, so that scripts can search it."""
    console = Console(stderr=True, highlight=False)
    for complaint in complaints:
        console.print(f"error: {complaint.field}: {complaint.problem}", style="red", markup=False, soft_wrap=True)
        if complaint.remedy:
            console.print(f"remedy: {complaint.remedy}", markup=False, soft_wrap=True)


def _data_console(natural: int | None = None) -> Console:
    """A pipe sets no limit, and a cut id is of no use to a script."""
    return Console(highlight=False, width=None if sys.stdout.isatty() or natural is None else max(natural, 1))


def _styled(cell: str) -> Text:
    return Text(cell, style=STATUS_STYLES.get(cell, ""))
