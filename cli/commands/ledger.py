"""What is missing, and the proof that nothing else is."""

from typing import Annotated, Any

import typer

from cli import words
from cli.exits import ExitCode
from cli.output import amount, print_fields, print_table
from cli.paths import chamber_path
from cli.session import Session, data_command
from cli.tables import Fit
from cli.times import clock_of, now_ms, parse_instant_ms
from cli.words import Chamber, FromFlag, LimitFlag, ToFlag
from collector.domain.instants import iso


@data_command
def gaps(
    session: Session,
    chamber: Chamber,
    start: FromFlag = None,
    end: ToFlag = None,
    limit: LimitFlag = None,
) -> None:
    """List the slots without a reading, in runs, each with its reason; by default of the last 24 hours."""
    session.show(session.listed("gaps", chamber_path(chamber, "gaps"), range_query(start, end), limit), _print_gaps)


@data_command
def audit(
    session: Session,
    chamber: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="One chamber; without it the fleet.", autocompletion=words.chambers),
    ] = None,
    start: FromFlag = None,
    end: ToFlag = None,
) -> None:
    """Prove that every slot is accounted for. Exit 1: slots are unaccounted; 2: slots are overdue; 0: neither."""
    path = "/v1/audit" if chamber is None else chamber_path(chamber, "audit")
    proof = session.api.get(path, range_query(start, end)).document
    session.show(proof, _print_audit)
    if proof["unaccounted"]:
        raise typer.Exit(ExitCode.UNACCOUNTED)
    if proof["overdue"]:
        raise typer.Exit(ExitCode.OVERDUE)


def range_query(start: str | None, end: str | None) -> dict[str, str]:
    """`from` and `to` as the API takes them.

    Raises:
        InvalidFieldError: field `from` or `to`.
    """
    now = now_ms()
    given = {"from": start, "to": end}
    return {k: iso(parse_instant_ms(k, v, now)) for k, v in given.items() if v is not None}


def instant_of(field: str, text: str | None) -> str | None:
    """An instant as the API takes it; None stays.

    Raises:
        InvalidFieldError: with that field.
    """
    return None if text is None else iso(parse_instant_ms(field, text, now_ms()))


def _print_gaps(document: dict[str, Any]) -> None:
    rows = [
        [
            clock_of(g["first_slot"]),
            clock_of(g["last_slot"]),
            str(g["slots"]),
            g["reason"],
            g["detail"] or "",
            g["by"] or "",
        ]
        for g in document["items"]
    ]
    columns = ["first slot (UTC)", "last slot", "slots", "reason", "detail", "by"]
    print_table(columns, rows, amount(len(rows), "gap"), Fit(texts=("detail",), spare=("by",)))


def _print_audit(proof: dict[str, Any]) -> None:
    rows = [("expected", str(proof["expected"])), ("stored", str(proof["stored"]))]
    rows += [(f"gap: {reason}", str(slots)) for reason, slots in sorted(proof["gaps"].items())]
    rows += [(name, str(proof[name])) for name in ("unaccounted", "overdue", "pending")]
    rows += [("from", clock_of(proof["from"])), ("to", clock_of(proof["to"]))]
    print_fields([*rows, ("retained from", clock_of(proof["retained_from"]))])
    if proof["offenders"]:
        offenders = [[o["chamber"], str(o["unaccounted"]), str(o["overdue"])] for o in proof["offenders"]]
        print_table(["chamber", "unaccounted", "overdue"], offenders)
