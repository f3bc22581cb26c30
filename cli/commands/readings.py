"""Readings as a table, as CSV, or as a curve in the terminal."""

import sys
from typing import Annotated, Any

import typer

from cli.client import chamber_path
from cli.commands.fleet import ChamberId
from cli.commands.ledger import FromFlag, ToFlag, range_query
from cli.commands.reading_table import print_bins, print_readings
from cli.exits import CommandError, Complaint, ExitCode
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
    _check_forms(session, plot=plot, csv=csv)
    query: dict[str, Any] = {**range_query(start, end), "detector": detector, "points": points}
    path = chamber_path(chamber, "readings")
    if csv:
        for line in session.api.text_lines(path, {**query, "limit": limit if points is None else None}, "text/csv"):
            sys.stdout.write(line + "\n")
    elif plot:
        _plot(session, chamber, {**query, "detector": _one_detector(session, chamber, detector)})
    elif points is not None:
        query["detector"] = _one_detector(session, chamber, detector)
        session.show(session.api.get(path, query).document, print_bins)
    else:
        found = list(session.api.items(path, query, limit))
        session.show({"items": found, "next_cursor": None}, lambda d: print_readings(d["items"]))


def _plot(session: Session, chamber: str, query: dict[str, Any]) -> None:
    from cli.plot import draw_curve  # noqa: PLC0415 - plotext costs as much as all the rest together

    query["points"] = query["points"] or PLOT_POINTS
    binned = session.api.get(chamber_path(chamber, "readings"), query).document
    span: dict[str, Any] = {k: query[k] for k in ("from", "to") if k in query}
    found = list(session.api.items(chamber_path(chamber, "gaps"), span))
    print(draw_curve(chamber, binned, found))


def _one_detector(session: Session, chamber: str, detector: str | None) -> str:
    if detector is not None:
        return detector
    names = [d["name"] for d in session.api.get(chamber_path(chamber, "detectors")).document["items"]]
    if len(names) == 1:
        return str(names[0])
    remedy = f"name one of: {', '.join(names)}" if names else "wait for the first reading"
    raise CommandError(ExitCode.REFUSED, Complaint("detector", "bins and curves are of one detector", remedy))


def _check_forms(session: Session, *, plot: bool, csv: bool) -> None:
    if sum((session.as_json, plot, csv)) > 1:
        raise InvalidFieldError("format", "more than one of --json, --plot and --csv", "give one of them")
