"""The command line against the real API over in-memory twins: both sides mean the same by every name."""

import json
import os
from pathlib import Path

import pytest

from tests.unit.api_world import KEYS, NOON_MS, World
from tests.unit.served_api import Run

pytestmark = pytest.mark.enable_socket

ADD = ("add", "incubator-3", "http://192.168.1.20", "--profile", "airgradient", "--every", "1m")


def test_a_chamber_lives_through_the_command_line(world: World, run: Run) -> None:
    code, out, err = run(*ADD, "--label", "room=2.14", "--json")
    assert (code, json.loads(out)["interval_s"]) == (0, 60), err
    assert "already" in run(*ADD, "--label", "room=2.14")[2]
    assert [c["id"] for c in json.loads(run("list", "--json")[1])["items"]] == ["incubator-3"]
    assert "incubator-3" in run("list")[1]
    code, out, err = run("set-interval", "incubator-3", "30s", "--json")
    assert (code, json.loads(out)["interval_s"], json.loads(out)["version"]) == (0, 30, 2), err
    code, out, err = run("pause", "incubator-3", "--reason", "door", "--json")
    assert (code, json.loads(out)["paused"]["reason"]) == (0, "door"), err
    assert "door" in run("show", "incubator-3")[1]
    assert run("collect", "incubator-3")[0] == 5
    assert "21.5" in run("collect", "incubator-3", "--force")[1]
    code, out, err = run("resume", "incubator-3", "--json")
    assert (code, json.loads(out)["paused"]) == (0, None), err
    assert run("retire", "incubator-3", "--reason", "moved")[0] == 0


def test_why_a_traced_collection_failed_is_told_whether_there_is_a_trace_or_not(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAMBERLOG_TRACES", "http://127.0.0.1:9")
    code, _, err = run("collect", "nosuch", "--trace")
    assert code == 3
    assert "no chamber 'nosuch'" in err


def test_every_form_of_reading_is_understood(world: World, run: Run) -> None:
    run(*ADD)
    span = ("--from", "2026-03-01T11:00:00Z", "--to", "2026-03-01T12:00:00Z")
    for form in ((), ("--json",), ("--csv",)):
        code, _, err = run("readings", "incubator-3", *span, *form)
        assert code == 0, err
    assert run("readings", "incubator-3", *span, "--csv")[1].startswith("slot,")
    assert run("gaps", "incubator-3", *span, "--json")[0] == 0
    for argv in (("audit", "incubator-3"), ("audit",)):
        code, out, err = run(*argv, *span, "--json")
        assert (code, json.loads(out)["unaccounted"]) == (0, 0), err
        assert run(*argv, *span)[0] == 0
    assert "airgradient" in run("profiles")[1]
    assert world.clock.now_ms() == NOON_MS


@pytest.mark.parametrize(
    ("argv", "code", "field"),
    [
        (("add", "Bad Id", "http://h", "--profile", "airgradient", "--every", "1m"), 4, "id"),
        (("add", "c1", "ftp://h", "--profile", "airgradient", "--every", "1m"), 4, "url"),
        (("add", "c1", "http://h", "--profile", "gone", "--every", "1m"), 4, "profile"),
        (("add", "c1", "http://h", "--profile", "airgradient", "--every", "500ms"), 4, "interval_s"),
        (("add", "c1", "http://h", "--profile", "airgradient", "--every", "1m", "--timeout", "2m"), 4, "timeout_s"),
        (("add", "c1", "http://h", "--profile", "airgradient", "--every", "1m", "--section", "gone"), 4, "section"),
        (("add", "c1", "http://h", "--profile", "airgradient", "--every", "1m", "--secret-ref", "x"), 4, "secret_ref"),
        (("show", "gone"), 3, "id"),
        (("gaps", "gone"), 3, "id"),
        (("set-interval", "gone", "30s"), 3, "id"),
        (("list", "--status", "happy"), 4, "status"),
        (("audit", "--from", "2026-03-02", "--to", "2026-03-01"), 4, "to"),
        (("list", "--api-key", "chl_wrong"), 7, ""),
    ],
)
def test_a_refusal_of_the_api_names_field_and_remedy(
    world: World, run: Run, argv: tuple[str, ...], code: int, field: str
) -> None:
    found, out, err = run(*argv)
    assert (found, out) == (code, ""), err
    assert f"error: {field}" in err
    assert "remedy: " in err


def test_a_taken_id_is_a_conflict(world: World, run: Run) -> None:
    assert run(*ADD)[0] == 0
    found, _, err = run("add", "incubator-3", "http://10.0.0.9", "--profile", "airgradient", "--every", "1m")
    assert found == 5, err
    assert "remedy: " in err


def test_a_store_that_is_away_is_told_as_such(world: World, run: Run) -> None:
    run(*ADD)
    world.ledger.away = True
    found, out, err = run("gaps", "incubator-3")
    assert (found, out) == (6, ""), err
    assert "try again" in err


FLEET = """id,url,profile,interval,section,label.room
incubator-3,http://192.168.1.20,airgradient,30s,cold,A1
incubator-4,http://192.168.1.21,airgradient,10s,,
"""


def test_a_fleet_is_imported_changed_and_left_alone(world: World, run: Run) -> None:
    run(*ADD, "--label", "floor=2")
    Path("fleet.csv").write_text(FLEET)
    assert run("import", "fleet.csv", "--yes")[0] == 4, "there is no section cold"
    code, out, err = run("import", "fleet.csv", "--yes", "--create-sections", "--json")
    account = json.loads(out)
    assert (code, account["created"], account["updated"], account["sections_created"]) == (0, 1, 1, ["cold"]), err
    shown = json.loads(run("show", "incubator-3", "--json")[1])
    assert (shown["interval_s"], shown["section"], shown["labels"]) == (30, "cold", {"floor": "2", "room": "A1"})
    code, out, err = run("import", "fleet.csv", "--json")
    account = json.loads(out)
    assert (code, account["unchanged"], account["changes"]) == (0, 2, []), err
    assert json.loads(run("show", "incubator-3", "--json")[1])["version"] == shown["version"]


def test_a_fleet_meets_what_the_api_alone_knows(world: World, run: Run) -> None:
    assert run("add", "incubator-4", *ADD[2:], "--api-key", KEYS["other"])[0] == 0
    Path("fleet.csv").write_text(FLEET.replace(",cold,", ",,"))
    code, out, err = run("import", "fleet.csv", "--yes", "--json")
    [refused] = json.loads(out)["refused"]
    assert (code, refused["id"], refused["exit_code"], refused["line"]) == (5, "incubator-4", 5, 3), err
    assert "error: line 3 (incubator-4), id: " in err


def test_a_section_closes_when_it_is_empty(world: World, run: Run) -> None:
    assert run("sections", "add", "cold", "--name", "Cold store")[0] == 0
    assert "was there already" in run("sections", "add", "cold", "--name", "Cold store")[2]
    run(*ADD, "--section", "cold")
    code, _, err = run("sections", "change", "cold", "--close")
    assert (code, "error: active: " in err, "remedy: " in err) == (5, True, True), err
    assert run("change", "incubator-3", "--section", "default")[0] == 0
    assert "closed" in run("sections", "change", "cold", "--close")[1]
    code, _, err = run("change", "incubator-3", "--section", "cold")
    assert (code, "error: section: " in err) == (4, True), err


def test_batches_of_a_section_do_not_overlap(world: World, run: Run) -> None:
    assert run("batches", "start", "CHO-17.2", "--section", "default", "--at", "2026-03-01T11:00:00Z")[0] == 0
    code, _, err = run("batches", "start", "CHO-18", "--section", "default")
    assert (code, "CHO-17.2" in err) == (5, True), err
    assert run("batches", "end", "CHO-17.2", "--at", "2026-03-01T11:30:00Z")[0] == 0
    assert run("batches", "start", "CHO-18", "--section", "default")[0] == 0
    listed = json.loads(run("batches", "--section", "default", "--at", "2026-03-01T11:10:00Z", "--json")[1])
    assert [batch["id"] for batch in listed["items"]] == ["CHO-17.2"]
    assert run("batches", "show", "gone")[0] == 3


def test_an_organization_is_the_keys_own_unless_it_runs_the_deployment(world: World, run: Run) -> None:
    assert [o["id"] for o in json.loads(run("organizations", "--json")[1])["items"]] == ["default"]
    code, _, err = run("organizations", "add", "biologics")
    assert (code, "remedy: " in err) == (7, True), err
    operator = ("--api-key", KEYS["deployment"])
    assert run("organizations", "add", "biologics", "--region", "eu", *operator)[0] == 0
    assert run("organizations", "change", "biologics", "--region", "us", *operator)[0] == 0
    assert run("organizations", "show", "biologics")[0] == 3


def test_keys_are_made_listed_and_revoked_by_the_api(world: World, run: Run) -> None:
    code, out, err = run("keys", "create", "--name", "wallboard", "--role", "viewer", "--scope", "readings")
    assert code == 0, err
    key_id = out.split("_")[1]
    assert world.ledger.keys[key_id].record.terms.created_by == "key/" + KEYS["default"].split("_")[1]
    assert "wallboard" in run("keys")[1]
    listed = json.loads(run("keys", "--json")[1])["items"]
    assert [k["scopes"] for k in listed if k["id"] == key_id] == [["readings"]]
    assert run("list", "--api-key", out.strip())[0] == 7
    assert run("keys", "revoke", out.strip())[0] == 0
    assert world.ledger.keys[key_id].record.revoked_ms == NOON_MS
    for argv, code in (
        (("create", "--name", "x", "--deployment"), 7),
        (("revoke", "0" * 11 + "b"), 3),
        (("revoke", KEYS["default"]), 5),
        (("revoke", KEYS["deployment"]), 7),
        (("list", "--organization", "other"), 3),
    ):
        found, _, err = run("keys", *argv)
        assert (found, "remedy: " in err) == (code, True), (argv, err)


def test_a_super_administrator_acts_where_it_says(world: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAMBERLOG_API_KEY", KEYS["deployment"])
    assert run(*ADD)[0] == 0
    assert run("show", "incubator-3", "--organization", "other")[0] == 3
    code, out, err = run("keys", "create", "--name", "theirs", "--organization", "other", "--json")
    assert (code, json.loads(out)["organization"]) == (0, "other"), err
    monkeypatch.setenv("CHAMBERLOG_ORGANIZATION", "other")
    assert run("show", "incubator-3")[0] == 3
    assert run("show", "incubator-3", "--organization", "default")[0] == 0
    assert {key["organization"] for key in json.loads(run("keys", "--json")[1])["items"]} == {"other"}
    code, _, err = run("list", "--organization", "gone")
    assert (code, "no organization 'gone'" in err) == (3, True)


def test_the_database_is_asked_only_where_it_is_named(world: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    away = "postgresql://nobody@127.0.0.1:9/none"
    assert run("keys", "--postgres", away)[0] == 6
    monkeypatch.setenv("CHAMBERLOG_POSTGRES", away)
    api = os.environ["CHAMBERLOG_API"]
    assert run("keys")[0] == 0, "where both are named it is the API"
    monkeypatch.delenv("CHAMBERLOG_API")
    assert run("keys")[0] == 6
    assert run("keys", "--api", api)[0] == 0
