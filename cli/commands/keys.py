"""API keys: made, listed and revoked in the database itself, by whoever runs the deployment."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.completion import organizations
from cli.database import PostgresFlag, find_dsn
from cli.exits import CommandError, Complaint, ExitCode
from cli.group import ListingGroup
from cli.output import amount, print_json, print_table, say
from cli.session import HomeFlag, JsonFlag
from cli.tables import Fit
from cli.times import second_of
from collector.domain.chamber import NAME_LIMIT
from collector.domain.errors import InvalidFieldError, NotFoundError
from collector.domain.instants import iso

if TYPE_CHECKING:
    from collector.ports.keys import KeyRecord

# Other commands need no database driver.
# ruff: noqa: PLC0415

group = typer.Typer(
    cls=ListingGroup, help="API keys, by the database and not by the API. Told nothing else, it lists them."
)
KEY_ID = re.compile(r"(?:chl_|key/)?([0-9a-f]{12})(?:_[A-Za-z0-9_-]{43})?")
OrganizationFlag = Annotated[
    str, typer.Option("--organization", help="Whose chambers the key sees.", autocompletion=organizations)
]


@group.command("create")
def create(
    *,
    organization: OrganizationFlag,
    name: Annotated[str, typer.Option("--name", help="For whom or what, so that it can be revoked some day.")],
    deployment: Annotated[
        bool, typer.Option("--deployment", help="It may see all organizations and make new ones.")
    ] = False,
    as_json: JsonFlag = False,
    postgres: PostgresFlag = None,
    home: HomeFlag = None,
) -> None:
    """Make a key and print it, this once: only its hash is kept. Again makes another one."""
    from cli.bootstrap import KeyDesk

    _check_name(name)
    try:
        key_id, key = KeyDesk(find_dsn(postgres, home)).create(organization, name, deployment=deployment)
    except NotFoundError as error:
        remedy = "make it with `chamberlog organizations add`, or name another"
        raise CommandError(ExitCode.NOT_FOUND, Complaint("organization", str(error), remedy)) from None
    if as_json:
        made = {"id": key_id, "organization": organization, "name": name, "deployment": deployment}
        print_json({**made, "key": key})
    else:
        print(key)
    say(f"key {key_id} of {organization}; it is shown this once, keep it where secrets are kept")


@group.command("list")
def list_keys(
    *,
    organization: Annotated[
        str | None, typer.Option("--organization", help="Only of this one.", autocompletion=organizations)
    ] = None,
    as_json: JsonFlag = False,
    postgres: PostgresFlag = None,
    home: HomeFlag = None,
) -> None:
    """List keys, revoked ones too; their secrets are nowhere."""
    from cli.bootstrap import KeyDesk

    found = [_document(record) for record in KeyDesk(find_dsn(postgres, home)).list(organization)]
    if as_json:
        print_json({"items": found, "next_cursor": None})
        return
    columns = ["id", "organization", "name", "may", "made", "revoked"]
    rows = [
        [k["id"], k["organization"], k["name"], _rights(k), second_of(k["created_at"]), second_of(k["revoked_at"])]
        for k in found
    ]
    print_table(columns, rows, amount(len(rows), "key"), Fit(texts=("name", "may")))


@group.command("revoke")
def revoke(
    *,
    key: Annotated[str, typer.Argument(metavar="ID", help="The key's id; its first 12 digits, behind chl_.")],
    as_json: JsonFlag = False,
    postgres: PostgresFlag = None,
    home: HomeFlag = None,
) -> None:
    """Make a key unknown, at once and for good."""
    from cli.bootstrap import KeyDesk

    match = KEY_ID.fullmatch(key)
    if match is None:
        raise InvalidFieldError("id", "it is not the id of a key", "`chamberlog keys` lists them")
    if not KeyDesk(find_dsn(postgres, home)).revoke(match[1]):
        problem, remedy = f"there is no valid key {match[1]}", "`chamberlog keys` lists them"
        raise CommandError(ExitCode.NOT_FOUND, Complaint("id", problem, remedy))
    if as_json:
        print_json({"revoked": match[1]})
    say(f"key {match[1]} is revoked")


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > NAME_LIMIT:
        raise InvalidFieldError(
            "name", f"it is empty or longer than {NAME_LIMIT} characters", "say for whom the key is"
        )


def _document(record: "KeyRecord") -> dict[str, Any]:
    revoked = None if record.revoked_ms is None else iso(record.revoked_ms)
    rights = {"name": record.name, "deployment": record.deployment}
    return {
        "id": record.id,
        "organization": record.organization,
        **rights,
        "created_at": iso(record.created_ms),
        "revoked_at": revoked,
    }


def _rights(key: dict[str, Any]) -> str:
    return "all organizations" if key["deployment"] else "its own"
