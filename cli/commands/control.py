"""Pausing, resuming, and collecting now."""

from typing import Annotated, Any

import typer

from cli.commands.fleet import print_chamber
from cli.commands.reading_table import print_readings
from cli.paths import chamber_path
from cli.session import Session, data_command
from cli.times import now_ms, parse_until_ms
from cli.words import Chamber, ReasonFlag, UntilFlag
from collector.domain.instants import iso


@data_command
def pause(
    session: Session,
    chamber: Chamber,
    reason: ReasonFlag = "",
    until: UntilFlag = None,
) -> None:
    """Stop reading a chamber; its slots become a `paused` gap. It ends at --until or by `resume`."""
    body: dict[str, Any] = {"reason": reason}
    if until is not None:
        body["until"] = iso(parse_until_ms("until", until, now_ms()))
    session.show(session.api.send("POST", chamber_path(chamber, "pause"), body).document, print_chamber)


@data_command
def resume(session: Session, chamber: Chamber) -> None:
    """Go on reading a paused chamber, on the same grid."""
    session.show(session.api.send("POST", chamber_path(chamber, "resume")).document, print_chamber)


@data_command
def collect(
    session: Session,
    chamber: Chamber,
    *,
    force: Annotated[bool, typer.Option("--force", help="Also while it is paused.")] = False,
) -> None:
    """Read a chamber now, off its grid; the reading is kept beside the grid's and never counted by the audit."""
    answer = session.api.send("POST", chamber_path(chamber, "collect"), {"force": force})
    session.show(answer.document, lambda reading: print_readings([reading]))
