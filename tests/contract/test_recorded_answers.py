"""Answers that real devices gave map to what their manifest expects.

The recordings do not belong to the project: they are looked for in the folder that `CHAMBERLOG_DEVICES` names, else
beside the repository in `../shared/devices`. Every entry of the manifest is tried, whatever it lists; one that no
built-in profile claims fails.
"""

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.errors import MalformedAnswerError
from collector.domain.units import stored_unit, to_stored, unit_code
from collector.mapping.answer import map_answer
from collector.mapping.circumstances import Circumstances
from collector.mapping.profile import Profile
from collector.mapping.request import request_url

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Path(os.environ.get("CHAMBERLOG_DEVICES") or ROOT.parent / "shared" / "devices") / "answers"
PROFILES = FileProfiles([builtin_profiles_folder()])
PROFILE_OF = {
    "airgradient": "airgradient",
    "airgradient_cloud": "airgradient-cloud",
    "airgradient_metrics": "airgradient-metrics",
    "awair": "awair",
    "bsb": "bsb-lan",
    "comet": "comet-web-sensor",
    "daikin": "daikin",
    "davis": "davis-wll",
    "ecowitt": "ecowitt",
    "espec": "espec-web-controller",
    "hwg": "hw-group",
    "memmert": "memmert-atmoweb",
    "nettigo": "nettigo",
    "papouch": "papouch-th2e",
    "papouch_tme": "papouch-tme",
    "purpleair": "purpleair",
    "purpleair_cloud": "purpleair-cloud",
    "sensor_community": "sensor-community",
    "shelly": "shelly-rpc",
    "tasmota": "tasmota",
    "venstar": "venstar",
}
"""Beginning of a recording's file name -> the profile that reads it; the longest beginning counts."""


def recorded() -> list[Any]:
    manifest = ANSWERS / "manifest.json"
    if not manifest.is_file():
        why = f"no recorded answers in {ANSWERS}: set CHAMBERLOG_DEVICES to the folder that has answers/manifest.json"
        return [pytest.param({}, id="recordings-absent", marks=pytest.mark.skip(reason=why))]
    document = json.loads(manifest.read_text(encoding="utf-8"))
    entries = document if isinstance(document, list) else next(v for v in document.values() if isinstance(v, list))
    return [pytest.param(entry, id=entry["file"]) for entry in entries]


def named(name: str) -> Profile:
    profile = PROFILES.find(name)
    assert profile is not None, name
    return profile


def path_of(request: str) -> str:
    return request.partition(" ")[2].partition("?")[0]


def profile_of(entry: dict[str, Any]) -> Profile:
    """By the request among those of the family, else by the beginning of the file's name, else by the request alone."""
    by_file = max((start for start in PROFILE_OF if entry["file"].startswith(start)), key=len, default=None)
    family = PROFILE_OF[by_file].partition("-")[0] if by_file is not None else ""
    asking = [p for p in map(named, PROFILES.names()) if p.request.path != "/" and p.name.startswith(family)]
    asking = [p for p in asking if path_of(f"GET {p.request.path}") == path_of(entry["request"])]
    if len(asking) == 1 or (asking and by_file is None):
        return asking[0]
    assert by_file is not None, f"no built-in profile claims {entry['file']} ({entry['request']})"
    return named(PROFILE_OF[by_file])


def body_of(entry: dict[str, Any]) -> bytes:
    sent = (ANSWERS / str(entry["file"])).read_bytes()
    assert hashlib.sha256(sent).hexdigest() == entry["sha256"]
    return sent.partition(b"\r\n\r\n")[2] if entry["file"].endswith(".http") else sent


def device_ms(entry: dict[str, Any]) -> int | None:
    """The device time that is expected, if any; the manifest's naive times count as UTC."""
    said = {expected["device_time"] for expected in entry["expected"]} - {None}
    assert len(said) <= 1
    for text in said:
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    return None


def known(entry: dict[str, Any]) -> Circumstances:
    return Circumstances(timezone="UTC", received_ms=device_ms(entry))


@pytest.mark.parametrize("entry", recorded())
def test_recorded_answer(entry: dict[str, Any]) -> None:
    profile, body = profile_of(entry), body_of(entry)
    if not any(expected["value"] is not None for expected in entry["expected"]):
        with pytest.raises(MalformedAnswerError, match="no measurement has a value"):
            map_answer(profile, body, known(entry))
        return
    found = {m.name: m for m in map_answer(profile, body, known(entry)).measurements}
    for expected in entry["expected"]:
        measurement = found[expected["name"]]
        assert measurement.quality.value == expected["quality"], expected["name"]
        code = unit_code(expected["unit"]) if expected["unit"] else None
        assert code is None or measurement.unit == stored_unit(code)
        if expected["value"] is None:
            assert measurement.value is None
        else:
            assert code is not None
            assert measurement.value == pytest.approx(to_stored(expected["value"], code), abs=1e-9)


@pytest.mark.parametrize("entry", recorded())
def test_time_of_a_recorded_answer(entry: dict[str, Any]) -> None:
    if all(expected["value"] is None for expected in entry["expected"]):
        pytest.skip("an answer without a value is a gap, which has no time of the device")
    assert map_answer(profile_of(entry), body_of(entry), known(entry)).observed_ms == device_ms(entry)


@pytest.mark.parametrize("entry", recorded())
def test_profile_asks_as_the_recording_was_made(entry: dict[str, Any]) -> None:
    profile = profile_of(entry)
    method, _, target = entry["request"].partition(" ")
    assert method == "GET"
    asked = request_url(profile, "http://device")
    if profile.request.path != "/" and "<" not in target:
        assert path_of(f"GET {asked.removeprefix('http://device')}") == path_of(entry["request"])


def test_profiles_that_claim_a_recording_have_one() -> None:
    entries = [parameters.values[0] for parameters in recorded()]
    if entries == [{}]:
        pytest.skip("no recorded answers")
    claiming = {name for name in PROFILES.names() if "tests/contract/test_recorded_answers.py" in named(name).checked}
    assert claiming <= {profile_of(entry).name for entry in entries}
