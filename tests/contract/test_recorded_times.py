"""The naive local time that a real logger wrote maps back to UTC, also in the hour that happened twice.

The recording is looked for where tests/contract/test_recorded_answers.py looks.
"""

import csv
import os
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from collector.mapping.circumstances import Circumstances
from collector.mapping.observed_time import device_time
from collector.mapping.time_rules import TimeRules

ROOT = Path(__file__).resolve().parents[2]
SERIES = Path(os.environ.get("CHAMBERLOG_DEVICES") or ROOT.parent / "shared" / "devices") / "series"
ZONE = "Europe/Prague"
"""Of the recording nothing but its offsets is known, and they are those of Central Europe."""
RULES = TimeRules(select="t", zone="chamber")


def rows() -> list[dict[str, str]]:
    files = sorted(SERIES.glob("memmert_incubator*.csv"))
    if not files:
        pytest.skip(f"no recorded series in {SERIES}: set CHAMBERLOG_DEVICES to the folder that has series/")
    with files[0].open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("late_ms", [0, 1_500, 590_000])
def test_every_row_maps_back_to_utc(late_ms: int) -> None:
    twice = 0
    for row in rows():
        utc_ms = round(datetime.fromisoformat(row["utc"]).timestamp() * 1000)
        told = device_time(RULES, {"t": row["local_naive"]}, Circumstances(utc_ms + late_ms, ZONE))
        assert told.observed_ms is not None, told.why_not
        assert abs(told.observed_ms - utc_ms) <= 1, row["utc"]
        alone = device_time(RULES, {"t": row["local_naive"]}, Circumstances(None, ZONE))
        twice += "was twice" in alone.why_not
    assert twice == 120


def test_the_recording_has_the_fold() -> None:
    minutes = Counter(row["local_naive"][:16] for row in rows())
    assert minutes["2025-10-26T02:00"] == minutes["2025-10-26T02:59"] == 2
