"""The command line against the real API over in-memory twins: both sides mean the same by every name."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
import uvicorn

from cli.__main__ import main
from tests.unit.api_world import KEYS, NOON_MS, World

pytestmark = pytest.mark.enable_socket

Run = Callable[..., tuple[int, str, str]]
ADD = ("add", "incubator-3", "http://192.168.1.20", "--profile", "airgradient", "--every", "1m")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    made = World()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(made.app, log_level="error", lifespan="off", ws="none"))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.005)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAMBERLOG_API", f"http://127.0.0.1:{listener.getsockname()[1]}")
    monkeypatch.setenv("CHAMBERLOG_API_KEY", KEYS["default"])
    yield made
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_command(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


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
