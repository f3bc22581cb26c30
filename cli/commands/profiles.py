"""Device profiles: what there is, and writing, checking and trying one of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.profile_tables import print_profile, print_profiles, print_trial
from cli.exits import CommandError, Complaint, ExitCode
from cli.group import ListingGroup
from cli.output import amount, say
from cli.paths import PROFILES, chamber_path, profile_path
from cli.session import Desk, Session, data_command, local_command
from cli.times import now_ms, parse_instant_ms
from cli.words import Profile, TimezoneHelp, chambers
from collector.domain.errors import InvalidFieldError
from collector.domain.instants import parse_iso
from collector.domain.zone_names import zone_exists

if TYPE_CHECKING:
    from cli.trials import LocalProfile
    from collector.mapping.circumstances import Circumstances

group = typer.Typer(cls=ListingGroup, help="Device profiles: how answers are read. Told nothing else, it lists them.")
ProfileFile = Annotated[Path, typer.Argument(metavar="FILE", help="A profile in YAML.")]
Json = dict[str, Any]


@data_command
def list_profiles(session: Session) -> None:
    """List the device profiles that chambers can be enrolled with."""
    session.show(session.api.get(PROFILES).document, print_profiles)


@data_command
def show(
    session: Session,
    profile: Profile,
    *,
    version: Annotated[str | None, typer.Option("--version", help="One of its versions; else the newest.")] = None,
) -> None:
    """Show one profile, its versions and its text."""
    session.show(session.api.get(profile_path(profile), {"version": version}).document, print_profile)


@local_command
def check(desk: Desk, file: ProfileFile) -> None:
    """Check a profile's file; the first problem is named with its line (exit 4). Needs no API."""
    from cli.trials import checked  # noqa: PLC0415 - pydantic and YAML are slow to load, and for these commands only

    desk.show(checked(file), _print_check)


@local_command
def try_profile(
    desk: Desk,
    file: ProfileFile,
    answer: Annotated[Path | None, typer.Argument(metavar="ANSWER", help="A recorded answer; - is stdin.")] = None,
    *,
    chamber: Annotated[
        str | None, typer.Option("--chamber", help="On this chamber's last stored answer.", autocompletion=chambers)
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Of a chamber: success or failure; else the last.")] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help=TimezoneHelp)] = None,
    received: Annotated[str | None, typer.Option("--received", help="When it came: 2026-01-31T08:00:00Z.")] = None,
) -> None:
    """Try a profile on a recorded answer, or beside a chamber's own version on its last one. Exit 1: it is a gap."""
    from cli.trials import circumstances, read_answer, read_profile, tried  # noqa: PLC0415 - as in check

    local = read_profile(file)
    received_ms = None if received is None else parse_instant_ms("received", received, now_ms())
    if timezone and not zone_exists(timezone):
        raise InvalidFieldError("timezone", f"{timezone[:80]!r} is no zone", "write a name like Europe/Prague or UTC")
    given = circumstances(received_ms, timezone)
    if (answer is None) == (chamber is None):
        raise InvalidFieldError("usage", "neither or both of ANSWER and --chamber", "give one of them")
    if answer is not None:
        document: Json = {"answer": None, "old": None, "new": tried(local, read_answer(answer), given)}
    else:
        with desk.opened() as session:
            document = _beside(session, local, str(chamber), kind, given)
    desk.show(document, print_trial)
    if document["new"]["gap"]:
        raise typer.Exit(ExitCode.IS_GAP)


@data_command
def put(session: Session, file: ProfileFile) -> None:
    """Offer a profile to the organization, or its next version. Chambers keep theirs until they are changed."""
    from cli.trials import read_profile  # noqa: PLC0415 - as in check

    local = read_profile(file)
    path = profile_path(local.profile.name)
    before = _standing(session, path)
    headers = {"If-Match": before} if before else {}
    answer = session.api.send("PUT", path, {"document": local.document.text}, headers=headers)
    session.show(answer.document, print_profile)
    changed = before is None or before.strip('"') != answer.document["version"]
    say(f"{local.profile.name} is offered" if changed else f"{local.profile.name} was so already; nothing changed")


@data_command
def remove(session: Session, profile: Profile) -> None:
    """Offer one of the organization's own profiles no longer; chambers that have it keep it."""
    document = session.api.send("DELETE", profile_path(profile)).document
    session.show(document, print_profile)
    left = document["newest"]
    say(
        f"{profile} is not offered any more" if left is None else f"{profile} is the deployment's again, version {left}"
    )


def schema() -> None:
    """Print the JSON schema of a profile, by which editors complete and check."""
    from cli.trials import schema_text  # noqa: PLC0415 - as in check

    print(schema_text())


def _beside(session: Session, local: "LocalProfile", chamber: str, kind: str | None, given: "Circumstances") -> Json:
    """The file's profile and the chamber's own version of its profile, on the same answer."""
    from cli.trials import body_of, circumstances, compiled, tried  # noqa: PLC0415 - as in check

    there = session.api.get(chamber_path(chamber)).document
    answer = _last_answer(session, chamber, kind)
    received_ms = given.received_ms or parse_iso(answer["received_at"])
    known = circumstances(received_ms, given.timezone or there["timezone"], there["serial_number"])
    path, query = profile_path(there["profile"]), {"version": there["profile_version"]}
    theirs = session.api.get(path, query).document
    own = compiled(theirs["document"], f"{theirs['name']}, version {theirs['version']}")
    body = body_of(answer)
    shown = {name: answer[name] for name in ("kind", "received_at", "slot", "size", "sha256")}
    return {"answer": {"chamber": chamber, **shown}, "old": tried(own, body, known), "new": tried(local, body, known)}


def _last_answer(session: Session, chamber: str, kind: str | None) -> Json:
    items = session.api.get(chamber_path(chamber, "answers")).document["items"]
    found: list[Json] = [answer for answer in items if kind in (None, answer["kind"])]
    if not found:
        problem = f"no {kind or 'last'} answer of {chamber} is stored"
        remedy = "wait for its next reading, or record an answer and name its file"
        raise CommandError(ExitCode.NOT_FOUND, Complaint("chamber", problem, remedy))
    return found[0]


def _standing(session: Session, path: str) -> str | None:
    """The entity tag of what stands there, or None."""
    try:
        return session.api.get(path).etag
    except CommandError as error:
        if error.code != ExitCode.NOT_FOUND:
            raise
        return None


def _print_check(document: Json) -> None:
    units = ", ".join(f"{name} [{unit}]" for name, unit in document["measurements"].items())
    print(f"{document['file']}: {document['profile']}, version {document['version']}: {units}")
    for remark in document["remarks"]:
        print(f"remark: {remark}")
    if document["remarks"]:
        say(f"it can be used; {amount(len(document['remarks']), 'remark')}")


group.command("list")(list_profiles)
group.command()(show)
group.command()(check)
group.command("test")(try_profile)
group.command()(put)
group.command()(remove)
group.command()(schema)
