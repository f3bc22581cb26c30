"""The built-in profiles on hand-made answers of the shapes that real devices send."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.errors import DeniedError, MalformedAnswerError, MisconfiguredError
from collector.domain.units import find_unit, stored_unit
from collector.mapping.answer import MappedAnswer, map_answer
from collector.mapping.circumstances import Circumstances
from collector.mapping.profile import Profile

ANSWERS = Path(__file__).parent / "answers"
EXPECTED: dict[str, Any] = json.loads((ANSWERS / "expected.json").read_text(encoding="utf-8"))
PROFILES = FileProfiles([builtin_profiles_folder()])
ONLY_FAULTS = re.compile(r"ch[1-8]")
"""Channels that say only that they are faulty: a channel that says more has the name of its quantity."""


def named(name: str) -> Profile:
    profile = PROFILES.find(name)
    assert profile is not None
    return profile


def profile_of(file: str) -> Profile:
    """The profile whose name, with `_` for `-`, the file's name begins with; the longest one counts."""
    return named(max((name for name in PROFILES.names() if file.startswith(name.replace("-", "_") + "_")), key=len))


def observed(file: str) -> int | None:
    """The device's time that is expected, under the key `""`."""
    text = EXPECTED[file].get("")
    return None if text is None else round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def mapped(file: str) -> MappedAnswer:
    known = Circumstances(timezone="UTC", received_ms=observed(file))
    return map_answer(profile_of(file), (ANSWERS / file).read_bytes(), known)


SERIAL_NUMBERS = {
    "airgradient_indoor.json": "0a1b2c3d4e5f",
    "airgradient_cloud_many.json": "0a1b2c3d4e71",
    "airgradient_metrics_3_0.txt": "0a1b2c3d4e5f",
    "comet_web_sensor_aval.json": "22960417",
    "comet_web_sensor_xml_four.xml": "22960417",
    "davis_wll_station.json": "001D0A711111",
    "generic_xml_serial.xml": "B-17",
    "hw_group_ste_alarm.xml": "00:0A:59:02:11:7C",
    "memmert_atmoweb_incubator.txt": "L515.0042",
    "papouch_papago_two_probes.xml": "0080A3112233",
    "papouch_th2e_room.xml": "0080A3112233",
    "papouch_tme_cellar.xml": "0080A3112233",
    "purpleair_outdoor.json": "84:f3:eb:11:22:33",
    "purpleair_cloud_table.json": "4711",
    "sensor_community_list.json": "8101",
    "shelly_rpc_ht.json": "3CE90E6EBEF4",
}
READINGS = [file for file, expected in EXPECTED.items() if isinstance(expected, dict)]
GAPS = [file for file, expected in EXPECTED.items() if isinstance(expected, str)]


@pytest.mark.parametrize("file", READINGS)
def test_answer_maps_to_what_is_expected(file: str) -> None:
    profile, found = profile_of(file), mapped(file)
    expected = {name: values for name, values in EXPECTED[file].items() if name}
    assert {m.name: [m.value, m.quality.value] for m in found.measurements} == expected
    units = {m.name: m.unit for m in found.measurements}
    left_out = {rules.name for rules in profile.measurements if rules.optional} - set(units)
    assert units | {name: profile.units()[name] for name in left_out} == profile.units()


@pytest.mark.parametrize("file", READINGS)
def test_answer_has_the_time_that_is_expected(file: str) -> None:
    assert mapped(file).observed_ms == observed(file)


@pytest.mark.parametrize("file", GAPS)
def test_answer_is_a_gap(file: str) -> None:
    error = DeniedError if EXPECTED[file].startswith("denied") else MalformedAnswerError
    with pytest.raises(error, match=EXPECTED[file]) as caught:
        map_answer(profile_of(file), (ANSWERS / file).read_bytes())
    assert caught.value.retryable


@pytest.mark.parametrize("file", SERIAL_NUMBERS)
def test_another_device_at_the_address_is_noticed(file: str) -> None:
    body, serial_number = (ANSWERS / file).read_bytes(), SERIAL_NUMBERS[file]
    map_answer(profile_of(file), body, Circumstances(serial_number=serial_number))
    with pytest.raises(MisconfiguredError, match=f"identity: the device says '{serial_number}'"):
        map_answer(profile_of(file), body, Circumstances(serial_number="another"))


def test_every_profile_with_a_serial_number_shows_that() -> None:
    with_one = {name for name in PROFILES.names() if named(name).serial_number}
    assert {profile_of(file).name for file in SERIAL_NUMBERS} == with_one


def turned(sent: Any, *, lists: bool) -> Any:
    """The same, with the keys of every object (and the elements of every list) the other way round, and a new key."""
    if isinstance(sent, dict):
        return {"new_in_this_firmware": 1} | {key: turned(sent[key], lists=lists) for key in reversed(sent)}
    if isinstance(sent, list):
        elements = [turned(one, lists=lists) if isinstance(one, dict | list) else one for one in sent]
        return elements[::-1] if lists else elements
    return sent


JSON_READINGS = [file for file in READINGS if file.endswith(".json")]
BY_NAME = ("davis_wll", "ecowitt", "espec", "nettigo", "sensor_community", "awair_cloud")
"""Their lists have no order that counts: elements are found by name, id or kind."""


@pytest.mark.parametrize("file", [file for file in JSON_READINGS if not file.startswith("tasmota")])
def test_order_of_keys_and_new_keys_change_nothing(file: str) -> None:
    # Tasmota's sensors are numbered in the device's own order
    charset = "iso-8859-1" if file.startswith("comet") else "utf-8"
    body = json.dumps(turned(json.loads((ANSWERS / file).read_text(charset)), lists=False))
    known = Circumstances(timezone="UTC", received_ms=observed(file))
    assert map_answer(profile_of(file), body.encode(), known).measurements == mapped(file).measurements


@pytest.mark.parametrize("file", [file for file in JSON_READINGS if file.startswith(BY_NAME)])
def test_order_of_lists_changes_nothing(file: str) -> None:
    body = json.dumps(turned(json.loads((ANSWERS / file).read_bytes()), lists=True))
    known = Circumstances(timezone="UTC", received_ms=observed(file))
    assert map_answer(profile_of(file), body.encode(), known).measurements == mapped(file).measurements


def test_frozen_awair_is_doubted() -> None:
    body = (ANSWERS / "awair_element.json").read_bytes()
    begun = observed("awair_element.json")
    assert begun is not None
    memory, qualities = None, []
    for later_s in (0, 240, 360):
        known = Circumstances(received_ms=begun + later_s * 1000, memory=memory)
        found = map_answer(named("awair"), body, known)
        memory, qualities = found.memory, [m.quality.value for m in found.measurements]
        assert set(qualities) == {"good" if later_s < 300 else "suspect"}


def test_jump_of_a_room_is_doubted() -> None:
    memory, found = None, []
    for at_s, sent in ((0, 22.0), (60, 71.6), (120, 22.5)):
        body = f"ret=OK,htemp={sent},hhum=40,otemp=5.0\n".encode()
        mapped = map_answer(
            named("daikin"), body, Circumstances(received_ms=1_709_630_000_000 + at_s * 1000, memory=memory)
        )
        memory, temperature = mapped.memory, mapped.measurements[0]
        found.append([temperature.value, temperature.quality.value])
    assert found == [[22.0, "good"], [71.6, "suspect"], [22.5, "good"]]


def test_devices_that_write_by_a_get_are_asked_empty_parameters_only() -> None:
    request = named("memmert-atmoweb").request
    assert request.only_empty_parameters
    assert all(value == "" for _, value in parse_qsl(request.path.partition("?")[2], keep_blank_values=True))


def test_every_answer_is_expected() -> None:
    assert {file.name for file in ANSWERS.iterdir()} == {*EXPECTED, "expected.json"}


@pytest.mark.parametrize("name", PROFILES.names())
def test_every_measurement_is_read_somewhere(name: str) -> None:
    mine = [file for file in READINGS if profile_of(file).name == name]
    read = {name for file in mine for name, found in EXPECTED[file].items() if name and found[0] is not None}
    faulty = {name for file in mine for name, found in EXPECTED[file].items() if name and found[1] == "bad"}
    only_faults = {name for name in named(name).units() if ONLY_FAULTS.fullmatch(name)}
    assert read == set(named(name).units()) - only_faults
    assert only_faults <= faulty


def test_every_profile_is_shown_an_answer_that_is_no_reading() -> None:
    assert {profile_of(file).name for file in GAPS} == set(PROFILES.names())


@pytest.mark.parametrize("name", PROFILES.names())
def test_profile_says_where_it_comes_from_and_stores_canonical_units(name: str) -> None:
    profile = named(name)
    assert profile.description
    assert profile.source
    assert profile.checked
    for unit in profile.units().values():
        assert find_unit(unit) == unit == stored_unit(unit)


def test_first_boot_counter_of_zero_is_kept() -> None:
    # JMESPath's || goes on at null and empty texts, not at 0
    found = map_answer(named("airgradient"), b'{"atmp": 20, "boot": 0, "bootCount": 7}').measurements
    assert {m.name: m.value for m in found}["boot_count"] == 0
