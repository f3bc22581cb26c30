"""Readings and curves as CSV, a row per measurement or bin; the header Link continues a page."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import Request, Response

from collector.domain.instants import iso
from collector.ports import Bin, Page, StoredReading

MEDIA_TYPE = "text/csv"
READING_COLUMNS = (
    "slot",
    "requested_at",
    "received_at",
    "observed_at",
    "stored_at",
    "detector",
    "value",
    "unit",
    "quality",
)
BATCH_COLUMNS = ("chamber", *READING_COLUMNS)
BIN_COLUMNS = ("start", "min", "mean", "max", "count", "worst_quality", "gap_reason")

Cell = str | float | int | None


def wants_csv(request: Request) -> bool:
    """Whether the header Accept prefers CSV to JSON; a wildcard means JSON."""
    weights = {"text/csv": 0.0, "application/json": 0.0}
    for part in request.headers.get("accept", "").split(","):
        kind, *parameters = [piece.strip().lower() for piece in part.split(";")]
        if kind in weights:
            weights[kind] = _weight(parameters)
    return weights["text/csv"] > weights["application/json"]


def _weight(parameters: Sequence[str]) -> float:
    text = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
    try:
        return float(text)
    except ValueError:
        return 0.0


def csv_or(model: Any, rows: str) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: a route answers JSON of that model, or CSV with these rows."""
    content = {MEDIA_TYPE: {"schema": {"type": "string"}, "example": ",".join(READING_COLUMNS) + "\r\n"}}
    return {200: {"model": model, "content": content, "description": f"JSON or CSV; CSV has {rows}"}}


def readings_csv(page: Page[StoredReading], request: Request) -> Response:
    """A page of readings; where there are more, `Link: <...>; rel="next"`."""
    rows = (row for stored in page.items for row in _rows(stored))
    return _continued(_document(READING_COLUMNS, rows), page, request)


def batch_readings_csv(page: Page[StoredReading], request: Request) -> Response:
    """The same of several chambers: a column says whose each row is."""
    rows = ((stored.chamber_id, *row) for stored in page.items for row in _rows(stored))
    return _continued(_document(BATCH_COLUMNS, rows), page, request)


def _continued(response: Response, page: Page[StoredReading], request: Request) -> Response:
    if page.next_cursor is not None:
        following = request.url.include_query_params(cursor=page.next_cursor)
        response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return response


def curve_csv(bins: Iterable[Bin]) -> Response:
    """Bins of a curve."""
    rows = ((iso(b.start_ms), b.minimum, b.mean, b.maximum, b.count, b.worst, b.gap_reason) for b in bins)
    return _document(BIN_COLUMNS, rows)


def _rows(stored: StoredReading) -> Iterable[Sequence[Cell]]:
    reading = stored.reading
    observed = None if reading.observed_ms is None else iso(reading.observed_ms)
    instants = (iso(reading.slot_ms), iso(reading.requested_ms), iso(reading.received_ms), observed)
    for m in reading.measurements:
        yield *instants, iso(stored.stored_ms), m.name, m.value, m.unit, m.quality


def _document(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return Response(text.getvalue(), media_type=MEDIA_TYPE)
