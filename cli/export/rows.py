"""The table of an export: its columns, and its rows of one chamber in the order of their slots."""

import csv
import heapq
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.client import ApiClient
from cli.exits import CommandError, ExitCode
from cli.paths import batch_path, chamber_path

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
class Selection:
    """What is wanted of each chamber.

    Attributes:
        span: `from` and `to` as the API takes them.
        detector: name or alias; None = all that are on.
    """

    span: Mapping[str, str]
    detector: str | None = None


class ChamberRows:
    """Reads the rows of chambers, page by page: memory does not grow with the range.

    Attributes:
        without_detector: chambers that do not have the detector that was asked for.
    """

    def __init__(self, api: ApiClient, wanted: Selection) -> None:
        self._api, self._wanted = api, wanted
        self.without_detector: list[str] = []

    def of(self, chamber: str) -> Iterator[Row]:
        """Readings, a row for each measurement, and gaps, a row for each run, by slot."""
        return heapq.merge(self._readings(chamber), self._gaps(chamber), key=lambda row: row[2])

    def of_batch(self, batch: str, chamber: str | None) -> Iterator[Row]:
        """Readings of a batch, a row for each measurement, by chamber and slot; of one chamber if it is named."""
        query = {**self._wanted.span, "detector": self._wanted.detector, "chamber": chamber}
        return measured(self._api.csv_pages(batch_path(batch, "readings"), query, page=PAGE_READINGS))

    def _readings(self, chamber: str) -> Iterator[Row]:
        query = {**self._wanted.span, "detector": self._wanted.detector}
        try:
            pages = self._api.csv_pages(chamber_path(chamber, "readings"), query, page=PAGE_READINGS)
            yield from measured(pages, chamber)
        except CommandError as error:
            if error.code != ExitCode.REFUSED or error.complaints[0].field != "detector":
                raise
            self.without_detector.append(chamber)

    def _gaps(self, chamber: str) -> Iterator[Row]:
        for gap in self._api.items(chamber_path(chamber, "gaps"), self._wanted.span):
            yield gap_row(chamber, gap)


def measured(pages: Iterable[str], chamber: str | None = None) -> Iterator[Row]:
    """Rows of CSV pages of the API; the first page has the headings.

    Args:
        pages: of one list.
        chamber: whose, where the pages do not say it.
    """
    headings: Sequence[str] = ()
    for page in pages:
        for cells in csv.reader(io.StringIO(page, newline="")):
            if not headings:
                headings = cells
            elif cells:
                yield reading_row(dict(zip(headings, cells, strict=True)), chamber)


def reading_row(cells: Mapping[str, str], chamber: str | None = None) -> Row:
    """One measurement."""
    value = cells["value"]
    return (
        *(READING, chamber or cells["chamber"], cells["slot"], None, None),
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
