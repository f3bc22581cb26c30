"""Pausing, resuming, and collecting now."""

from typing import Annotated, Any

import typer

from cli.client import chamber_path
from cli.commands.fleet import ChamberId, print_chamber
from cli.commands.reading_table import print_readings
from cli.session import Session, data_command
from cli.times import now_ms, parse_until_ms
from collector.domain.instants import iso


@data_command
def pause(
    session: Session,
    chamber: ChamberId,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the gap that this leaves.")] = "",
    until: Annotated[str | None, typer.Option("--until", help="30m from now, or 2026-01-31T08:00:00Z.")] = None,
) -> None:
    """Stop reading a chamber; its slots become a `paused` gap. It ends at --until or by `resume`."""
    body: dict[str, Any] = {"reason": reason}
    if until is not None:
        body["until"] = iso(parse_until_ms("until", until, now_ms()))
    session.show(session.api.send("POST", chamber_path(chamber, "pause"), body).document, print_chamber)


@data_command
def resume(session: Session, chamber: ChamberId) -> None:
    """Go on reading a paused chamber, on the same grid."""
    session.show(session.api.send("POST", chamber_path(chamber, "resume")).document, print_chamber)


@data_command
def collect(
    session: Session,
    chamber: ChamberId,
    *,
    force: Annotated[bool, typer.Option("--force", help="Also while it is paused.")] = False,
) -> None:
    """Read a chamber now, off its grid; the reading is kept beside the grid's and never counted by the audit."""
    answer = session.api.send("POST", chamber_path(chamber, "collect"), {"force": force})
    session.show(answer.document, lambda reading: print_readings([reading]))
