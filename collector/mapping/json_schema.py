"""The JSON schema of a profile, for editors: made from the rules themselves, described by their docstrings."""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.mapping.body_rules import BodyRules, Columns
from collector.mapping.measurement_rules import MeasurementRules, Rate
from collector.mapping.profile import Profile
from collector.mapping.request_rules import RequestRules
from collector.mapping.rules import Rules
from collector.mapping.time_rules import TimeRules

PARTS: tuple[type[Rules], ...] = (BodyRules, Columns, MeasurementRules, Rate, RequestRules, TimeRules)


def profile_schema() -> dict[str, Any]:
    """The schema (draft 2020-12). What needs a look at several keys at once, `chamberlog profiles check` says."""
    made: dict[str, Any] = Profile.model_json_schema(mode="validation")
    for part in PARTS:
        _describe(made["$defs"][part.__name__], part)
    _describe(made, Profile)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:chamberlog:profile"}
    return {**head, **made, "title": "A device profile of chamberlog"}


def _describe(schema: dict[str, Any], part: type[Rules]) -> None:
    text = part.__doc__ or ""
    schema["description"] = _joined(text.partition("Attributes:")[0].splitlines())
    said = _attributes(text)
    for name, property_ in schema["properties"].items():
        property_.pop("title", None)
        if name in said:
            property_["description"] = said[name]


def _attributes(text: str) -> Mapping[str, str]:
    """Name -> text of the docstring's part `Attributes:`, whose continued lines are indented further."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in _lines(text):
        indent = len(line) - len(line.lstrip())
        key, colon, rest = line.strip().partition(": ")
        if colon and indent == _lowest(text):
            name, found[key] = key, [rest]
        elif name:
            found[name].append(line)
    return {name: _joined(lines) for name, lines in found.items()}


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.partition("Attributes:")[2].splitlines() if line.strip())


def _lowest(text: str) -> int:
    return min((len(line) - len(line.lstrip()) for line in _lines(text)), default=0)


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
