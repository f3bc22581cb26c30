"""Exporting readings and gaps."""

import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.commands.ledger import range_query
from cli.export.formats import FORMATS, STANDARD_OUTPUT, RowSink, format_of, opened
from cli.export.rows import COLUMNS, GAP, ChamberRows, Part, Row
from cli.output import amount, print_json, say
from cli.paths import CHAMBERS, batch_path
from cli.progress import progress
from cli.session import Session, data_command
from cli.words import BatchFlag, ChambersFlag, DetectorFlag, FromFlag, ToFlag, sections
from collector.domain.errors import InvalidFieldError

CHUNK = 1_000
"""Rows that are handed on at once."""
EPILOG = (
    "A row for each measurement (kind reading) and one for each run of slots without a reading (kind gap), by chamber"
    f" and slot. Columns: {', '.join(COLUMNS)}. A gap that is still open has no last_slot.\n\n"
    "Examples:\n"
    "chamberlog export day.csv --section cold --from -1d\n"
    "chamberlog export january.parquet --from 2026-01-01 --to 2026-02-01\n"
    "chamberlog export --chamber sim-01 --detector temperature --format jsonl"
)
DEFAULT_START = "-24h"


@data_command
def export(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="- is standard output.")] = STANDARD_OUTPUT,
    *,
    format_: Annotated[
        str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}; else the file's ending says it.")
    ] = None,
    chamber: ChambersFlag = None,
    section: Annotated[
        str | None, typer.Option("--section", help="Only chambers that stand there now.", autocompletion=sections)
    ] = None,
    batch: BatchFlag = None,
    detector: DetectorFlag = None,
    start: FromFlag = None,
    end: ToFlag = None,
) -> None:
    """Write readings and gaps of a range as one table: CSV, JSON lines or Parquet; by default of the last 24 hours."""
    kind = format_of(file, format_)
    _refuse_contradictions(session, file, section=section, others=bool(chamber or batch))
    if batch is None:
        span = range_query(start or DEFAULT_START, end or "now")  # fixed once: no page sees another range
        parts = [Part(name, span) for name in chamber or _chambers(session, section)]
    else:
        span = range_query(start, end or "now")
        parts = _of_batch(session, batch, span, chamber)
    source, summary = ChamberRows(session.api, detector), Summary(str(file), kind, span)
    with opened(file, kind) as sink:
        _pour(parts, source, sink, summary)
        _refuse_unknown_detector(source, {part.chamber for part in parts}, detector)
    if session.as_json:
        print_json(summary.document())
    say(summary.sentence())


@dataclass(slots=True)
class Summary:
    """What was written.

    Attributes:
        file: as it was named.
        kind: the format.
        span: that was asked for.
        chambers: that were looked at.
        measurements: rows of readings.
        gaps: rows of gaps.
    """

    file: str
    kind: str
    span: Mapping[str, str]
    chambers: set[str] = field(default_factory=set)
    measurements: int = 0
    gaps: int = 0

    def count(self, rows: Sequence[Row]) -> None:
        """So many more."""
        gaps = sum(row[0] == GAP for row in rows)
        self.gaps, self.measurements = self.gaps + gaps, self.measurements + len(rows) - gaps

    def document(self) -> dict[str, Any]:
        """For scripts."""
        counts = {"chambers": len(self.chambers), "measurements": self.measurements, "gaps": self.gaps}
        return {"file": self.file, "format": self.kind, "from": None, "to": None, **self.span, **counts}

    def sentence(self) -> str:
        """For people."""
        where = "" if self.file == str(STANDARD_OUTPUT) else f" written to {self.file}"
        rows = f"{amount(self.measurements, 'measurement')} and {amount(self.gaps, 'gap')}"
        return f"{rows} of {amount(len(self.chambers), 'chamber')}{where}"


def _refuse_contradictions(session: Session, file: Path, *, section: str | None, others: bool) -> None:
    if section and others:
        raise InvalidFieldError("section", "it stands beside --chamber or --batch", "give one of them")
    if session.as_json and file == STANDARD_OUTPUT:
        raise InvalidFieldError("json", "the table takes standard output", "name a file, or leave --json out")


def _chambers(session: Session, section: str | None) -> list[str]:
    """Retired ones too: what they have in the range belongs to it."""
    found = [
        chamber["id"]
        for status in (None, "retired")
        for chamber in session.api.items(CHAMBERS, {"section": section, "status": status})
    ]
    return sorted(set(found))


def _of_batch(session: Session, batch: str, span: Mapping[str, str], wanted: Sequence[str] | None) -> list[Part]:
    """Each chamber for the time that it stood in the batch's section, as far as the range goes."""
    stays = list(session.api.items(batch_path(batch, "chambers"), {}))
    absent = sorted({*(wanted or ())} - {stay["chamber"] for stay in stays})
    if absent:
        remedy = f"`chamberlog batches chambers {batch}` lists those that did"
        raise InvalidFieldError("chamber", f"{absent[0]!r} did not stand in the section of the batch", remedy)
    return [
        Part(stay["chamber"], ends)
        for stay in stays
        if (not wanted or stay["chamber"] in wanted) and (ends := _common(stay, span))
    ]


def _common(stay: Mapping[str, Any], span: Mapping[str, str]) -> dict[str, str]:
    """What lies in both; empty when nothing does. Instants of the API compare as texts."""
    start, end = max(stay["from"], span.get("from", "")), min(stay["to"] or span["to"], span["to"])
    return {"from": start, "to": end} if start < end else {}


def _pour(parts: Sequence[Part], source: ChamberRows, sink: RowSink, summary: Summary) -> None:
    hidden = summary.file == str(STANDARD_OUTPUT) and sys.stdout.isatty()
    with progress("exporting", len(parts), hidden=hidden) as bar:
        for part in parts:
            summary.chambers.add(part.chamber)
            rows = source.of(part)
            while chunk := list(islice(rows, CHUNK)):
                sink.write(chunk)
                summary.count(chunk)
                bar.note(f"{summary.measurements + summary.gaps} rows")
            bar.advance()


def _refuse_unknown_detector(source: ChamberRows, chambers: Set[str], detector: str | None) -> None:
    """Some chambers may lack it; that all of them do is a slip of the pen."""
    if chambers and source.without_detector == chambers:
        problem, remedy = f"no chamber has a detector {detector!r}", "`chamberlog detectors ID` lists what there is"
        raise InvalidFieldError("detector", problem, remedy)
    if source.without_detector:
        lacking = amount(len(source.without_detector), "chamber")
        say(f"no detector {detector!r} in {lacking}: only their gaps are there")
