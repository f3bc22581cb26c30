"""Organizations: the tenants of a deployment."""

from typing import Annotated, Any

import typer

from cli.changing import change, given, say_made
from cli.group import ListingGroup
from cli.output import amount, print_fields, print_table
from cli.paths import ORGANIZATIONS, organization_path
from cli.session import Session, data_command
from cli.tables import Fit
from cli.times import clock_of
from cli.words import LimitFlag, Organization

group = typer.Typer(cls=ListingGroup, help="Organizations: the tenants. Told nothing else, it lists them.")
Name = Annotated[str | None, typer.Option("--name", help="A name for people.")]
Address = Annotated[str | None, typer.Option("--address", help="Where it is.")]
Region = Annotated[str | None, typer.Option("--region", help="In which part of the world.")]


@data_command
def list_organizations(session: Session, limit: LimitFlag = None) -> None:
    """List the organizations that the key may see: its own, a super-administrator all."""
    session.show(session.listed("organizations", ORGANIZATIONS, {}, limit), _print_all)


@data_command
def add(
    session: Session,
    organization: Organization,
    *,
    name: Name = None,
    address: Address = None,
    region: Region = None,
) -> None:
    """Make an organization with a section `default`; takes a super-administrator. The same again changes nothing."""
    body = {"id": organization, **given(name=name, address=address, region=region)}
    answer = session.api.send("POST", ORGANIZATIONS, body)
    session.show(answer.document, _print_one)
    say_made(organization, answer)


@data_command
def show(session: Session, organization: Organization) -> None:
    """Show one organization."""
    session.show(session.api.get(organization_path(organization)).document, _print_one)


@data_command
def change_organization(
    session: Session,
    organization: Organization,
    *,
    name: Name = None,
    address: Address = None,
    region: Region = None,
) -> None:
    """Change what is known of an organization; if somebody else changes it meanwhile, nothing is changed (exit 5)."""
    wanted = given(name=name, address=address, region=region)
    session.show(change(session, organization_path(organization), wanted), _print_one)


def _print_one(organization: dict[str, Any]) -> None:
    names = ("id", "name", "address", "region")
    rows = [(name, organization[name] or "-") for name in names]
    rows += [("version", str(organization["version"]))]
    print_fields([*rows, ("made", clock_of(organization["created_at"]))])


def _print_all(document: dict[str, Any]) -> None:
    rows = [[o["id"], o["name"], o["region"], o["address"]] for o in document["items"]]
    fit = Fit(texts=("name", "region", "address"))
    print_table(["id", "name", "region", "address"], rows, amount(len(rows), "organization"), fit)


group.command("list")(list_organizations)
group.command("add")(add)
group.command("show")(show)
group.command("change")(change_organization)
