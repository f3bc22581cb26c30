"""`chamberlog profiles`: writing, checking and trying a profile, and offering it to the organization."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.memory import InMemoryAnswers
from collector.mapping.json_schema import profile_schema
from collector.ports import AnswerKind, ChamberAnswer
from collector.ports.answers import ANSWER_LIMIT
from tests.unit.api_world import NOON_MS, World
from tests.unit.json_schemas import check
from tests.unit.served_api import Run, run, world

__all__ = ["run", "world"]

ROOT = Path(__file__).parents[2]
SMALL = "name: {}\nmeasurements:\n  - {{name: temperature, select: {}, unit: Cel}}\n"
WHOLE = """name: attic
description: The sensor in the attic
source: Its web page
checked: An answer
measurements:
  - {name: temperature, select: t, unit: Cel, range: [-40, 60]}
"""
ADD = ("add", "c1", "http://h", "--profile", "attic", "--every", "1m")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the person stands, without any API to be found."""
    monkeypatch.chdir(tmp_path)
    for name in ("CHAMBERLOG_API", "CHAMBERLOG_API_KEY", "CHAMBERLOG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(folder: Path, select: str = "t", name: str = "attic") -> None:
    (folder / "attic.yaml").write_text(SMALL.format(name, select))


def test_a_file_is_checked_without_an_api(folder: Path, run: Run) -> None:
    (folder / "attic.yaml").write_text(WHOLE)
    code, out, err = run("profiles", "check", "attic.yaml")
    assert (code, err) == (0, "")
    assert out.startswith("attic.yaml: attic, version ")
    assert out.endswith(": temperature [Cel]\n")
    write(folder)
    code, out, err = run("profiles", "check", "attic.yaml", "--json")
    assert (code, len(json.loads(out)["remarks"])) == (0, 4)
    assert "remark: measurements[0].range: " in run("profiles", "check", "attic.yaml")[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WHOLE.replace("unit: Cel", "unit: furlong"), "error: attic.yaml:6: measurements[0].unit: unit 'furlong'"),
        (WHOLE + "colour: red\n", "error: attic.yaml:7: colour: there is no such key here"),
        ("name: [", "error: attic.yaml:1: not YAML"),
        ("", "error: attic.yaml:1: not a mapping"),
    ],
)
def test_what_is_wrong_is_named_by_file_line_and_key(folder: Path, run: Run, text: str, said: str) -> None:
    (folder / "attic.yaml").write_text(text)
    for command in (("check", "attic.yaml"), ("test", "attic.yaml", "-"), ("put", "attic.yaml", "--api", "http://h")):
        code, out, err = run("profiles", *command, "--api-key", "k")
        assert (code, out) == (4, "")
        assert err.startswith(said)
        assert "\nremedy: " in err


@pytest.mark.parametrize("name", ["absent.yaml", "latin.yaml", "."])
def test_a_file_that_cannot_be_read_is_refused(folder: Path, run: Run, name: str) -> None:
    (folder / "latin.yaml").write_bytes(b"name: \xe4\n")
    code, _, err = run("profiles", "check", name)
    assert (code, err.startswith("error: file: ")) == (4, True)


def test_an_answer_is_mapped_on_the_spot(folder: Path, run: Run) -> None:
    write(folder)
    (folder / "answer.json").write_text('{"t": 21.5}')
    code, out, err = run("profiles", "test", "attic.yaml", "answer.json")
    assert (code, err) == (0, "")
    assert out.split() == ["measurement", "value", "unit", "temperature", "21.5", "Cel"]
    document = json.loads(run("profiles", "test", "attic.yaml", "answer.json", "--json")[1])
    assert document["new"]["measurements"] == {"temperature": {"value": 21.5, "unit": "Cel", "quality": "good"}}
    assert (document["answer"], document["old"], document["new"]["gap"]) == (None, None, None)


def test_a_gap_says_why_and_exits_with_one(folder: Path, run: Run) -> None:
    write(folder)
    (folder / "answer.json").write_text("<html>")
    code, out, _ = run("profiles", "test", "attic.yaml", "answer.json")
    assert code == 1
    assert out.startswith("gap  malformed: decode: not JSON")
    code, out, _ = run("profiles", "test", "attic.yaml", "answer.json", "--json")
    assert (code, json.loads(out)["new"]["gap"]["reason"]) == (1, "malformed")
    check("profiles test", json.loads(out))


@pytest.mark.parametrize(
    "recorded",
    [
        b'{"t": 21.5}',
        b'HTTP/1.1 200 OK\r\nServer: x\r\n\r\n{"t": 21.5}',
        b'HTTP/1.0 200 OK\nServer: x\n\n{"t": 21.5}',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;x=y\r\n{"t": \r\n5\r\n21.5}\r\n0\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nTRANSFER-ENCODING:Chunked\r\nX: y\r\n\r\n6\r\n{"t": \r\n5\r\n21.5}\r\n0\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{"t": 21.5}',
    ],
)
def test_a_recorded_head_is_cut_off(folder: Path, run: Run, recorded: bytes) -> None:
    write(folder)
    (folder / "a.http").write_bytes(recorded)
    code, out, err = run("profiles", "test", "attic.yaml", "a.http", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["new"]["measurements"]["temperature"]["value"] == 21.5


def test_an_answer_may_come_by_standard_input(folder: Path) -> None:
    write(folder)
    command = [sys.executable, "-m", "cli", "profiles", "test", "attic.yaml", "-", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    recorded = b'HTTP/1.1 200 OK\r\n\r\n{"t": 21.5}'
    done = subprocess.run(command, input=recorded, env=environment, capture_output=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["new"]["measurements"]["temperature"]["value"] == 21.5


def test_a_head_without_a_body_is_an_empty_answer(folder: Path, run: Run) -> None:
    write(folder)
    (folder / "a.http").write_bytes(b"HTTP/1.1 200 OK\r\n")
    assert run("profiles", "test", "attic.yaml", "a.http")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["attic.yaml"], "usage"),
        (["attic.yaml", "answer.json", "--chamber", "c1"], "usage"),
        (["attic.yaml", "absent.json"], "answer"),
        (["attic.yaml", "answer.json", "--received", "noon"], "received"),
    ],
)
def test_wrong_arguments_are_refused(folder: Path, run: Run, arguments: list[str], field: str) -> None:
    write(folder)
    (folder / "answer.json").write_text('{"t": 21.5}')
    code, _, err = run("profiles", "test", *arguments)
    assert (code, err.partition(":")[2].split(":")[0].strip()) == (4, field)


def test_the_schema_is_printed(run: Run) -> None:
    code, out, _ = run("profiles", "schema")
    assert (code, json.loads(out)) == (0, profile_schema())


@pytest.mark.enable_socket
def test_a_profile_is_offered_changed_and_removed(world: World, run: Run) -> None:
    write(Path())
    code, out, err = run("profiles", "put", "attic.yaml")
    assert (code, err) == (0, "attic is offered\n")
    assert "select: t," in out
    assert run("profiles", "put", "attic.yaml")[2] == "attic was so already; nothing changed\n"
    write(Path(), "t2")
    assert run("profiles", "put", "attic.yaml")[2] == "attic is offered\n"
    versions = json.loads(run("profiles", "show", "attic", "--json")[1])["versions"]
    assert len(versions) == 2
    old = run("profiles", "show", "attic", "--version", versions[1]["version"])
    assert old[0] == 0
    assert ["newest", versions[0]["version"]] in [line.split() for line in old[1].splitlines()]
    assert "attic" in run("profiles")[1]
    code, _, err = run("profiles", "remove", "attic")
    assert (code, err) == (0, "attic is not offered any more\n")
    assert run("profiles", "show", "attic")[0] == 3
    code, _, err = run("profiles", "remove", "airgradient")
    assert (code, "built in" in err) == (5, True)
    write(Path(), "t", "airgradient")
    assert run("profiles", "put", "attic.yaml")[0] == 0
    assert "is the deployment's again, version " in run("profiles", "remove", "airgradient")[2]


def keep(world: World, body: bytes, kind: AnswerKind = AnswerKind.SUCCESS, at_ms: int = 90, **changes: Any) -> None:
    size = changes.pop("size", len(body))
    answer = ChamberAnswer("c1", kind, NOON_MS, NOON_MS + at_ms, body, size, bytes(32), **changes)
    InMemoryAnswers(world.ledger).offer(answer)


@pytest.mark.enable_socket
def test_old_and_new_stand_side_by_side_on_the_chambers_last_answer(world: World, run: Run) -> None:
    write(Path())
    run("profiles", "put", "attic.yaml")
    code, out, err = run(*ADD, "--timezone", "Europe/Prague", "--serial-number", "007")
    assert code == 0, err
    assert "time zone      Europe/Prague" in out
    code, _, err = run("profiles", "test", "attic.yaml", "--chamber", "c1")
    assert (code, "no last answer of c1 is stored" in err) == (3, True)
    keep(world, b'{"t": 21.5, "t2": 22.5}')
    write(Path(), "t2")
    run("profiles", "put", "attic.yaml")  # the chamber keeps the version that it has
    code, out, err = run("profiles", "test", "attic.yaml", "--chamber", "c1")
    assert (code, out.splitlines()[1].split()) == (0, ["temperature", "21.5", "22.5", "Cel"]), err
    assert err == "answer of c1, 2026-03-01 12:00:00.090Z, 23 bytes\n"
    document = json.loads(run("profiles", "test", "attic.yaml", "--chamber", "c1", "--json")[1])
    check("profiles test", document)
    assert document["answer"]["chamber"] == "c1"
    assert document["old"]["version"] != document["new"]["version"]


@pytest.mark.enable_socket
def test_a_failure_is_tried_when_it_came_last_or_is_asked_for(world: World, run: Run) -> None:
    write(Path())
    run("profiles", "put", "attic.yaml")
    run(*ADD)
    keep(world, b'{"t": 21.5}')
    keep(world, b'{"t2": 21.5}', AnswerKind.FAILURE, 95, problem="malformed: x")
    write(Path(), "t2")
    code, out, _ = run("profiles", "test", "attic.yaml", "--chamber", "c1", "--json")
    document = json.loads(out)
    assert (code, document["answer"]["kind"], document["new"]["gap"]) == (0, "failure", None)
    assert document["old"]["gap"]["reason"] == "malformed"
    code, out, _ = run("profiles", "test", "attic.yaml", "--chamber", "c1", "--kind", "success")
    assert code == 1
    assert "new gap  malformed: " in out
    keep(world, b'{"t": 2', at_ms=99, size=ANSWER_LIMIT + 1)
    code, _, err = run("profiles", "test", "attic.yaml", "--chamber", "c1")
    assert (code, "only the first 64 KiB" in err) == (4, True)


@pytest.mark.enable_socket
def test_what_is_known_of_the_device_is_changed_and_taken_away(world: World, run: Run) -> None:
    write(Path())
    run("profiles", "put", "attic.yaml")
    run(*ADD)
    code, out, err = run("change", "c1", "--timezone", "UTC", "--serial-number", "7", "--json")
    assert code == 0, err
    assert [json.loads(out)[name] for name in ("timezone", "serial_number")] == ["UTC", "7"]
    code, out, _ = run("change", "c1", "--no-timezone", "--no-serial-number", "--json")
    assert [json.loads(out)[name] for name in ("timezone", "serial_number")] == [None, None]
    assert run("change", "c1", "--timezone", "UTC", "--no-timezone")[0] == 4
