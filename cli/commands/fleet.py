"""Enrolling, finding and changing chambers."""

from typing import Annotated, Any

import typer

from cli.client import chamber_path
from cli.output import print_fields, print_table, say
from cli.session import Session, data_command
from cli.times import clock_of, duration_of, parse_duration_ms, seconds_of
from collector.domain.errors import InvalidFieldError

ChamberId = Annotated[str, typer.Argument(metavar="ID", help="The chamber's id.")]


@data_command
def add(
    session: Session,
    chamber: ChamberId,
    url: Annotated[str, typer.Argument(metavar="URL", help="The device's URL, or its host with http://.")],
    *,
    profile: Annotated[str, typer.Option("--profile", help="Device profile; `chamberlog profiles` lists them.")],
    every: Annotated[str, typer.Option("--every", help="Interval, such as 10s, 5m or 1h.")],
    section: Annotated[str, typer.Option("--section", help="Where it stands.")] = "default",
    timeout: Annotated[str | None, typer.Option("--timeout", help="Time budget of one attempt.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="A name for people.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", help="KEY=VALUE; may be repeated.")] = None,
    aligned: Annotated[bool, typer.Option("--aligned", help="Slots at multiples of the interval.")] = False,
    round_span: Annotated[str | None, typer.Option("--round-span", help="Length of a round.")] = None,
    secret_ref: Annotated[str | None, typer.Option("--secret-ref", help="env:NAME or file:/path.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept self-signed certificates.")] = False,
) -> None:
    """Enrol a chamber and start collecting. The same again changes nothing."""
    times = {"interval_s": every, "timeout_s": timeout, "round_span_s": round_span}
    body: dict[str, Any] = {"id": chamber, "url": url, "profile": profile, "section": section}
    body |= {k: seconds_of(parse_duration_ms(k, v)) for k, v in times.items() if v is not None}
    body |= {k: v for k, v in {"name": name, "secret_ref": secret_ref}.items() if v is not None}
    body |= {"labels": _labels(label or []), "aligned": aligned, "verify_tls": not insecure}
    answer = session.api.send("POST", "/v1/chambers", body)
    session.show(answer.document, print_chamber)
    say(f"{chamber} is enrolled" if answer.status == 201 else f"{chamber} was enrolled already; nothing changed")


@data_command
def list_chambers(
    session: Session,
    section: Annotated[str | None, typer.Option("--section", help="Only of this section.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="collecting, failing, paused, stale ...")] = None,
    text: Annotated[str | None, typer.Option("--text", "-q", help="Part of the id or the name.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
) -> None:
    """List chambers; retired ones only with --status retired."""
    query = {"section": section, "status": status, "q": text}
    chambers = list(session.api.items("/v1/chambers", query, limit))
    session.show({"items": chambers, "next_cursor": None}, _print_chambers)


@data_command
def show(session: Session, chamber: ChamberId) -> None:
    """Show one chamber."""
    session.show(session.api.get(chamber_path(chamber)).document, print_chamber)


@data_command
def set_interval(
    session: Session, chamber: ChamberId, interval: Annotated[str, typer.Argument(help="Such as 30s, 5m or 1h.")]
) -> None:
    """Change how often a chamber is read; if somebody else changes it meanwhile, nothing is changed (exit 5)."""
    seconds = seconds_of(parse_duration_ms("interval_s", interval))
    path = chamber_path(chamber)
    tag = session.api.get(path).etag or "*"
    answer = session.api.send("PATCH", path, {"interval_s": seconds}, headers={"If-Match": tag})
    session.show(answer.document, print_chamber)


@data_command
def retire(
    session: Session,
    chamber: ChamberId,
    *,
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
) -> None:
    """End a chamber; its history stays, and its id may be enrolled again."""
    answer = session.api.send("DELETE", chamber_path(chamber), query={"reason": reason})
    session.show(answer.document, print_chamber)


@data_command
def profiles(session: Session) -> None:
    """List the device profiles that the API knows."""
    document = session.api.get("/v1/profiles").document
    session.show(document, _print_profiles)


def print_chamber(chamber: dict[str, Any]) -> None:
    """One chamber for people, a line each."""
    rows = [("id", chamber["id"]), ("status", chamber["status"]), ("name", chamber["name"] or "-")]
    rows += [("section", f"{chamber['organization']}/{chamber['section']}"), ("profile", chamber["profile"])]
    rows += [("url", chamber["url"]), ("every", duration_of(chamber["interval_s"]))]
    rows += [("timeout", duration_of(chamber["timeout_s"])), ("version", str(chamber["version"]))]
    rows += [("last reading", clock_of(chamber["last_reading"])), ("next slot", clock_of(chamber["next_slot"]))]
    rows += [("paused", _pause_text(chamber["paused"]))] if chamber["paused"] else []
    rows += [("label", f"{k}={v}") for k, v in sorted(chamber["labels"].items())]
    print_fields(rows)


def _pause_text(pause: dict[str, Any]) -> str:
    until = f" until {clock_of(pause['until'])}" if pause["until"] else ""
    by = f" by {pause['by']}" if pause["by"] else ""
    why = f": {pause['reason']}" if pause["reason"] else ""
    return f"since {clock_of(pause['since'])}{until}{by}{why}"


def _print_chambers(document: dict[str, Any]) -> None:
    columns = ["id", "status", "section", "profile", "every", "last reading", "next slot", "url"]
    rows = [
        [
            *(c["id"], c["status"], c["section"], c["profile"], duration_of(c["interval_s"])),
            *(clock_of(c["last_reading"]), clock_of(c["next_slot"]), c["url"]),
        ]
        for c in document["items"]
    ]
    print_table(columns, rows, f"{len(rows)} chambers")


def _print_profiles(document: dict[str, Any]) -> None:
    rows = [
        [p["name"], p["description"], ", ".join(f"{name} [{unit}]" for name, unit in p["measurements"].items())]
        for p in document["items"]
    ]
    print_table(["profile", "what it reads", "measurements"], rows)


def _labels(texts: list[str]) -> dict[str, str]:
    for text in texts:
        if "=" not in text or text.startswith("="):
            raise InvalidFieldError("labels", f"{text[:80]!r} is not KEY=VALUE", "write it like --label floor=2")
    return dict(text.split("=", 1) for text in texts)
