"""Batches: what is observed in a section for a while."""

import sys
from typing import Annotated, Any

import typer

from cli.changing import change, given, say_made
from cli.commands.ledger import instant_of, range_query
from cli.commands.reading_table import print_readings
from cli.group import ListingGroup
from cli.output import amount, print_fields, print_table
from cli.paths import BATCHES, batch_path
from cli.session import Session, data_command
from cli.tables import Fit
from cli.times import clock_of, second_of
from cli.words import Batch, ChamberFlag, CsvFlag, DetectorFlag, FromFlag, LimitFlag, SectionFlag, ToFlag, sections
from collector.domain.errors import InvalidFieldError

DEFAULT_LIMIT = 1_000
group = typer.Typer(cls=ListingGroup, help="Batches: what is observed in a section. Told nothing else, it lists them.")
Name = Annotated[str | None, typer.Option("--name", help="A name for people.")]
Description = Annotated[str | None, typer.Option("--description", help="What it is.")]
INSTANT = "2026-01-31T08:00:00Z, 2026-01-31 or -2h"


@data_command
def list_batches(
    session: Session,
    section: SectionFlag = None,
    at: Annotated[str | None, typer.Option("--at", help=f"Only what is or was observed then: {INSTANT}.")] = None,
    limit: LimitFlag = None,
) -> None:
    """List batches, the one that started last first."""
    query = {"section": section, "at": instant_of("at", at)}
    session.show(session.listed("batches", BATCHES, query, limit), _print_all)


@data_command
def start(
    session: Session,
    batch: Batch,
    *,
    section: Annotated[str, typer.Option("--section", help="Where it is observed.", autocompletion=sections)],
    name: Name = None,
    description: Description = None,
    at: Annotated[str | None, typer.Option("--at", help=f"When it began: {INSTANT}; else now.")] = None,
) -> None:
    """Begin a batch; in a section there is one at a time. The same again changes nothing."""
    times = given(started_at=instant_of("at", at))
    body = {"id": batch, "section": section, **given(name=name, description=description), **times}
    answer = session.api.send("POST", BATCHES, body)
    session.show(answer.document, _print_one)
    say_made(batch, answer)


@data_command
def show(session: Session, batch: Batch) -> None:
    """Show one batch."""
    session.show(session.api.get(batch_path(batch)).document, _print_one)


@data_command
def end_batch(
    session: Session,
    batch: Batch,
    *,
    at: Annotated[str | None, typer.Option("--at", help=f"When it ended: {INSTANT}; else now.")] = None,
) -> None:
    """End a batch. Again changes nothing."""
    answer = session.api.send("POST", batch_path(batch, "end"), given(at=instant_of("at", at)))
    session.show(answer.document, _print_one)


@data_command
def change_batch(
    session: Session,
    batch: Batch,
    *,
    name: Name = None,
    description: Description = None,
    started: Annotated[str | None, typer.Option("--started", help=f"When it began: {INSTANT}.")] = None,
    ended: Annotated[str | None, typer.Option("--ended", help=f"When it ended: {INSTANT}.")] = None,
    no_ended: Annotated[bool, typer.Option("--no-ended", help="It goes on.")] = False,
) -> None:
    """Change a batch, and with its ends which readings are its own; exit 5 if somebody else changes it meanwhile."""
    if no_ended and ended is not None:
        raise InvalidFieldError("ended", "both --ended and --no-ended", "give one of them")
    wanted = given(name=name, description=description)
    wanted |= given(started_at=instant_of("started", started), ended_at=instant_of("ended", ended))
    wanted |= {"ended_at": None} if no_ended else {}
    session.show(change(session, batch_path(batch), wanted), _print_one)


@data_command
def batch_chambers(session: Session, batch: Batch, limit: LimitFlag = None) -> None:
    """List the chambers that stood in a batch's section while it was observed, and when."""
    session.show(session.listed("chambers", batch_path(batch, "chambers"), {}, limit), _print_stays)


@data_command
def batch_readings(
    session: Session,
    batch: Batch,
    *,
    chamber: ChamberFlag = None,
    detector: DetectorFlag = None,
    start: FromFlag = None,
    end: ToFlag = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many readings.")] = DEFAULT_LIMIT,
    csv: CsvFlag = False,
) -> None:
    """Read what was measured in a batch: by chamber and slot, of the chambers that stood in its section then."""
    if session.as_json and csv:
        raise InvalidFieldError("format", "both --json and --csv", "give one of them")
    path, query = batch_path(batch, "readings"), {"chamber": chamber, "detector": detector, **range_query(start, end)}
    if csv:
        for page in session.api.csv_pages(path, query, limit):
            sys.stdout.write(page)
    else:
        session.show(session.listed("readings", path, query, limit), lambda d: print_readings(d["items"]))


def _print_one(batch: dict[str, Any]) -> None:
    rows = [("id", batch["id"]), ("name", batch["name"] or "-"), ("description", batch["description"] or "-")]
    rows += [("section", batch["section"]), ("started", clock_of(batch["started_at"]))]
    rows += [("ended", clock_of(batch["ended_at"]) if batch["ended_at"] else "goes on")]
    print_fields([*rows, ("version", str(batch["version"]))])


def _print_all(document: dict[str, Any]) -> None:
    rows = [
        [b["id"], b["section"], second_of(b["started_at"]), second_of(b["ended_at"]), b["name"]]
        for b in document["items"]
    ]
    columns = ["id", "section", "started (UTC)", "ended", "name"]
    print_table(columns, rows, amount(len(rows), "batch", "batches"), Fit(texts=("name",)))


def _print_stays(document: dict[str, Any]) -> None:
    rows = [[s["chamber"], second_of(s["from"]), second_of(s["to"])] for s in document["items"]]
    print_table(["chamber", "from (UTC)", "to"], rows, amount(len(rows), "stay"))


group.command("list")(list_batches)
group.command("start")(start)
group.command("show")(show)
group.command("end")(end_batch)
group.command("change")(change_batch)
group.command("chambers")(batch_chambers)
group.command("readings")(batch_readings)
