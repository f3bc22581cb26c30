"""The quantities of a chamber: what they are called, and which are switched off."""

from typing import Annotated, Any

import typer

from cli.changing import given
from cli.output import amount, print_fields, print_table
from cli.paths import chamber_path, detector_path
from cli.session import Session, data_command
from cli.words import Chamber
from cli.words import detectors as complete_detectors
from collector.domain.errors import InvalidFieldError


@data_command
def detectors(
    session: Session,
    chamber: Chamber,
    detector: Annotated[
        str | None,
        typer.Argument(metavar="DETECTOR", help="Its name or alias.", autocompletion=complete_detectors),
    ] = None,
    *,
    alias: Annotated[str | None, typer.Option("--alias", help="Another name for it in this chamber.")] = None,
    no_alias: Annotated[bool, typer.Option("--no-alias", help="Take its other name away.")] = False,
    active: Annotated[
        bool | None, typer.Option("--on/--off", help="One that is off is stored, and shown only if it is named.")
    ] = None,
) -> None:
    """List the detectors of a chamber, show one, or change it. They come with the chamber's first reading."""
    if no_alias and alias is not None:
        raise InvalidFieldError("alias", "both --alias and --no-alias", "give one of them")
    wanted = given(alias=alias, active=active) | ({"alias": None} if no_alias else {})
    if detector is None:
        _refuse_change_of_all(wanted)
        session.show(session.api.get(chamber_path(chamber, "detectors")).document, _print_all)
        return
    found = find_detector(session, chamber, detector)
    if wanted:
        found = session.api.send("PATCH", detector_path(chamber, found["name"]), wanted).document
    session.show(found, _print_one)


def find_detector(session: Session, chamber: str, wanted: str | None) -> dict[str, Any]:
    """The detector of that name or alias; the only one there is, when none is named.

    Raises:
        InvalidFieldError: field `detector`; the remedy lists those that there are.
    """
    found = session.api.get(chamber_path(chamber, "detectors")).document["items"]
    names = ", ".join(d["name"] for d in found)
    if wanted is None and len(found) == 1:
        return dict(found[0])
    for detector in found:
        if wanted is not None and wanted in (detector["name"], detector["alias"]):
            return dict(detector)
    problem = "bins and curves are of one detector" if wanted is None else f"there is no detector {wanted[:80]!r}"
    raise InvalidFieldError("detector", problem, f"name one of: {names}" if names else "wait for the first reading")


def _refuse_change_of_all(wanted: dict[str, Any]) -> None:
    if wanted:
        raise InvalidFieldError("detector", "which one is to be changed is not said", "name it after the chamber")


def _print_one(detector: dict[str, Any]) -> None:
    rows = [("detector", detector["name"]), ("unit", detector["unit"]), ("alias", detector["alias"] or "-")]
    print_fields([*rows, ("state", _state(detector))])


def _print_all(document: dict[str, Any]) -> None:
    rows = [[d["name"], d["unit"], d["alias"] or "", _state(d)] for d in document["items"]]
    print_table(["detector", "unit", "alias", "state"], rows, amount(len(rows), "detector"))


def _state(detector: dict[str, Any]) -> str:
    return "on" if detector["active"] else "off"
