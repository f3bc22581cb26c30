"""Sections: the parts of an organization where chambers stand."""

from typing import Annotated, Any

import typer

from cli.changing import change, given, say_made
from cli.commands.section_orders import pause, resume
from cli.group import ListingGroup
from cli.output import amount, print_fields, print_table
from cli.paths import SECTIONS, section_path
from cli.session import Session, data_command
from cli.tables import Fit
from cli.times import clock_of
from cli.words import LimitFlag, Section

group = typer.Typer(cls=ListingGroup, help="Sections: where chambers stand. Told nothing else, it lists them.")
Name = Annotated[str | None, typer.Option("--name", help="A name for people.")]
Description = Annotated[str | None, typer.Option("--description", help="What is there.")]


@data_command
def list_sections(session: Session, limit: LimitFlag = None) -> None:
    """List the sections, closed ones too."""
    session.show(session.listed("sections", SECTIONS, {}, limit), _print_all)


@data_command
def add(session: Session, section: Section, *, name: Name = None, description: Description = None) -> None:
    """Make a section. The same again changes nothing."""
    answer = session.api.send("POST", SECTIONS, {"id": section, **given(name=name, description=description)})
    session.show(answer.document, _print_one)
    say_made(section, answer)


@data_command
def show(session: Session, section: Section) -> None:
    """Show one section."""
    session.show(session.api.get(section_path(section)).document, _print_one)


@data_command
def change_section(
    session: Session,
    section: Section,
    *,
    name: Name = None,
    description: Description = None,
    active: Annotated[
        bool | None, typer.Option("--open/--close", help="A closed one takes no chambers; it must be empty.")
    ] = None,
) -> None:
    """Change a section; if somebody else changes it meanwhile, nothing is changed (exit 5)."""
    wanted = given(name=name, description=description, active=active)
    session.show(change(session, section_path(section), wanted), _print_one)


def _print_one(section: dict[str, Any]) -> None:
    rows = [("id", section["id"]), ("name", section["name"] or "-"), ("description", section["description"] or "-")]
    rows += [("state", _state(section)), ("chambers", str(section["chambers"])), ("version", str(section["version"]))]
    print_fields([*rows, ("made", clock_of(section["created_at"]))])


def _print_all(document: dict[str, Any]) -> None:
    rows = [[s["id"], _state(s), str(s["chambers"]), s["name"], s["description"]] for s in document["items"]]
    fit = Fit(texts=("name", "description"))
    print_table(["id", "state", "chambers", "name", "description"], rows, amount(len(rows), "section"), fit)


def _state(section: dict[str, Any]) -> str:
    return "open" if section["active"] else "closed"


group.command("list")(list_sections)
group.command("add")(add)
group.command("show")(show)
group.command("change")(change_section)
group.command("pause")(pause)
group.command("resume")(resume)
