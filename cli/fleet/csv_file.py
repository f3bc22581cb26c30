"""Fleet files in CSV: a header row, then a chamber a row; an empty cell says nothing."""

import csv
import io
from collections.abc import Iterator, Sequence

from cli.exits import Complaint
from cli.fleet.columns import COLUMNS, LABEL, column_of
from cli.fleet.entries import Cell, FleetFile, Row, read_rows

DELIMITERS = ",;\t"
"""Spreadsheets of many countries write semicolons."""
HEADER_REMEDY = f"use {', '.join(name for name in COLUMNS if name != 'labels')} and {LABEL}KEY"

FEW = "leave a cell empty where there is nothing to say, but keep its comma"
MANY = "put a cell that holds a comma into quotation marks"


def read_csv(text: str) -> FleetFile:
    """Read a fleet; everything that is wrong becomes a complaint.

    Args:
        text: with a header row; comma, semicolon or tab between cells.
    """
    header_line = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(header_line), strict=True)
    complaints: list[Complaint] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        complaints += _header_complaints(header)
        rows = list(_rows(reader, header, complaints))
    except csv.Error as error:
        problem, remedy = f"it is not CSV: {error}", "see whether a quotation mark is missing"
        return FleetFile((), (), [*complaints, Complaint(f"line {max(reader.line_num, 1)}", problem, remedy)])
    if complaints:
        known = [Row(row.line, {n: c for n, c in row.cells.items() if column_of(n)}) for row in rows]
        found = read_rows(known if "id" in header else [])
        return FleetFile(found.entries, found.twice, [*complaints, *found.complaints])
    return read_rows(rows)


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _header_complaints(header: Sequence[str]) -> Iterator[Complaint]:
    if "id" not in header:
        yield Complaint("line 1, id", "there is no such column", "begin the file with a header row that names it")
    for number, name in enumerate(header, 1):
        if name == "labels" or column_of(name) is None:
            yield Complaint(f"line 1, column {number}", f"there is no column {name[:60]!r}", HEADER_REMEDY)
        elif name in header[: number - 1]:
            yield Complaint(f"line 1, column {number}", f"{name!r} stands there twice", "keep one of them")


def _rows(reader: "csv._reader", header: Sequence[str], complaints: list[Complaint]) -> Iterator[Row]:  # type: ignore[name-defined]  # only stubs know it
    before = reader.line_num
    for cells in reader:
        line, before = before + 1, reader.line_num  # a cell in quotation marks may hold several lines
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            problem = f"it has {len(cells)} cells, and the header has {len(header)}"
            complaints.append(Complaint(f"line {line}", problem, FEW if len(cells) < len(header) else MANY))
            continue
        named = zip(header, (cell.strip() for cell in cells), strict=True)
        yield Row(line, {name: Cell(line, cell) for name, cell in named if cell})
