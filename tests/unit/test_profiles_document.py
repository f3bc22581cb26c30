"""docs/profiles.md and docs/devices.md: their examples work, and their tables name what there is."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.outcome import Measurement
from collector.domain.units import find_unit, spellings
from collector.mapping.answer import map_answer
from collector.mapping.body_rules import BodyRules, Decoder
from collector.mapping.circumstances import Circumstances
from collector.mapping.loading import load_profile
from collector.mapping.measurement_rules import MeasurementRules
from collector.mapping.profile import Profile
from collector.mapping.request_rules import RequestRules
from collector.mapping.rules import Rules
from collector.mapping.time_rules import TimeRules

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "profiles.md").read_text(encoding="utf-8")
DEVICES = (DOCS / "devices.md").read_text(encoding="utf-8")
BUILTIN = FileProfiles([builtin_profiles_folder()])
HOW_TO = TEXT.split("## A device that nothing here knows", 1)[1].split("\n## ", 1)[0]
EXAMPLE = TEXT.split("## An example with every key", 1)[1].split("\n## ", 1)[0]
DECODERS = TEXT.split("## Decoders", 1)[1].split("\n## ", 1)[0]
AFTER = Circumstances(received_ms=round(datetime(2024, 3, 5, 9, 41, 30, tzinfo=UTC).timestamp() * 1000))


def block(text: str, language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


def first_column(text: str, heading: str) -> set[str]:
    part = text.split(heading, 1)[1]
    table = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)
    assert table is not None
    return set(re.findall(r"^\| `([^`]+)` \|", table.group(), re.MULTILINE))


def at(hour: int, minute: int) -> int:
    return round(datetime(2024, 3, 5, hour, minute, tzinfo=UTC).timestamp() * 1000)


def test_how_to_reads_its_answer_with_a_file_of_under_25_lines() -> None:
    assert len(block(HOW_TO, "yaml").splitlines()) < 25
    profile = load_profile(block(HOW_TO, "yaml"), "hall-air.yaml", stem="hall-air")
    found = map_answer(profile, block(HOW_TO, "json").encode(), AFTER)
    assert found.measurements == (Measurement("temperature", 18.62, "Cel"),)
    assert found.observed_ms == at(9, 40)


def test_no_built_in_profile_reads_the_answer_of_the_how_to() -> None:
    for name in BUILTIN.names():
        profile = BUILTIN.find(name)
        assert profile is not None
        with pytest.raises(Exception, match=r"no measurement has a value|truncated|decode|root|denied"):
            map_answer(profile, block(HOW_TO, "json").encode(), AFTER)


def test_example_reads_its_answer() -> None:
    profile = load_profile(block(EXAMPLE, "yaml"), "cold-store.yaml", stem="cold-store")
    found = map_answer(profile, block(EXAMPLE, "json").encode("iso-8859-1"), AFTER)
    assert found.measurements == (
        Measurement("temperature", 4.0, "Cel"),
        Measurement("relative_humidity", 81.2, "%"),
        Measurement("answers", 5120.0, "1"),
    )
    assert found.observed_ms == at(9, 41)


def test_every_key_is_explained() -> None:
    parts: dict[str, type[Rules]] = {"request": RequestRules, "body": BodyRules}
    keys = {name for name in Profile.model_fields if name not in parts}
    keys |= {f"{part}.{name}" for part, rules in parts.items() for name in rules.model_fields}
    assert first_column(TEXT, "## Every key") == keys
    assert first_column(TEXT, "Of the device's time:") == set(TimeRules.model_fields)
    assert first_column(TEXT, "Of each measurement:") == set(MeasurementRules.model_fields)


def test_example_uses_every_key_of_a_measurement_and_of_the_time() -> None:
    keys = {*MeasurementRules.model_fields, *TimeRules.model_fields}
    assert all(f"{name}:" in block(EXAMPLE, "yaml") for name in keys)


@pytest.mark.parametrize("decoder", get_args(Decoder))
def test_example_of_a_decoder_reads_its_answer(decoder: str) -> None:
    section = DECODERS.split(f"### `{decoder}`", 1)[1].split("\n### ", 1)[0]
    rules = block(section, "rules")
    assert len(rules.splitlines()) <= 6
    profile = load_profile(f"name: example\n{rules}", "example.yaml")
    assert profile.body.decoder == decoder
    (found,) = map_answer(profile, block(section, "answer").encode()).measurements
    said = re.search(r"^It reads `(\w+)` (\S+) `(\S+)`, (\w+)\.$", section, re.MULTILINE)
    assert said is not None
    assert [found.name, f"{found.value:g}", found.unit, found.quality.value] == list(said.groups())


def test_every_unit_code_is_named() -> None:
    units = TEXT.split("## Units", 1)[1].split("## ", 1)[0]
    named = {find_unit(spelling) for spelling in re.findall(r"`([^`]+)`", units.split("; devices' own")[0])}
    assert named == set(spellings().values())


def told(profile: Profile) -> tuple[str, ...]:
    """What the table of devices says of a profile, after what it asks."""
    optional = ", if it has one" if profile.request.auth_optional else ""
    recorded = "tests/contract/test_recorded_answers.py" in profile.checked
    yes = ["yes" if has else "no" for has in (profile.serial_number, profile.time)]
    return (profile.request.auth + optional, *yes, "recording" if recorded else "hand-made")


def test_table_of_devices_says_what_the_files_say() -> None:
    rows = re.findall(
        r"^\| `([\w-]+)` \| `([^`]+)` \| ([^|]+) \| (\w+) \| (\w+) \| ([\w-]+) \|$", DEVICES, re.MULTILINE
    )
    assert sorted(row[0] for row in rows) == list(BUILTIN.names())
    for name, asks, *rest in rows:
        profile = BUILTIN.find(name)
        assert profile is not None
        assert profile.request.path.startswith(asks.removesuffix("..."))
        assert tuple(rest) == told(profile), name
