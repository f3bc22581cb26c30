"""What helps people who write profiles: the JSON schema for editors, and remarks on what a profile does not say."""

import json
from typing import Any

import jsonschema_rs
import pytest
import yaml

from adapters.profile_files import builtin_profiles_folder
from collector.mapping.body_rules import BodyRules, Columns
from collector.mapping.json_schema import PARTS, profile_schema
from collector.mapping.lint import remarks_on
from collector.mapping.loading import load_profile
from collector.mapping.profile import Profile
from collector.mapping.rules import Rules

FILE = builtin_profiles_folder() / "profile.schema.json"
SMALL = "name: attic\nmeasurements: [{name: t, select: t, unit: Cel}]\n"
WHOLE = """
name: attic
description: d
source: s
checked: c
measurements: [{name: t, select: t, unit: Cel, range: [0, 40]}]
"""


def test_the_file_is_what_the_rules_say() -> None:
    written = json.loads(FILE.read_text("utf-8"))
    assert written == profile_schema(), "run: chamberlog profiles schema > profiles/profile.schema.json"
    jsonschema_rs.meta.validate(written)


@pytest.mark.parametrize("part", [Profile, *PARTS])
def test_every_key_is_described(part: type[Rules]) -> None:
    schema: Any = profile_schema()
    found = schema if part is Profile else schema["$defs"][part.__name__]
    assert set(found["properties"]) == set(part.model_fields)
    assert [name for name, said in found["properties"].items() if not said.get("description")] == []
    assert found["description"].endswith(".")
    assert "Attributes:" not in json.dumps(found)


def test_every_part_is_known() -> None:
    assert set(profile_schema()["$defs"]) == {part.__name__ for part in PARTS}
    assert {BodyRules, Columns} < set(PARTS)


@pytest.mark.parametrize("file", sorted(builtin_profiles_folder().glob("*.yaml")), ids=lambda file: file.stem)
def test_built_in_profiles_are_valid_by_it(file: Any) -> None:
    jsonschema_rs.validate(profile_schema(), yaml.safe_load(file.read_text("utf-8")))


@pytest.mark.parametrize("line", ["measuremnts: []", "body: {decoder: jason}", "request: {max_bytes: 0}"])
def test_what_is_wrong_is_found_by_it(line: str) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(profile_schema(), yaml.safe_load(SMALL + line))


def test_a_profile_that_says_all_gets_no_remark() -> None:
    assert list(remarks_on(load_profile(WHOLE, "attic"))) == []


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (SMALL, ["description", "source", "checked", "measurements[0].range"]),
        (WHOLE + "body: {decoder: csv}", ["body.ends_with"]),
        (WHOLE + "time: {select: at, format: '%Y-%m-%d %H:%M'}", ["time.zone"]),
        (WHOLE.replace("Cel,", "Cel, required: true, optional: true,"), ["measurements[0].optional"]),
    ],
)
def test_what_a_profile_does_not_say_is_remarked_on(text: str, keys: list[str]) -> None:
    remarks = list(remarks_on(load_profile(text, "attic")))
    assert [remark.partition(":")[0] for remark in remarks] == keys
