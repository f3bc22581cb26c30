"""Readings as a table, as CSV, or as a curve in the terminal."""

import sys
from typing import Annotated, Any

import typer

from cli.client import chamber_path
from cli.commands.fleet import ChamberId
from cli.commands.ledger import FromFlag, ToFlag, range_query
from cli.commands.reading_table import print_bins, print_readings
from cli.session import Session, data_command
from collector.domain.errors import InvalidFieldError

DEFAULT_LIMIT = 1_000
PLOT_POINTS = 140
"""Two for each column that the curve has in a terminal of 80: braille has two dots a column."""


@data_command
def readings(
    session: Session,
    chamber: ChamberId,
    detector: Annotated[str | None, typer.Argument(metavar="[DETECTOR]", help="Only this quantity.")] = None,
    *,
    start: FromFlag = "-1h",
    end: ToFlag = "now",
    points: Annotated[int | None, typer.Option("--points", min=1, help="So many bins of min, mean, max.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many raw readings.")] = DEFAULT_LIMIT,
    plot: Annotated[bool, typer.Option("--plot", help="Draw the curve of one detector, gaps marked.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")] = False,
) -> None:
    """Read a chamber's readings: raw rows, bins with --points, a curve with --plot, or --csv."""
    if sum((session.as_json, plot, csv)) > 1:
        raise InvalidFieldError("format", "more than one of --json, --plot and --csv", "give one of them")
    span = range_query(start, end)
    if plot:
        _plot(session, chamber, _one_detector(session, chamber, detector), span, points or PLOT_POINTS)
        return
    path = chamber_path(chamber, "readings")
    query: dict[str, Any] = {**span, "detector": detector}
    if points is not None:
        query |= {"detector": _one_detector(session, chamber, detector)["name"], "points": points}
    if csv:
        for page in session.api.csv_pages(path, query, limit if points is None else None):
            sys.stdout.write(page)
    elif points is not None:
        session.show(session.api.get(path, query).document, print_bins)
    else:
        found = list(session.api.items(path, query, limit))
        session.show({"items": found, "next_cursor": None}, lambda d: print_readings(d["items"]))


def _plot(session: Session, chamber: str, detector: dict[str, Any], span: dict[str, Any], points: int) -> None:
    from cli.plot import Curve, draw_curve  # noqa: PLC0415 - plotext costs as much as all the rest together

    api = session.api
    bins = api.get(chamber_path(chamber, "readings"), {**span, "detector": detector["name"], "points": points})
    found = list(api.items(chamber_path(chamber, "gaps"), span))
    proof = api.get(chamber_path(chamber, "audit"), span).document
    interval_s = api.get(chamber_path(chamber)).document["interval_s"]
    title = f"{chamber} {detector['name']} [{detector['unit']}]"
    print(draw_curve(Curve(title, bins.document["items"], found, proof, interval_s)))


def _one_detector(session: Session, chamber: str, wanted: str | None) -> dict[str, Any]:
    detectors = session.api.get(chamber_path(chamber, "detectors")).document["items"]
    names = ", ".join(d["name"] for d in detectors)
    if wanted is None and len(detectors) == 1:
        return dict(detectors[0])
    for detector in detectors:
        if wanted is not None and wanted in (detector["name"], detector["alias"]):
            return dict(detector)
    problem = "bins and curves are of one detector" if wanted is None else f"there is no detector {wanted[:80]!r}"
    raise InvalidFieldError("detector", problem, f"name one of: {names}" if names else "wait for the first reading")
