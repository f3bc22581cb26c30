"""What is missing, and the proof that nothing else is."""

from typing import Annotated, Any

import typer

from cli.client import chamber_path
from cli.commands.fleet import ChamberId
from cli.exits import ExitCode
from cli.output import print_fields, print_table
from cli.session import Session, data_command
from cli.times import clock_of, now_ms, parse_instant_ms
from collector.domain.instants import iso

FromFlag = Annotated[str | None, typer.Option("--from", help="Inclusive: 2026-01-31T08:00:00Z, 2026-01-31 or -2h.")]
ToFlag = Annotated[str | None, typer.Option("--to", help="Exclusive; as --from.")]


@data_command
def gaps(
    session: Session,
    chamber: ChamberId,
    start: FromFlag = None,
    end: ToFlag = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many runs.")] = None,
) -> None:
    """List the slots without a reading, in runs, each with its reason; by default of the last 24 hours."""
    found = list(session.api.items(chamber_path(chamber, "gaps"), range_query(start, end), limit))
    session.show({"items": found, "next_cursor": None}, _print_gaps)


@data_command
def audit(
    session: Session,
    chamber: Annotated[str | None, typer.Argument(metavar="[ID]", help="One chamber; without it the fleet.")] = None,
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
    print_table(["first slot (UTC)", "last slot", "slots", "reason", "detail", "by"], rows, f"{len(rows)} gaps")


def _print_audit(proof: dict[str, Any]) -> None:
    rows = [("expected", str(proof["expected"])), ("stored", str(proof["stored"]))]
    rows += [(f"gap: {reason}", str(slots)) for reason, slots in sorted(proof["gaps"].items())]
    rows += [(name, str(proof[name])) for name in ("unaccounted", "overdue", "pending")]
    rows += [("from", clock_of(proof["from"])), ("to", clock_of(proof["to"]))]
    print_fields([*rows, ("retained from", clock_of(proof["retained_from"]))])
    if proof["offenders"]:
        offenders = [[o["chamber"], str(o["unaccounted"]), str(o["overdue"])] for o in proof["offenders"]]
        print_table(["chamber", "unaccounted", "overdue"], offenders)
