"""API keys: made, listed and revoked by the API as an administrator, or in the database by whoever can reach that."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.completion import sections
from cli.database import PostgresFlag, find_dsn, wants_database
from cli.exits import CommandError, Complaint, ExitCode
from cli.group import ListingGroup
from cli.output import amount, print_table, say
from cli.paths import KEYS, key_path
from cli.session import Desk, local_command
from cli.tables import Fit
from cli.target import find_organization
from cli.times import now_ms, parse_until_ms, second_of
from collector.domain.errors import InvalidFieldError, NotFoundError
from collector.domain.instants import iso
from collector.domain.roles import Role, parse_role

if TYPE_CHECKING:
    from collector.ports.keys import KeyTerms

# Other commands need neither database driver nor pydantic.
# ruff: noqa: PLC0415

group = typer.Typer(cls=ListingGroup, help="API keys, by the API or by the database. Told nothing else, it lists them.")
KEY_ID = re.compile(r"(?:chl_|key/)?([0-9a-f]{12})(?:_[A-Za-z0-9_-]{43})?")
TOOL = "chamberlog keys"
"""Who made a key that was made in the database."""
Wish = Mapping[str, Any]
"""A key to make, as the API takes it."""


@group.command("create")
@local_command
def create(
    desk: Desk,
    *,
    name: Annotated[str, typer.Option("--name", help="For whom or what, so that it can be revoked some day.")],
    role: Annotated[str, typer.Option("--role", help="What it may do.")] = Role.ADMINISTRATOR.value,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="Limit it to this part, such as readings; may be repeated.")
    ] = None,
    section: Annotated[
        str | None, typer.Option("--section", help="All that it sees of the organization.", autocompletion=sections)
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", help="90d from now, or 2026-01-31T08:00:00Z; else never.")
    ] = None,
    deployment: Annotated[bool, typer.Option("--deployment", help="The same as --role super-administrator.")] = False,
    postgres: PostgresFlag = None,
) -> None:
    """Make a key and print it, this once: only its hash is kept. Again makes another one."""
    expires_ms = None if expires is None else parse_until_ms("expires", expires, now_ms())
    wish = {
        "name": name,
        "role": Role.SUPER_ADMINISTRATOR.value if deployment else role,
        "scopes": scope or [],
        "section": section,
        "expires_at": None if expires_ms is None else iso(expires_ms),
    }
    if wants_database(postgres, desk.flags):
        made = _make_in_database(desk, postgres, wish, expires_ms)
    else:
        with desk.opened() as session:
            made = session.api.send("POST", KEYS, wish).document
    desk.show(made, lambda document: print(document["key"]))
    say(f"key {made['id']} of {made['organization']}; it is shown this once, keep it where secrets are kept")


@group.command("list")
@local_command
def list_keys(desk: Desk, *, postgres: PostgresFlag = None) -> None:
    """List the keys of the organization, in the database of all: revoked ones too; their secrets are nowhere."""
    if wants_database(postgres, desk.flags):
        from api.key_schemas import key_document
        from cli.bootstrap import KeyDesk

        records = KeyDesk(find_dsn(postgres, desk.flags.home)).list(find_organization(desk.flags))
        found = {"items": [key_document(record) for record in records], "next_cursor": None}
    else:
        with desk.opened() as session:
            found = session.listed("keys", KEYS, {})
    desk.show(found, _print_all)


@group.command("revoke")
@local_command
def revoke(
    desk: Desk,
    *,
    key: Annotated[str, typer.Argument(metavar="ID", help="The key's id; its first 12 digits, behind chl_.")],
    postgres: PostgresFlag = None,
) -> None:
    """Make a key unknown, at once and for good; what it has open ends within 5 s."""
    match = KEY_ID.fullmatch(key)
    if match is None:
        raise InvalidFieldError("id", "it is not the id of a key", "`chamberlog keys` lists them")
    if wants_database(postgres, desk.flags):
        from cli.bootstrap import KeyDesk

        if not KeyDesk(find_dsn(postgres, desk.flags.home)).revoke(match[1], find_organization(desk.flags)):
            problem, remedy = f"there is no valid key {match[1]}", "`chamberlog keys` lists them"
            raise CommandError(ExitCode.NOT_FOUND, Complaint("id", problem, remedy))
    else:
        with desk.opened() as session:
            session.api.send("DELETE", key_path(match[1]))
    desk.show({"revoked": match[1]}, lambda _: None)
    say(f"key {match[1]} is revoked")


def _make_in_database(desk: Desk, postgres: str | None, wish: Wish, expires_ms: int | None) -> dict[str, Any]:
    from api.key_schemas import key_document
    from cli.bootstrap import KeyDesk

    organization = find_organization(desk.flags)
    if organization is None:
        raise CommandError(
            ExitCode.REFUSED, Complaint("organization", "the database has many", "give --organization, such as default")
        )
    try:
        terms = _terms(wish, expires_ms)
        record, text = KeyDesk(find_dsn(postgres, desk.flags.home)).create(organization, wish["name"], terms)
    except NotFoundError as error:
        remedy = "make it with `chamberlog organizations add`, or name another"
        raise CommandError(ExitCode.NOT_FOUND, Complaint("organization", str(error), remedy)) from None
    return {**key_document(record), "key": text}


def _terms(wish: Wish, expires_ms: int | None) -> "KeyTerms":
    """What the API would make of the wish; nobody who reaches the database can be refused a role."""
    from collector.ports.keys import KeyTerms
    from collector.usecases.keys import check_key, parse_scopes

    terms = KeyTerms(
        role=parse_role(wish["role"]),
        scopes=parse_scopes(wish["scopes"]),
        section=wish["section"],
        created_by=TOOL,
        expires_ms=expires_ms,
    )
    check_key(wish["name"], terms, now_ms())
    return terms


def _print_all(document: dict[str, Any]) -> None:
    columns = ["id", "organization", "name", "role", "limits", "made", "expires", "used", "revoked"]
    instants = ("created_at", "expires_at", "last_used_at", "revoked_at")
    rows = [
        [
            *(key[name] for name in ("id", "organization", "name", "role")),
            _limits(key),
            *map(second_of, (key[i] for i in instants)),
        ]
        for key in document["items"]
    ]
    print_table(columns, rows, amount(len(rows), "key"), Fit(texts=("name", "limits")))


def _limits(key: Mapping[str, Any]) -> str:
    section = [f"section {key['section']}"] if key["section"] else []
    return ", ".join([*section, *key["scopes"]]) or "-"
