"""The profile that docs/profiles.md writes for a recorded log reads that recording.

It is looked for where tests/contract/test_recorded_answers.py looks.
"""

import csv
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.domain.errors import MalformedAnswerError
from collector.domain.outcome import Measurement
from collector.mapping.answer import map_answer
from collector.mapping.circumstances import Circumstances
from collector.mapping.loading import load_profile
from collector.mapping.profile import Profile

ROOT = Path(__file__).resolve().parents[2]
SERIES = Path(os.environ.get("CHAMBERLOG_DEVICES") or ROOT.parent / "shared" / "devices") / "series"
LATE_MS = 90_000


def recorded() -> bytes:
    files = sorted(SERIES.glob("river_occupancy*.csv"))
    if not files:
        pytest.skip(f"no recorded series in {SERIES}: set CHAMBERLOG_DEVICES to the folder that has series/")
    return files[0].read_bytes()


def profile() -> Profile:
    page = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8").split("## The same with a recorded answer", 1)[1]
    found = re.search(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert found is not None
    assert len(found[1].splitlines()) < 25
    return load_profile(found[1], "office-log.yaml", stem="office-log")


def test_an_answer_cut_after_a_row_says_that_row() -> None:
    lines, rules = recorded().splitlines(keepends=True), profile()
    rows = list(csv.DictReader(line.decode() for line in lines))
    for at in range(0, len(rows), 12):
        row = rows[at]
        seen_ms = round(datetime.fromisoformat(row["time"]).replace(tzinfo=UTC).timestamp() * 1000)
        found = map_answer(rules, b"".join(lines[: at + 2]), Circumstances(seen_ms + LATE_MS, "UTC"))
        assert found.observed_ms == seen_ms
        assert found.measurements == (
            Measurement("temperature", float(row["V1"]), "Cel"),
            Measurement("relative_humidity", float(row["V2"]), "%"),
            Measurement("light", float(row["V3"]), "lx"),
            Measurement("co2", float(row["V4"]), "[ppm]"),
        )


def test_an_answer_cut_inside_a_row_says_nothing() -> None:
    body, rules = recorded(), profile()
    for cut in range(1, 40):
        if body[-cut - 1 : -cut] != b"\n":
            with pytest.raises(MalformedAnswerError, match="truncated"):
                map_answer(rules, body[:-cut])


def test_no_built_in_profile_reads_it() -> None:
    body, builtin = recorded(), FileProfiles([builtin_profiles_folder()])
    for name in builtin.names():
        rules = builtin.find(name)
        assert rules is not None
        with pytest.raises(MalformedAnswerError):
            map_answer(rules, body)
