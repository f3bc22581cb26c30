"""docs/profiles.md: its example works, and its tables name every key."""

import re
from pathlib import Path

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.outcome import Measurement
from collector.domain.units import find_unit, spellings
from collector.mapping.answer import map_answer
from collector.mapping.body_rules import BodyRules
from collector.mapping.loading import load_profile
from collector.mapping.measurement_rules import MeasurementRules
from collector.mapping.profile import Profile
from collector.mapping.request_rules import RequestRules
from collector.mapping.rules import Rules

TEXT = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def first_column(heading: str) -> set[str]:
    part = TEXT.split(heading, 1)[1]
    table = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)
    assert table is not None
    return set(re.findall(r"^\| `([^`]+)` \|", table.group(), re.MULTILINE))


def test_example_reads_its_answer() -> None:
    profile = load_profile(block("yaml"), "cold-store.yaml", stem="cold-store")
    found = map_answer(profile, block("json").encode("iso-8859-1"))
    assert found.measurements == (
        Measurement("temperature", 4.0, "Cel"),
        Measurement("relative_humidity", 81.0, "%"),
        Measurement("answers", 5120.0, "1"),
    )


def test_every_key_is_explained() -> None:
    parts: dict[str, type[Rules]] = {"request": RequestRules, "body": BodyRules}
    keys = {name for name in Profile.model_fields if name not in parts}
    keys |= {f"{part}.{name}" for part, rules in parts.items() for name in rules.model_fields}
    assert first_column("## Every key") == keys
    assert first_column("Of each measurement:") == set(MeasurementRules.model_fields)


def test_example_uses_every_key_of_a_measurement() -> None:
    assert all(f"{name}:" in block("yaml") for name in MeasurementRules.model_fields)


def test_every_unit_code_and_every_built_in_profile_is_named() -> None:
    units = TEXT.split("## Units", 1)[1].split("## ", 1)[0]
    named = {find_unit(spelling) for spelling in re.findall(r"`([^`]+)`", units.split("; devices' own")[0])}
    assert named == set(spellings().values())
    assert first_column("Two come with chamberlog:") == set(FileProfiles([builtin_profiles_folder()]).names())
