"""What commands print: data on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Timer
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.exits import Complaint

PIPED_WIDTH = 200
"""Columns of a table that is piped: no terminal sets a limit, and a cut id is of no use to a script."""
PATIENCE_S = 0.5
"""A sign that comes and goes within this is a flicker."""
STATUS_STYLES = {"collecting": "green", "failing": "red", "stale": "magenta", "paused": "yellow"}


def print_json(document: Any) -> None:
    """One JSON document on standard output, indented for people at a terminal."""
    print(json.dumps(document, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str | None = None) -> None:
    """A table on standard output; the caption says what the rows do not."""
    table = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        caption=Text(caption) if caption else None,
        caption_justify="left",
    )
    for column in columns:
        table.add_column(Text(column), overflow="fold")  # a unit such as [ppm] is no markup
    for row in rows:
        table.add_row(*(_styled(cell) for cell in row))
    _data_console().print(table)


def print_fields(rows: Iterable[tuple[str, str]]) -> None:
    """Names and values of one thing, a line each."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, _styled(value))
    _data_console().print(table)


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


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A moving sign on standard error once something takes its time; nothing where that is not a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    status = console.status(what)
    starter = Timer(PATIENCE_S, status.start)
    starter.start()
    try:
        yield
    finally:
        starter.cancel()
        starter.join()
        status.stop()


def _data_console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def _styled(cell: str) -> Text:
    return Text(cell, style=STATUS_STYLES.get(cell, ""))
