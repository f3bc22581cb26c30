"""Enrolling, finding and changing chambers."""

from typing import Annotated, Any

import typer

from cli import words
from cli.changing import given, labels_of
from cli.desk import page_address
from cli.output import amount, print_fields, print_table, say
from cli.paths import CHAMBERS, chamber_path
from cli.session import Session, data_command
from cli.tables import Fit
from cli.times import clock_of, duration_of, now_ms, parse_duration_ms, seconds_of, today_of
from cli.words import Chamber, LabelFlag, LimitFlag, ProfileHelp, SectionFlag

KNOWN_BY = {"timezone": "time zone", "serial_number": "serial number"}
"""Fields that are shown when they are set, and what people call them."""


@data_command
def add(
    session: Session,
    chamber: Chamber,
    url: Annotated[str, typer.Argument(metavar="URL", help="The device's URL, or its host with http://.")],
    *,
    profile: Annotated[str, typer.Option("--profile", help=ProfileHelp, autocompletion=words.profiles)],
    every: Annotated[str, typer.Option("--every", help="Interval, such as 10s, 5m or 1h.")],
    section: Annotated[
        str, typer.Option("--section", help="Where it stands.", autocompletion=words.sections)
    ] = "default",
    timeout: Annotated[str | None, typer.Option("--timeout", help="Time budget of one attempt.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="A name for people.")] = None,
    label: LabelFlag = None,
    aligned: Annotated[bool, typer.Option("--aligned", help="Slots at multiples of the interval.")] = False,
    round_span: Annotated[str | None, typer.Option("--round-span", help="Length of a round.")] = None,
    secret_ref: Annotated[str | None, typer.Option("--secret-ref", help="env:NAME or file:/path.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept self-signed certificates.")] = False,
    timezone: Annotated[str | None, typer.Option("--timezone", help=words.TimezoneHelp)] = None,
    serial_number: Annotated[str | None, typer.Option("--serial-number", help=words.SerialNumberHelp)] = None,
) -> None:
    """Enrol a chamber and start collecting. The same again changes nothing."""
    times = {"interval_s": every, "timeout_s": timeout, "round_span_s": round_span}
    body: dict[str, Any] = {"id": chamber, "url": url, "profile": profile, "section": section}
    body |= {k: seconds_of(parse_duration_ms(k, v)) for k, v in times.items() if v is not None}
    body |= given(name=name, secret_ref=secret_ref, timezone=timezone, serial_number=serial_number)
    body |= {"labels": labels_of(label or []), "aligned": aligned, "verify_tls": not insecure}
    answer = session.api.send("POST", CHAMBERS, body)
    session.show(answer.document, print_chamber)
    say(f"{chamber} is enrolled" if answer.status == 201 else f"{chamber} was enrolled already; nothing changed")


@data_command
def list_chambers(
    session: Session,
    section: SectionFlag = None,
    status: Annotated[str | None, typer.Option("--status", help="collecting, failing, paused, stale ...")] = None,
    text: Annotated[str | None, typer.Option("--text", "-q", help="Part of the id or the name.")] = None,
    limit: LimitFlag = None,
) -> None:
    """List chambers; retired ones only with --status retired."""
    query = {"section": section, "status": status, "q": text}
    session.show(session.listed("chambers", CHAMBERS, query, limit), _print_chambers)


@data_command
def show(session: Session, chamber: Chamber) -> None:
    """Show one chamber, and where its page in the Temporal Web UI is."""
    session.show(session.api.get(chamber_path(chamber)).document, print_chamber)
    if session.web_ui and not session.as_json:
        say(page_address(session.web_ui, chamber))


@data_command
def retire(
    session: Session,
    chamber: Chamber,
    *,
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
) -> None:
    """End a chamber; its history stays, and its id may be enrolled again."""
    answer = session.api.send("DELETE", chamber_path(chamber), query={"reason": reason})
    session.show(answer.document, print_chamber)


def print_chamber(chamber: dict[str, Any]) -> None:
    """One chamber for people, a line each."""
    rows = [("id", chamber["id"]), ("status", chamber["status"]), ("name", chamber["name"] or "-")]
    rows += [("section", f"{chamber['organization']}/{chamber['section']}"), ("profile", _profile_text(chamber))]
    rows += [("url", chamber["url"]), ("every", duration_of(chamber["interval_s"]))]
    rows += [("timeout", duration_of(chamber["timeout_s"])), ("version", str(chamber["version"]))]
    rows += [("last reading", clock_of(chamber["last_reading"])), ("next slot", clock_of(chamber["next_slot"]))]
    rows += [("paused", _pause_text(chamber["paused"]))] if chamber["paused"] else []
    rows += [(said, chamber[name]) for name, said in KNOWN_BY.items() if chamber[name]]
    rows += [("label", f"{k}={v}") for k, v in sorted(chamber["labels"].items())]
    print_fields(rows)


def _profile_text(chamber: dict[str, Any]) -> str:
    version = chamber["profile_version"]
    return f"{chamber['profile']}, version {version}" if version else str(chamber["profile"])


def _pause_text(pause: dict[str, Any]) -> str:
    until = f" until {clock_of(pause['until'])}" if pause["until"] else ""
    by = f" by {pause['by']}" if pause["by"] else ""
    why = f": {pause['reason']}" if pause["reason"] else ""
    return f"since {clock_of(pause['since'])}{until}{by}{why}"


def _print_chambers(document: dict[str, Any]) -> None:
    now = now_ms()
    columns = ["id", "status", "section", "profile", "every", "last reading", "next slot", "url"]
    rows = [
        [
            *(c["id"], c["status"], c["section"], c["profile"], duration_of(c["interval_s"])),
            *(today_of(c["last_reading"], now), today_of(c["next_slot"], now), c["url"]),
        ]
        for c in document["items"]
    ]
    print_table(columns, rows, amount(len(rows), "chamber"), Fit(spare=("url", "profile", "next slot", "section")))
