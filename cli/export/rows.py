"""The table of an export: its columns, and its rows of one chamber in the order of their slots."""

import csv
import heapq
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.client import ApiClient
from cli.exits import CommandError, ExitCode
from cli.paths import chamber_path

COLUMNS = (
    *("kind", "chamber", "slot", "last_slot", "slots", "detector", "value", "unit", "quality", "reason", "detail"),
    *("requested_at", "received_at", "observed_at", "stored_at"),
)
"""Their order and their names are a promise; a new one may only follow them."""
READING, GAP = "reading", "gap"
PAGE_READINGS = 2_000
"""Readings asked for at once: some megabytes of text, whatever the range."""
Row = tuple[Any, ...]
"""As `COLUMNS`: texts, but `slots` is an int and `value` a float; None = empty. Instants are RFC 3339, UTC."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is wanted of one chamber.

    Attributes:
        chamber: whose.
        span: `from` and `to` as the API takes them.
    """

    chamber: str
    span: Mapping[str, str]


class ChamberRows:
    """Reads the rows of chambers, page by page: memory does not grow with the range.

    Args:
        api: is asked.
        detector: name or alias; None = all that are on.

    Attributes:
        without_detector: chambers that do not have the detector that was asked for.
    """

    def __init__(self, api: ApiClient, detector: str | None) -> None:
        self._api, self._detector = api, detector
        self.without_detector: set[str] = set()

    def of(self, part: Part) -> Iterator[Row]:
        """Readings, a row for each measurement, and gaps, a row for each run, by slot."""
        return heapq.merge(self._readings(part), self._gaps(part), key=lambda row: row[2])

    def _readings(self, part: Part) -> Iterator[Row]:
        path, query = chamber_path(part.chamber, "readings"), {**part.span, "detector": self._detector}
        try:
            yield from measured(self._api.csv_pages(path, query, page=PAGE_READINGS), part.chamber)
        except CommandError as error:
            if error.code != ExitCode.REFUSED or error.complaints[0].field != "detector":
                raise
            self.without_detector.add(part.chamber)

    def _gaps(self, part: Part) -> Iterator[Row]:
        for gap in self._api.items(chamber_path(part.chamber, "gaps"), part.span):
            yield gap_row(part.chamber, gap)


def measured(pages: Iterable[str], chamber: str) -> Iterator[Row]:
    """Rows of a chamber from CSV pages of the API; the first page has the headings."""
    headings: Sequence[str] = ()
    for page in pages:
        for cells in csv.reader(io.StringIO(page, newline="")):
            if not headings:
                headings = cells
            elif cells:
                yield reading_row(dict(zip(headings, cells, strict=True)), chamber)


def reading_row(cells: Mapping[str, str], chamber: str) -> Row:
    """One measurement."""
    value = cells["value"]
    return (
        *(READING, chamber, cells["slot"], None, None),
        *(cells["detector"], float(value) if value else None, cells["unit"], cells["quality"], None, None),
        *(cells["requested_at"], cells["received_at"], cells["observed_at"] or None, cells["stored_at"]),
    )


def gap_row(chamber: str, gap: Mapping[str, Any]) -> Row:
    """One run of slots without a reading; `last_slot` is empty while it is open."""
    return (
        *(GAP, chamber, gap["first_slot"], gap["last_slot"], gap["slots"]),
        *(None, None, None, None, gap["reason"], gap["detail"] or None),
        *(None, None, None, gap["recorded_at"]),
    )
