"""The built-in profiles on hand-made answers of the shapes that real devices send."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.errors import MalformedAnswerError
from collector.domain.units import find_unit, stored_unit
from collector.mapping.answer import map_answer

ANSWERS = Path(__file__).parent / "answers"
EXPECTED: dict[str, Any] = json.loads((ANSWERS / "expected.json").read_text(encoding="utf-8"))
PROFILES = FileProfiles([builtin_profiles_folder()])
PROFILE_OF = {"airgradient": "airgradient", "generic": "generic-json"}


@pytest.mark.parametrize("file", EXPECTED)
def test_answer_maps_to_what_is_expected(file: str) -> None:
    profile = PROFILES.find(PROFILE_OF[file.partition("_")[0]])
    assert profile is not None
    body = (ANSWERS / file).read_bytes()
    if isinstance(EXPECTED[file], str):
        with pytest.raises(MalformedAnswerError, match=EXPECTED[file]) as caught:
            map_answer(profile, body)
        assert caught.value.retryable
        return
    found = map_answer(profile, body)
    assert {m.name: [m.value, m.quality.value] for m in found.measurements} == EXPECTED[file]
    named = {m.name: m.unit for m in found.measurements}
    left_out = {rules.name for rules in profile.measurements if rules.optional} - set(named)
    assert named | {name: profile.units()[name] for name in left_out} == profile.units()
    assert found.observed_ms is None


def test_every_answer_is_expected() -> None:
    assert {file.name for file in ANSWERS.iterdir()} == {*EXPECTED, "expected.json"}


@pytest.mark.parametrize("name", PROFILES.names())
def test_profile_says_where_it_comes_from_and_stores_canonical_units(name: str) -> None:
    profile = PROFILES.find(name)
    assert profile is not None
    assert profile.description
    assert profile.source
    assert profile.checked
    for unit in profile.units().values():
        assert find_unit(unit) == unit == stored_unit(unit)


def test_first_boot_counter_of_zero_is_kept() -> None:
    # JMESPath's || goes on at null and empty texts, not at 0
    profile = PROFILES.find("airgradient")
    assert profile is not None
    found = {m.name: m.value for m in map_answer(profile, b'{"atmp": 20, "boot": 0, "bootCount": 7}').measurements}
    assert found["boot_count"] == 0
