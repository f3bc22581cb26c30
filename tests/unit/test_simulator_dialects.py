"""The dialects are those of the built-in profiles: what a simulated device answers, its profile reads."""

import json
from dataclasses import replace

import pytest

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.errors import MalformedAnswerError
from collector.domain.outcome import Quality
from collector.mapping.answer import map_answer
from collector.mapping.profile import Profile
from simulator.dialects import DIALECTS, USUAL, Dialect, Moment, Shape
from simulator.faults import CONTENT, GARBAGE, LOGIN_PAGE, Telling, make_fault
from simulator.replay import Curve, Sample, shipped_curves

PROFILES = FileProfiles([builtin_profiles_folder()])
SERIAL_IN = {"airgradient": "boot_count", "generic-json": "serial"}
SAMPLE = Sample(21.534, 44.06, 611.7, 1013.24)
NEVER_THERE = {"ch4"}
"""Comet's fourth channel says "Error 2": there is nothing on it."""


def profile_of(dialect: Dialect) -> Profile:
    profile = PROFILES.find(dialect.name)
    assert profile is not None, dialect.name
    return profile


def moment_of(dialect: Dialect, sample: Sample = SAMPLE, serial: int = 17) -> Moment:
    return Moment("sim-01", sample, serial, zone=dialect.zone, asked=dialect.query)


@pytest.fixture(params=DIALECTS.values(), ids=lambda dialect: str(dialect.name))
def dialect(request: pytest.FixtureRequest) -> Dialect:
    found: Dialect = request.param
    return found


@pytest.mark.parametrize("curve", shipped_curves(), ids=lambda curve: str(curve.name))
def test_every_answer_maps_to_good_measurements_and_its_serial(dialect: Dialect, curve: Curve) -> None:
    profile = profile_of(dialect)
    for serial, position in list(enumerate(curve.times_s, start=1))[::5]:
        sample = curve.at(position, serial)
        answer = dialect.answer(moment_of(dialect, sample, serial))
        measurements = {m.name: m for m in map_answer(profile, answer.body).measurements if m.name not in NEVER_THERE}
        read = {name for name, m in measurements.items() if m.quality is Quality.GOOD}
        absent = {name for name, m in measurements.items() if m.quality is Quality.MISSING}
        assert read | absent == set(measurements), "nothing that is sent is doubted"
        assert measurements["temperature"].value == pytest.approx(sample.temperature_c, abs=1)
        if dialect.name in SERIAL_IN:
            assert measurements[SERIAL_IN[dialect.name]].value == serial


def test_a_device_stands_where_its_profile_looks(dialect: Dialect) -> None:
    assert dialect.path == profile_of(dialect).request.path


def test_wrong_types_and_garbage_map_to_nothing(dialect: Dialect) -> None:
    words = wrong(dialect, "wrong-type", form="text")
    for body in (words, LOGIN_PAGE.body, GARBAGE):
        with pytest.raises(MalformedAnswerError):
            map_answer(profile_of(dialect), body)


def wrong(dialect: Dialect, kind: str, **fields: float | str) -> bytes:
    fault = make_fault(kind, **fields)
    return CONTENT[kind].play(Telling(dialect, moment_of(dialect), fault)).body


def test_answers_carry_their_serial_number(dialect: Dialect) -> None:
    one, other = (dialect.answer(moment_of(dialect, serial=serial)).body for serial in (1_234_567, 1_234_568))
    if dialect.name != "memmert-atmoweb":  # answers what is asked and nothing else
        assert b"1234567" in one
        assert b"1234568" in other


def test_devices_of_one_kind_differ_in_what_names_them() -> None:
    for dialect in DIALECTS.values():
        if profile_of(dialect).serial_number is not None and not dialect.name.startswith("generic"):
            one, other = (dialect.answer(replace(moment_of(dialect), device_id=name)).body for name in ("a", "b"))
            assert one != other, dialect.name


def test_the_usual_dialects_are_those_of_before() -> None:
    assert USUAL == ("airgradient", "generic-json")
    assert tuple(DIALECTS)[:2] == USUAL


def test_generic_json_answers_as_documented() -> None:
    document = json.loads(DIALECTS["generic-json"].answer(moment_of(DIALECTS["generic-json"])).body)
    assert document == {"temperature": 21.53, "humidity": 44.1, "co2": 612, "pressure": 1013.2, "serial": 17}


def test_airgradient_answers_with_the_keys_of_the_device() -> None:
    dialect = DIALECTS["airgradient"]
    document = json.loads(dialect.answer(moment_of(dialect)).body)
    assert set(document) == {
        *("wifi", "serialno", "rco2", "pm01", "pm02", "pm10", "pm003Count", "tvocIndex", "noxIndex", "atmp", "rhum"),
        *("atmpCompensated", "rhumCompensated", "boot", "bootCount", "firmware", "model"),
    }
    assert (document["rco2"], document["atmp"], document["bootCount"]) == (612, 21.53, 17)


@pytest.mark.parametrize("name", [d.name for d in DIALECTS.values() if d.shape is Shape.JSON])
def test_json_dialects_answer_json(name: str) -> None:
    dialect = DIALECTS[name]
    assert json.loads(dialect.answer(moment_of(dialect)).body.decode(dialect.charset))


def test_memmert_answers_exactly_what_is_asked() -> None:
    dialect = DIALECTS["memmert-atmoweb"]
    asked = replace(moment_of(dialect), asked={"HumRead": "", "Temp1Read": "", "Nonsense": ""})
    assert dialect.answer(asked).body == b'"HumRead": 44.1,\r\n"Temp1Read": 21.53,\r\n"Nonsense": "N/A",\r\n'


def test_comet_is_latin_1() -> None:
    dialect = DIALECTS["comet-web-sensor"]
    assert b'"unit": "\xb0C"' in dialect.answer(moment_of(dialect)).body
