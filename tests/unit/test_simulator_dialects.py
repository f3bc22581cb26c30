"""The dialects are those of the built-in profiles: what a simulated device answers, its profile reads."""

import pytest

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.errors import MalformedAnswerError
from collector.domain.outcome import Quality
from collector.mapping.answer import map_answer
from collector.mapping.profile import Profile
from simulator.device import GARBAGE, LOGIN_PAGE
from simulator.dialects import DIALECTS, Dialect
from simulator.replay import Curve, shipped_curves

PROFILES = FileProfiles([builtin_profiles_folder()])
SERIAL_IN = {"airgradient": "boot_count", "generic-json": "serial"}
CLIMATE = {
    "airgradient": {"temperature", "relative_humidity", "co2"},
    "generic-json": {"temperature", "humidity", "co2"},
}


def profile_of(dialect: Dialect) -> Profile:
    profile = PROFILES.find(dialect.name)
    assert profile is not None, dialect.name
    return profile


@pytest.fixture(params=DIALECTS, ids=lambda dialect: str(dialect.name))
def dialect(request: pytest.FixtureRequest) -> Dialect:
    found: Dialect = request.param
    return found


@pytest.mark.parametrize("curve", shipped_curves(), ids=lambda curve: str(curve.name))
def test_every_answer_maps_to_good_measurements_and_its_serial(dialect: Dialect, curve: Curve) -> None:
    profile = profile_of(dialect)
    for serial, position in enumerate(curve.times_s, start=1):
        answer = dialect.answer("sim-01", curve.at(position, serial), serial)
        measurements = {m.name: m for m in map_answer(profile, answer.body).measurements}
        read = {name for name, m in measurements.items() if m.quality is Quality.GOOD}
        absent = {name for name, m in measurements.items() if m.quality is Quality.MISSING}
        assert read >= CLIMATE[dialect.name]
        assert read | absent == set(measurements), "nothing that is sent is doubted"
        assert measurements[SERIAL_IN[dialect.name]].value == serial


def test_a_device_stands_where_its_profile_looks(dialect: Dialect) -> None:
    assert dialect.path == profile_of(dialect).request.path


def test_wrong_types_and_garbage_map_to_nothing(dialect: Dialect) -> None:
    words = dialect.answer_in_texts("sim-01", shipped_curves()[0].at(0, 1), 1)
    for body in (words.body, LOGIN_PAGE.body, GARBAGE):
        with pytest.raises(MalformedAnswerError):
            map_answer(profile_of(dialect), body)
