"""Pausing, resuming, and collecting now."""

from contextlib import suppress
from typing import Annotated, Any

import typer

from cli.commands.fleet import print_chamber
from cli.commands.reading_table import print_readings
from cli.commands.tracing import Traced, show_trace
from cli.exits import CommandError
from cli.paths import chamber_path
from cli.session import Session, data_command
from cli.times import now_ms, parse_until_ms
from cli.traces.store import find_store
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
    trace: Annotated[bool, typer.Option("--trace", help="Show how it went, from the gateway to the device.")] = False,
) -> None:
    """Read a chamber now, off its grid; the reading is kept beside the grid's and never counted by the audit."""
    if trace:
        _collect_traced(session, chamber, force=force)
        return
    answer = session.api.send("POST", chamber_path(chamber, "collect"), {"force": force})
    session.show(answer.document, lambda reading: print_readings([reading]))


def _collect_traced(session: Session, chamber: str, *, force: bool) -> None:
    """The trace of a collection that failed is worth most: it is shown before the error, where there is one."""
    traced = Traced(find_store(None, session.home))
    try:
        answer = session.api.send("POST", chamber_path(chamber, "collect"), {"force": force}, headers=traced.headers)
    except CommandError:
        with suppress(CommandError):  # what went wrong first is what is told
            show_trace(traced.found_of_failure(), traced.trace_id, as_json=session.as_json)
        raise
    if not session.as_json:
        print_readings([answer.document])
    show_trace(traced.found(), traced.trace_id, as_json=session.as_json)
