"""Pausing and resuming all chambers of a section."""

import time
from typing import Annotated, Any

import typer

from cli.exits import CommandError, Complaint, ExitCode
from cli.output import amount, print_fields, say
from cli.paths import section_path
from cli.progress import progress
from cli.session import Session, data_command
from cli.times import clock_of, now_ms, parse_until_ms
from cli.words import ReasonFlag, Section, UntilFlag
from collector.domain.instants import iso

POLL_S = 0.5
RUNNING = "running"
NoWait = Annotated[bool, typer.Option("--no-wait", help="Return at once; the order is carried out all the same.")]


@data_command
def pause(
    session: Session,
    section: Section,
    reason: ReasonFlag = "",
    until: UntilFlag = None,
    *,
    no_wait: NoWait = False,
) -> None:
    """Pause every chamber of a section, and wait until all have heard of it; it ends at --until or by `resume`."""
    body: dict[str, Any] = {"reason": reason}
    if until is not None:
        body["until"] = iso(parse_until_ms("until", until, now_ms()))
    _order(session, section, ("pause", body), no_wait=no_wait)


@data_command
def resume(session: Session, section: Section, *, no_wait: NoWait = False) -> None:
    """Resume every chamber of a section, and wait until all have heard of it."""
    _order(session, section, ("resume", None), no_wait=no_wait)


def _order(session: Session, section: str, order: tuple[str, Any], *, no_wait: bool) -> None:
    kind, body = order
    operation = session.api.send("POST", section_path(section, kind), body).document
    unreached = operation["unreached"]
    if not no_wait:
        path = section_path(section, f"operations/{operation['id']}")
        operation = {**_awaited(session, path, operation), "unreached": unreached}
    session.show(operation, _print_operation)
    if operation["state"] == RUNNING:
        say("the order is being carried out; `chamberlog list` shows which chambers have heard of it")
    _refuse_unheard(operation)


def _refuse_unheard(operation: dict[str, Any]) -> None:
    remedy = "give the order again: what is done is not done twice"
    complaints = [Complaint(left["chamber"], left["problem"], remedy) for left in operation["unreached"]]
    if operation["failed"] or operation["state"] == "failed":
        told = f"{operation['failed']} of {amount(operation['total'], 'chamber')} did not hear of it"
        complaints.append(Complaint("section", told, f"see which with `chamberlog list`, then {remedy}"))
    if complaints:
        raise CommandError(ExitCode.AWAY, *complaints)


def _awaited(session: Session, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Ctrl-C ends the waiting, not the order."""
    try:
        with progress(f"{operation['kind']} {operation['section']}", operation["total"] or None) as bar:
            while operation["state"] == RUNNING:
                time.sleep(POLL_S)
                operation = session.api.get(path).document
                bar.reach(operation["done"] + operation["failed"], operation["total"])
    except KeyboardInterrupt:
        say("the order is carried out all the same; nobody waits for it any more")
        raise
    return operation


def _print_operation(operation: dict[str, Any]) -> None:
    rows = [("section", operation["section"]), ("order", operation["kind"]), ("state", operation["state"])]
    rows += [("chambers", str(operation["total"])), ("done", str(operation["done"]))]
    rows += [("failed", str(operation["failed"]))] if operation["failed"] else []
    rows += [("reason", operation["reason"])] if operation["reason"] else []
    rows += [("began", clock_of(operation["started_at"])), ("ended", clock_of(operation["ended_at"]))]
    print_fields(rows)
