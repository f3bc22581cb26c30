"""Who did what to which thing, when and why."""

from typing import Annotated, Any

import typer

from cli.commands.ledger import range_query
from cli.output import amount, print_table
from cli.paths import EVENTS
from cli.session import Session, data_command
from cli.tables import Fit
from cli.times import second_of
from cli.words import ChamberFlag, FromFlag, LimitFlag, ToFlag

DEFAULT_LIMIT = 100
"""The list has no end, and people look for what was last."""


@data_command
def events(
    session: Session,
    *,
    chamber: ChamberFlag = None,
    target: Annotated[str | None, typer.Option("--target", help="Only of this thing: section/cold-store.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Only by this one: key/0123456789ab.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Only this operation: chambers.pause.")] = None,
    start: FromFlag = None,
    end: ToFlag = None,
    limit: LimitFlag = None,
) -> None:
    """List what was done, refused or failed, and by whom, the newest first; the last 100 unless --limit says more."""
    query = {"chamber": chamber, "target": target, "subject": subject, "action": action, **range_query(start, end)}
    session.show(session.listed("events", EVENTS, query, limit or DEFAULT_LIMIT), _print_events)


def _print_events(document: dict[str, Any]) -> None:
    rows = [
        [second_of(e["at"]), _who(e), e["action"], e["target"] or "-", _what_came_of_it(e), e["reason"], e["source"]]
        for e in document["items"]
    ]
    columns = ["at (UTC)", "by", "action", "target", "came to", "reason", "source"]
    print_table(columns, rows, amount(len(rows), "event"), Fit(texts=("reason",), spare=("source", "reason")))


def _who(event: dict[str, Any]) -> str:
    who = event["subject"] or "nobody"
    return f"{who} (claimed)" if event["claimed"] else who


def _what_came_of_it(event: dict[str, Any]) -> str:
    status = event["detail"].get("status")
    return event["outcome"] if status is None or event["outcome"] == "done" else f"{event['outcome']} ({status})"
