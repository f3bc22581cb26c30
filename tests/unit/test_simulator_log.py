import json
from pathlib import Path

from simulator.served import Served, ServedLog


def serve(log: ServedLog, device: str, count: int = 1) -> None:
    for _ in range(count):
        log.record(Served(device, log.next_serial(device), 1_000, None, 200))


def test_serial_numbers_count_up_per_device(tmp_path: Path) -> None:
    with ServedLog(tmp_path / "served.jsonl") as log:
        assert [log.next_serial(d) for d in ("a", "a", "b", "a")] == [1, 2, 1, 3]
        assert (log.last_serial("a"), log.last_serial("b"), log.last_serial("c")) == (3, 1, 0)


def test_a_line_is_in_the_file_before_the_log_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "served.jsonl"
    with ServedLog(path) as log:
        log.record(Served("a", 1, 1_700_000_000_123, "slow", 200))
        assert json.loads(path.read_text()) == {
            "device": "a",
            "serial": 1,
            "served_ms": 1_700_000_000_123,
            "fault": "slow",
            "status": 200,
        }


def test_serial_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "served.jsonl"
    with ServedLog(path) as log:
        serve(log, "a", 3)
        log.record(Served("a", None, 2_000, "status", 500))
    with ServedLog(path) as log:
        assert log.next_serial("a") == 4
        assert log.next_serial("b") == 1
        serve(log, "a")
    assert [json.loads(line)["serial"] for line in path.read_text().splitlines()] == [1, 2, 3, None, 5]


def test_a_line_cut_short_by_a_kill_is_set_off_and_its_number_given_again(tmp_path: Path) -> None:
    path = tmp_path / "served.jsonl"
    with ServedLog(path) as log:
        serve(log, "a", 2)
    path.write_bytes(path.read_bytes()[:-20])  # its answer had not left
    with ServedLog(path) as log:
        serve(log, "a")
        assert [s.serial for s in log.lines("a")] == [1, 2]
    lines = path.read_text().splitlines()
    assert len(lines) == 3
    assert json.loads(lines[2])["serial"] == 2


def test_lines_of_something_else_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "served.jsonl"
    foreign = 'no JSON\n[1]\n{"device": "a"}\n\xff\n'
    path.write_text(foreign, encoding="latin-1")
    with ServedLog(path) as log:
        assert list(log.lines()) == []
        serve(log, "a")
    assert path.read_text(encoding="latin-1").startswith(foreign)


def test_lines_are_chosen_by_device_and_instant() -> None:
    with ServedLog() as log:
        for device, at in (("a", 10), ("b", 20), ("a", 30)):
            log.record(Served(device, log.next_serial(device), at, None, 200))
        assert [s.served_ms for s in log.lines()] == [10, 20, 30]
        assert [s.served_ms for s in log.lines("a")] == [10, 30]
        assert [s.served_ms for s in log.lines(since_ms=20)] == [20, 30]
        assert list(log.lines("c")) == []


def test_an_overgrown_file_is_set_aside_and_numbers_go_on(tmp_path: Path) -> None:
    path = tmp_path / "served.jsonl"
    with ServedLog(path, limit_bytes=2_000) as log:
        serve(log, "quiet", 3)
        serve(log, "busy", 100)
    assert path.stat().st_size <= 2_100
    assert path.with_name("served.jsonl.1").stat().st_size <= 2_100
    with ServedLog(path) as log:
        assert (log.next_serial("quiet"), log.next_serial("busy")) == (4, 101)
    assert [json.loads(line)["serial"] for line in path.read_text().splitlines()][-1] == 100


def test_a_line_without_a_number_does_not_hide_the_last_one(tmp_path: Path) -> None:
    path = tmp_path / "served.jsonl"
    with ServedLog(path, limit_bytes=500) as log:
        serve(log, "a", 3)
        for _ in range(40):
            log.record(Served("a", None, 2_000, "status", 500))
    with ServedLog(path) as log:
        assert log.next_serial("a") == 4
