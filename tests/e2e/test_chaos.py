"""The short form of the faults by its command: every row is kept, the report adds up, nothing is left running."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.faults import short_faults
from chaos.report import BEGIN, END
from stack.lock import command_line

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.xdist_group("chaos")]


def test_no_slot_is_lost_without_a_word_under_any_of_the_short_faults(tmp_path: Path) -> None:
    home, page, file = tmp_path / "home", tmp_path / "chaos.md", tmp_path / "chaos.json"
    page.write_text(f"# Page\n{BEGIN}\n{END}\n")
    arguments = ["--short", "--home", str(home), "--json", str(file), "--report", str(page)]
    command = [sys.executable, "-m", "chaos", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(file.read_text())
    assert done.stdout in page.read_text()
    assert [row["fault"] for row in report["rows"]] == [fault.name for fault in short_faults()]
    assert report["chambers"] >= 50
    for row in report["rows"]:
        assert row["verdict"] == "kept", row
        gaps = sum(row["gaps_slow"].values()) + sum(row["gaps_fast"].values())
        assert row["expected"] == row["stored"] + gaps > 200
    assert left_running(home) == []


def left_running(home: Path) -> list[str]:
    """Command lines of processes that still use the directory."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if re.fullmatch(r"\d+", path.name)]
    lines = (command_line(pid) for pid in pids)
    return [line for line in lines if str(home) in line]
