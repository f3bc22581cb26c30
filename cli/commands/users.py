"""Users and invitations; the first administrator of all is made in the database itself."""

import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.changing import change, given, say_made
from cli.completion import organizations
from cli.database import PostgresFlag, find_dsn
from cli.exits import CommandError, Complaint, ExitCode
from cli.group import ListingGroup
from cli.output import amount, print_fields, print_json, print_table, say
from cli.paths import INVITATIONS, USERS, invitation_path, user_path
from cli.session import HomeFlag, JsonFlag, Session, data_command
from cli.tables import Fit
from cli.times import clock_of, second_of
from cli.words import LimitFlag
from collector.domain.errors import InvalidFieldError, NotFoundError
from collector.domain.people import PASSWORD_LENGTHS
from collector.domain.roles import Role

group = typer.Typer(cls=ListingGroup, help="Users of an organization. Told nothing else, it lists them.")
ROLES = "viewer, operator, administrator or super-administrator; at most your own"
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The e-mail address with which they sign in.")]
Who = Annotated[str, typer.Argument(metavar="WHO", help="The user's id or e-mail address.")]
RoleFlag = Annotated[str, typer.Option("--role", help=f"What they may: {ROLES}.")]
FirstName = Annotated[str | None, typer.Option("--first-name", help="For people.")]
LastName = Annotated[str | None, typer.Option("--last-name", help="For people.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="File with the password; without it, it is asked for or read from a pipe."),
]
MOST_BYTES = 4 * PASSWORD_LENGTHS[1] + 2


@group.command("create-admin")
def create_admin(
    *,
    email: Email,
    organization: Annotated[
        str, typer.Option("--organization", help="Which they run.", autocompletion=organizations)
    ] = "default",
    mighty: Annotated[bool, typer.Option("--super", help="They run the deployment: all organizations.")] = False,
    first_name: FirstName = None,
    last_name: LastName = None,
    password_file: PasswordFile = None,
    as_json: JsonFlag = False,
    postgres: PostgresFlag = None,
    home: HomeFlag = None,
) -> None:
    """Make an administrator in the database itself; a second run finds the address taken (exit 5)."""
    from cli.bootstrap import UserDesk  # noqa: PLC0415 - other commands need no database driver
    from collector.ports.users import User  # noqa: PLC0415 - nor pydantic

    wanted = User(
        id="",
        organization=organization,
        email=email,
        first_name=first_name or "",
        last_name=last_name or "",
        role=Role.SUPER_ADMINISTRATOR if mighty else Role.ADMINISTRATOR,
    )
    desk, password = UserDesk(find_dsn(postgres, home)), _password(password_file)
    try:
        made = desk.create_admin(wanted, password)
    except NotFoundError as error:
        remedy = "make it with `chamberlog organizations add`, or name another"
        raise CommandError(ExitCode.NOT_FOUND, Complaint("organization", str(error), remedy)) from None
    document = {"id": made.id, "organization": made.organization, "email": made.email, "role": made.role.value}
    if as_json:
        print_json(document)
    else:
        print_fields([*document.items()])
    say(f"{made.email} can sign in: POST /v1/auth/sign-in")


@data_command
def list_users(session: Session, limit: LimitFlag = None) -> None:
    """List the users of the organization, inactive ones too."""
    session.show(session.listed("users", USERS, {}, limit), _print_users)


@data_command
def add(
    session: Session,
    email: Email,
    *,
    role: RoleFlag = "viewer",
    first_name: FirstName = None,
    last_name: LastName = None,
) -> None:
    """Make a user without a password; `users reset-password` makes the token that sets one. Again changes nothing."""
    body = {"email": email, "role": role, **given(first_name=first_name, last_name=last_name)}
    answer = session.api.send("POST", USERS, body)
    session.show(answer.document, _print_user)
    say_made(str(answer.document["email"]), answer)


@data_command
def change_user(
    session: Session,
    who: Who,
    *,
    role: Annotated[str | None, typer.Option("--role", help=f"What they may: {ROLES}.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="Another address to sign in with.")] = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether they can sign in; inactive ends their sessions.")
    ] = None,
) -> None:
    """Change a user; if somebody else changes it meanwhile, nothing is changed (exit 5)."""
    wanted = given(role=role, email=email, first_name=first_name, last_name=last_name, active=active)
    session.show(change(session, user_path(_id_of(session, who)), wanted), _print_user)


@data_command
def sign_out(session: Session, who: Who) -> None:
    """End every session of a user."""
    answer = session.api.send("POST", user_path(_id_of(session, who), "sign-out"))
    session.show(answer.document, lambda ended: say(f"{amount(ended['sessions'], 'session')} ended"))


@data_command
def reset_password(session: Session, who: Who) -> None:
    """Make a one-time token with which a user sets a password within an hour, and print it, this once."""
    answer = session.api.send("POST", user_path(_id_of(session, who), "password-reset"))
    session.show(answer.document, lambda issued: print(issued["token"]))
    say("it is shown this once: hand it over; POST /v1/auth/reset-password takes it")


@data_command
def invite(session: Session, email: Email, *, role: RoleFlag = "viewer") -> None:
    """Invite somebody for seven days and print the token, this once; again takes the place of the former."""
    answer = session.api.send("POST", INVITATIONS, {"email": email, "role": role})
    session.show(answer.document, lambda invited: print(invited["token"]))
    mailed = "it was mailed too" if answer.document["mailed"] else "no mail was sent: hand it over"
    say(f"it is shown this once, and {mailed}; POST /v1/auth/accept-invitation takes it")


@data_command
def invitations(session: Session, limit: LimitFlag = None) -> None:
    """List open invitations."""
    session.show(session.listed("invitations", INVITATIONS, {}, limit), _print_invitations)


@data_command
def uninvite(
    session: Session, invitation: Annotated[str, typer.Argument(metavar="ID", help="Its id or address.")]
) -> None:
    """Make an open invitation useless."""
    found = _found(session, INVITATIONS, invitation) if "@" in invitation else invitation
    session.api.send("DELETE", invitation_path(found))
    session.show({"revoked": found}, lambda _: None)
    say(f"invitation {found} is revoked")


group.command("list")(list_users)
group.command("add")(add)
group.command("change")(change_user)
group.command("sign-out")(sign_out)
group.command("reset-password")(reset_password)
group.command("invite")(invite)
group.command("invitations")(invitations)
group.command("uninvite")(uninvite)


def _password(file: Path | None) -> str:
    """From the file, or typed twice without echo, or from a pipe; never an argument, which every process can read."""
    if file is None and sys.stdin.isatty():
        typed = getpass("Password: ")
        if getpass("Again: ") != typed:
            raise InvalidFieldError("password", "they are two different ones", "type the same one twice")
        return typed
    try:
        if file is None:
            content = sys.stdin.buffer.read(MOST_BYTES)
        else:
            with file.open("rb") as opened:
                content = opened.read(MOST_BYTES)
        return content.decode().removesuffix("\n").removesuffix("\r")
    except (OSError, ValueError):  # no UTF-8: the error itself would quote it
        place = "standard input" if file is None else str(file)
        remedy = "name a readable file of UTF-8 that holds the password alone"
        raise InvalidFieldError("password", f"{place} cannot be read", remedy) from None


def _id_of(session: Session, who: str) -> str:
    return _found(session, USERS, who) if "@" in who else who


def _found(session: Session, path: str, email: str) -> str:
    """Id of what has that address in the list at the path."""
    wanted = email.strip().lower()
    for item in session.api.items(path, {}, None):
        if item["email"] == wanted:
            return str(item["id"])
    remedy = "`chamberlog users` and `chamberlog users invitations` list them"
    raise CommandError(ExitCode.NOT_FOUND, Complaint("email", f"there is no {email[:80]!r}", remedy))


def _print_user(user: dict[str, Any]) -> None:
    names = ("id", "email", "first_name", "last_name", "role")
    rows = [(name.replace("_", " "), user[name] or "-") for name in names]
    rows += [("active", "yes" if user["active"] else "no"), ("version", str(user["version"]))]
    signed_in = clock_of(user["signed_in_at"]) if user["signed_in_at"] else "never"
    print_fields([*rows, ("made", clock_of(user["created_at"])), ("signed in", signed_in)])


def _print_users(document: dict[str, Any]) -> None:
    columns = ["id", "email", "name", "role", "active", "signed in"]
    rows = [
        [
            user["id"],
            user["email"],
            f"{user['first_name']} {user['last_name']}".strip(),
            user["role"],
            "yes" if user["active"] else "no",
            second_of(user["signed_in_at"]),
        ]
        for user in document["items"]
    ]
    print_table(columns, rows, amount(len(rows), "user"), Fit(texts=("name",)))


def _print_invitations(document: dict[str, Any]) -> None:
    rows = [[i["id"], i["email"], i["role"], second_of(i["expires_at"]), i["created_by"]] for i in document["items"]]
    print_table(["id", "email", "role", "expires", "by"], rows, amount(len(rows), "invitation"))
