"""The bench's command line, its workloads, and the settings it runs under."""

from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.machine import cpu_model, machine, versions
from bench.measure import bodies
from bench.options import DEFAULT_HOME, parse
from bench.settings import TUNABLE, check_room, settings, tuning
from bench.workloads import SETTLE_S, Workload
from workers.settings import WorkerSettings


def test_by_default_every_workload_runs_for_a_minute() -> None:
    plan = parse([])
    assert [(w.name, w.chambers, w.interval_s, w.window_s) for w in plan.workloads] == [
        ("fast", 1_000, 5, 60.0),
        ("slow", 1_000, 60, 60.0),
    ]
    assert (plan.home, plan.report) == (DEFAULT_HOME, DEFAULT_HOME / "report")


def test_quick_is_shorter_and_smaller() -> None:
    assert [(w.name, w.chambers, w.window_s) for w in parse(["--quick"]).workloads] == [
        ("fast", 200, 15.0),
        ("slow", 200, 15.0),
    ]


def test_what_is_asked_for_wins() -> None:
    arguments = ["--quick", "--workload", "fast", "--workload", "fast", "--chambers", "7", "--interval", "2"]
    plan = parse([*arguments, "--seconds", "8", "--workers", "2", "--home", "h", "--report", "r"])
    assert plan.workloads == [Workload("fast", 7, 2, 8.0, 2)]
    assert (plan.home, plan.report) == (Path("h"), Path("r"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--workload", "fst"], "invalid choice: 'fst'"),
        (["--chambers", "0"], "from 1 to 60000"),
        (["--interval", "0"], "from 1 to 86400"),
        (["--interval", "1.5"], "from 1 to 86400"),
        (["--seconds", "-3"], "from 1 to 86400"),
        (["--workers", "x"], "from 1 to 64"),
    ],
)
def test_a_wrong_argument_is_named(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        parse(arguments)
    assert stop.value.code == 2
    errors = capsys.readouterr().err
    assert arguments[0] in errors
    assert words in errors


def test_the_window_begins_when_every_chamber_has_had_a_slot() -> None:
    slow = Workload("slow", 10, 60, 15.0)
    assert slow.warm_up_s == 60 + SETTLE_S


def test_each_chamber_has_a_device_of_its_own() -> None:
    found = bodies(Workload("fast", 600, 5, 15.0), 29_000)
    assert len({body["id"] for body in found}) == len({body["url"] for body in found}) == 600
    assert found[0] == {
        "id": "bench-00001",
        "section": "default",
        "url": "http://127.1.0.1:29000/",
        "profile": "generic-json",
        "interval_s": 5,
    }


def test_settings_are_those_that_the_worker_will_have(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TUNABLE:
        monkeypatch.delenv(f"CHAMBERLOG_{name.upper()}", raising=False)
    assert settings()["CHAMBERLOG_MAX_ACTIVITIES"] == WorkerSettings.model_fields["max_activities"].default
    monkeypatch.setenv("CHAMBERLOG_MAX_ACTIVITIES", "77")
    assert settings()["CHAMBERLOG_MAX_ACTIVITIES"] == 77
    monkeypatch.setenv("CHAMBERLOG_MAX_ACTIVITIES", "many")
    with pytest.raises(BenchError, match="CHAMBERLOG_MAX_ACTIVITIES: 'many'"):
        tuning("max_activities")


def test_a_fleet_that_would_wait_for_its_own_rounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAMBERLOG_MAX_ACTIVITIES", "100")
    check_room(Workload("fast", 99, 5, 15.0))
    check_room(Workload("fast", 199, 5, 15.0, workers=2))
    check_room(Workload("slow", 1_000, 60, 15.0))
    with pytest.raises(BenchError, match="set CHAMBERLOG_MAX_ACTIVITIES above 100"):
        check_room(Workload("fast", 100, 5, 15.0))


def test_machine_and_versions_are_real() -> None:
    here, known = machine(), versions()
    assert here.cores >= 1
    assert here.memory_mib > 64
    assert here.kernel.startswith("Linux ")
    assert known["python"].startswith("3.")
    assert known["temporalio"]
    assert "/" not in known.get("commit", "")


def test_a_processor_without_a_name_is_unknown() -> None:
    assert cpu_model("processor: 0\nmodel name\t: Abacus 3000\nmodel name\t: other\n") == "Abacus 3000"
    assert cpu_model("processor: 0\nFeatures: fp\n") == "unknown"
