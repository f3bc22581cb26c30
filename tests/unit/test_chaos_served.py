"""Reading on in the devices' log while it is being written."""

import json
from pathlib import Path

from chaos.counting import Answer
from chaos.ledger import AROUND_MS, Served
from collector.domain.timerange import TimeRange


def line(serial: int, served_ms: int, status: int | None = 200) -> str:
    row = {"device": "sim-01", "serial": serial, "served_ms": served_ms, "fault": None, "status": status}
    return json.dumps(row) + "\n"


def test_what_is_appended_is_read_once_and_a_line_that_is_being_written_later(tmp_path: Path) -> None:
    log = tmp_path / "served.jsonl"
    log.write_text(line(1, 1_000) + line(2, 2_000)[:20])
    served, span = Served(log), TimeRange(0, 5_000)
    assert served.around(span) == [Answer("sim-01", 1, 1_000)]
    log.write_text(line(1, 1_000) + line(2, 2_000) + line(3, 3_000, status=None))
    assert served.around(span) == [Answer("sim-01", 1, 1_000), Answer("sim-01", 2, 2_000)]
    assert served.around(span) == served.around(span)


def test_answers_that_are_too_old_for_any_row_are_forgotten(tmp_path: Path) -> None:
    log = tmp_path / "served.jsonl"
    log.write_text(line(1, 1_000) + line(2, 2_000))
    served = Served(log)
    assert served.around(TimeRange(1_500 + AROUND_MS, 9_000 + AROUND_MS)) == [Answer("sim-01", 2, 2_000)]
