"""Fleet files in YAML: `chambers:`, a list of mappings, and `defaults:` for what they have in common."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.exits import Complaint
from cli.fleet.entries import Cell, FleetFile, Row, read_rows
from collector.mapping.yaml_lines import LinedYaml, Path, YamlError, read_yaml

SHAPE = "write `chambers:` with a list of chambers, and `defaults:` if they have something in common"


def read_yaml_fleet(text: str) -> FleetFile:
    """Read a fleet; everything that is wrong becomes a complaint."""
    try:
        document = read_yaml(text)
    except YamlError as error:
        where = f"line {error.line}" + (f", {error.path[-1]}" if error.path else "")
        return FleetFile((), (), [Complaint(where, str(error), error.remedy)])
    complaints = list(_shape_complaints(document))
    if complaints:
        return FleetFile((), (), complaints)
    defaults = _cells(document, ("defaults",)) if document.value.get("defaults") else {}
    rows = [_row(document, number, defaults) for number in range(len(document.value["chambers"]))]
    return read_rows(rows)


def _shape_complaints(document: LinedYaml) -> Iterator[Complaint]:
    value = document.value
    if not isinstance(value, dict) or not isinstance(value.get("chambers"), list):
        yield Complaint("line 1, chambers", "there is no list of that name", SHAPE)
        return
    for name in value:
        if name not in ("chambers", "defaults"):
            yield Complaint(f"line {document.lines[name,]}, {name}", "there is no such part of a fleet file", SHAPE)
    defaults = value.get("defaults") or {}
    if not isinstance(defaults, dict):
        yield Complaint(f"line {document.lines['defaults',]}, defaults", "it is not a mapping of key: value", SHAPE)
    elif "id" in defaults:
        line = document.lines["defaults", "id"]
        yield Complaint(f"line {line}, defaults.id", "every chamber has an id of its own", "write it with the chamber")
    for number, chamber in enumerate(value["chambers"]):
        if not isinstance(chamber, dict):
            where = f"line {document.lines['chambers', number]}, chambers[{number}]"
            yield Complaint(where, "it is not a mapping of key: value", "write it like - id: incubator-3")


def _row(document: LinedYaml, number: int, defaults: Mapping[str, Cell]) -> Row:
    path: Path = ("chambers", number)
    own = _cells(document, path)
    return Row(document.lines[path], {**_not_said_otherwise(defaults, own), **_with_labels(defaults, own)})


def _not_said_otherwise(defaults: Mapping[str, Cell], own: Mapping[str, Cell]) -> dict[str, Cell]:
    """An `interval_s` of a chamber stands for the `interval` of the defaults too."""
    said = {name.removesuffix("_s") for name in own}
    return {name: cell for name, cell in defaults.items() if name.removesuffix("_s") not in said}


def _with_labels(defaults: Mapping[str, Cell], own: Mapping[str, Cell]) -> dict[str, Cell]:
    """A chamber's labels stand beside those of the defaults."""
    given, common = own.get("labels"), defaults.get("labels")
    if given and common and isinstance(given.value, dict) and isinstance(common.value, dict):
        return {**own, "labels": Cell(given.line, {**common.value, **given.value})}
    return dict(own)


def _cells(document: LinedYaml, path: Path) -> dict[str, Cell]:
    found: Any = document.value
    for step in path:
        found = found[step]
    return {name: Cell(document.lines[*path, name], value) for name, value in found.items()}
