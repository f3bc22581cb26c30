"""Answers that real devices gave map to what their manifest expects.

The recordings do not belong to the project: they are looked for in the folder that `CHAMBERLOG_DEVICES` names, else
beside the repository in `../shared/devices`.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.errors import MalformedAnswerError
from collector.domain.units import stored_unit, to_stored, unit_code
from collector.mapping.answer import map_answer
from collector.mapping.profile import Profile
from collector.mapping.request import request_url

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Path(os.environ.get("CHAMBERLOG_DEVICES") or ROOT.parent / "shared" / "devices") / "answers"
PROFILE_OF = {"airgradient": "airgradient"}
"""Beginning of a recording's file name -> the profile that reads it."""


def recorded() -> list[Any]:
    manifest = ANSWERS / "manifest.json"
    if not manifest.is_file():
        why = f"no recorded answers in {ANSWERS}: set CHAMBERLOG_DEVICES to the folder that has answers/manifest.json"
        return [pytest.param({}, id="recordings-absent", marks=pytest.mark.skip(reason=why))]
    document = json.loads(manifest.read_text(encoding="utf-8"))
    entries = document if isinstance(document, list) else next(v for v in document.values() if isinstance(v, list))
    ours = [e for e in entries if e["file"].partition("_")[0] in PROFILE_OF and e["file"].endswith(".json")]
    return [pytest.param(entry, id=entry["file"]) for entry in ours]


def profile_of(entry: dict[str, Any]) -> Profile:
    profile = FileProfiles([builtin_profiles_folder()]).find(PROFILE_OF[entry["file"].partition("_")[0]])
    assert profile is not None
    return profile


@pytest.mark.parametrize("entry", recorded())
def test_recorded_answer(entry: dict[str, Any]) -> None:
    body = (ANSWERS / entry["file"]).read_bytes()
    assert hashlib.sha256(body).hexdigest() == entry["sha256"]
    if not any(expected["value"] is not None for expected in entry["expected"]):
        with pytest.raises(MalformedAnswerError, match="no measurement has a value"):
            map_answer(profile_of(entry), body)
        return
    found = {m.name: m for m in map_answer(profile_of(entry), body).measurements}
    for expected in entry["expected"]:
        measurement = found[expected["name"]]
        assert measurement.quality.value == expected["quality"], expected["name"]
        if expected["value"] is None:
            assert measurement.value is None
            continue
        code = unit_code(expected["unit"])
        assert measurement.unit == stored_unit(code)
        assert measurement.value == pytest.approx(to_stored(expected["value"], code), abs=1e-9)


@pytest.mark.parametrize("entry", recorded())
def test_profile_asks_as_the_recording_was_made(entry: dict[str, Any]) -> None:
    asked = request_url(profile_of(entry), "http://device")
    method, _, target = entry["request"].partition(" ")
    assert method == "GET"
    if target.startswith("/measures"):
        assert asked == f"http://device{target}"
