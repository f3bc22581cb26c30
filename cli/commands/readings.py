"""Readings as a table, as CSV, or as a curve in the terminal."""

import sys
from typing import Annotated, Any

import typer

from cli.commands.detectors import find_detector
from cli.commands.ledger import range_query
from cli.commands.reading_table import print_bins, print_readings
from cli.paths import chamber_path
from cli.session import Session, data_command
from cli.words import Chamber, CsvFlag, DetectorArgument, FromFlag, ToFlag
from collector.domain.errors import InvalidFieldError

DEFAULT_LIMIT = 1_000
PLOT_POINTS = 140
"""Two for each column that the curve has in a terminal of 80: braille has two dots a column."""


@data_command
def readings(
    session: Session,
    chamber: Chamber,
    detector: DetectorArgument = None,
    *,
    start: FromFlag = "-1h",
    end: ToFlag = "now",
    points: Annotated[int | None, typer.Option("--points", min=1, help="So many bins of min, mean, max.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many raw readings.")] = DEFAULT_LIMIT,
    plot: Annotated[bool, typer.Option("--plot", help="Draw the curve of one detector, gaps marked.")] = False,
    csv: CsvFlag = False,
) -> None:
    """Read a chamber's readings: raw rows, bins with --points, a curve with --plot, or --csv."""
    if sum((session.as_json, plot, csv)) > 1:
        raise InvalidFieldError("format", "more than one of --json, --plot and --csv", "give one of them")
    span = range_query(start, end)
    if plot:
        _plot(session, chamber, find_detector(session, chamber, detector), span, points or PLOT_POINTS)
        return
    path = chamber_path(chamber, "readings")
    query: dict[str, Any] = {**span, "detector": detector}
    if points is not None:
        query |= {"detector": find_detector(session, chamber, detector)["name"], "points": points}
    if csv:
        for page in session.api.csv_pages(path, query, limit if points is None else None):
            sys.stdout.write(page)
    elif points is not None:
        session.show(session.api.get(path, query).document, print_bins)
    else:
        session.show(session.listed("readings", path, query, limit), lambda d: print_readings(d["items"]))


def _plot(session: Session, chamber: str, detector: dict[str, Any], span: dict[str, Any], points: int) -> None:
    from cli.plot import Curve, draw_curve  # noqa: PLC0415 - plotext costs as much as all the rest together

    api = session.api
    bins = api.get(chamber_path(chamber, "readings"), {**span, "detector": detector["name"], "points": points})
    found = list(api.items(chamber_path(chamber, "gaps"), span))
    proof = api.get(chamber_path(chamber, "audit"), span).document
    interval_s = api.get(chamber_path(chamber)).document["interval_s"]
    title = f"{chamber} {detector['name']} [{detector['unit']}]"
    print(draw_curve(Curve(title, bins.document["items"], found, proof, interval_s)))
