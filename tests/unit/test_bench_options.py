"""The bench's command line, its workloads, and the settings it runs under."""

from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.machine import cpu_model, machine, versions
from bench.measure import bodies, grids_of
from bench.options import DEFAULT_HOME, listing, parse
from bench.settings import TUNABLE, room_for, settings, tuning
from bench.workloads import SETTLE_S, Wish, Workload, workload
from collector.domain.cadence import grid_of
from workers.settings import WorkerSettings


def names(*arguments: str) -> list[list[str]]:
    return [[trial.name for trial in batch] for batch in parse(arguments).batches]


def test_by_default_everything_is_measured_with_what_is_compared_side_by_side() -> None:
    kills = ["kill-chamberlog", "kill-bullmq", "kill-chamberlog-20s", "kill-bullmq-20s"]
    assert names() == [
        *(["fast"], ["bullmq"], ["long"], ["naive"], ["schedules"], ["small"], ["large"], ["second"], ["slow"]),
        *(["rate-chamberlog"], ["rate-bullmq"], kills, ["kill-naive", "kill-schedules"], ["fleet"], ["mapping"]),
        ["gateway"],
    ]
    plan = parse([])
    assert (plan.home, plan.report, plan.listed) == (DEFAULT_HOME, DEFAULT_HOME / "report", False)


def test_quick_leaves_out_what_takes_long() -> None:
    found = [name for batch in names("--quick") for name in batch]
    assert found == [
        "fast",
        "bullmq",
        "long",
        "naive",
        "second",
        "slow",
        "kill-chamberlog",
        "kill-bullmq",
        "fleet",
        "mapping",
        "gateway",
    ]
    assert names("--quick", "--only", "large") == [["large"]], "unless it is named"


def test_without_peers_none_is_measured() -> None:
    found = [name for batch in names("--no-peers") for name in batch]
    ours = ["fast", "long", "small", "large", "second", "slow"]
    assert found == [*ours, "rate-chamberlog", "kill-chamberlog", "kill-chamberlog-20s", "fleet", "mapping", "gateway"]


def test_parts_and_groups_can_be_named() -> None:
    assert names("--only", "slow", "--only", "fast", "--only", "slow") == [["fast"], ["slow"]]
    assert names("--only", "rate") == [["rate-chamberlog"], ["rate-bullmq"]]
    assert names("--only", "peers", "--only", "kill-naive") == [["bullmq"], ["naive"], ["schedules"], ["kill-naive"]]
    assert names("--only", "kill", "--no-peers") == [["kill-chamberlog", "kill-chamberlog-20s"]]


def test_the_list_shows_what_was_chosen() -> None:
    plan = parse(["--list", "--only", "fast", "--only", "kill-bullmq"])
    assert plan.listed
    lines = listing(plan.batches).splitlines()
    assert [line.split()[:2] for line in lines] == [["1", "fast"], ["2", "kill-bullmq"]]
    assert "1,000 x 5 s" in lines[0]


def test_a_fleet_is_as_it_is_asked_for() -> None:
    assert workload("fast", Wish()) == Workload("fast", 1_000, 5, 60.0)
    assert workload("long", Wish()).round_span_s == 600
    assert workload("fast", Wish(quick=True)) == Workload("fast", 200, 5, 15.0)
    assert workload("large", Wish(quick=True)) == Workload("large", 5_000, 10, 15.0)
    wish = Wish(quick=True, chambers=7, interval_s=2, window_s=8.0, workers=2)
    assert workload("fast", wish) == Workload("fast", 7, 2, 8.0, 2)
    assert workload("bullmq", wish) == Workload("bullmq", 7, 2, 8.0, 1), "one process, whatever the stack has"


def test_the_stack_is_watched_idle_for_a_short_while() -> None:
    assert [Workload("fast", 10, 5, window_s).idle_s for window_s in (15.0, 60.0)] == [5.0, 10.0]


def test_places_are_as_asked_for() -> None:
    plan = parse(["--only", "fast", "--home", "h", "--report", "r"])
    assert (plan.home, plan.report) == (Path("h"), Path("r"))


def test_only_what_is_compared_waits_for_a_quiet_machine() -> None:
    assert parse(["--only", "fast"]).patience_s < parse(["--only", "fast", "--only", "slow"]).patience_s


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "fst"], "invalid choice: 'fst'"),
        (["--only", "naive", "--no-peers"], "nothing is left"),
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
    assert bodies(Workload("long", 1, 5, 15.0, round_span_s=600), 29_000)[0]["round_span_s"] == 600


def test_each_chamber_has_its_grid_by_number() -> None:
    assert grids_of(Workload("fast", 2, 5, 15.0)) == {n: grid_of(f"bench-0000{n}", 5_000) for n in (1, 2)}


def test_settings_are_those_that_the_worker_will_have(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TUNABLE:
        monkeypatch.delenv(f"CHAMBERLOG_{name.upper()}", raising=False)
    assert settings()["CHAMBERLOG_MAX_ACTIVITIES"] == WorkerSettings.model_fields["max_activities"].default
    monkeypatch.setenv("CHAMBERLOG_MAX_ACTIVITIES", "77")
    assert settings()["CHAMBERLOG_MAX_ACTIVITIES"] == 77
    monkeypatch.setenv("CHAMBERLOG_MAX_ACTIVITIES", "many")
    with pytest.raises(BenchError, match="CHAMBERLOG_MAX_ACTIVITIES: 'many'"):
        tuning("max_activities")


def test_a_worker_gets_room_for_every_round_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    variable = "CHAMBERLOG_MAX_ACTIVITIES"
    monkeypatch.setenv(variable, "300")
    for fits in (Workload("a", 200, 5, 15.0), Workload("b", 400, 5, 15.0, workers=2), Workload("c", 1_000, 60, 15.0)):
        with room_for(fits) as raised:
            assert (raised, tuning("max_activities").value) == ({}, 300)
    with room_for(Workload("d", 201, 5, 15.0)) as raised:
        assert (raised, tuning("max_activities").value) == ({variable: 301}, 301)
    assert tuning("max_activities").value == 300
    monkeypatch.delenv(variable)
    with room_for(Workload("large", 5_000, 10, 60.0)) as raised:
        assert raised == {variable: 5_100}
    assert tuning("max_activities").value == WorkerSettings.model_fields["max_activities"].default


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
