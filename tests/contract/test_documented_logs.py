"""The examples of docs/logs.md find what they are for: run by bash and jq, on lines that the real formatter made."""

import json
import logging
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.logs import JsonLines
from collector.domain.health import Health
from tests.e2e.shell_fences import ROOT, session
from workflows import telling

PAGE = "docs/logs.md"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPELL = Health().succeeded(0)
for slot in range(1, 4):
    SPELL = SPELL.failed(slot * 60_000, "timeout: no whole answer in 10 s")


def line(service: str, message: str, fields: Mapping[str, object], level: int = logging.INFO) -> str:
    """A line as a process writes it now."""
    return JsonLines(service).format(
        logging.getLogger("workers").makeRecord("workers", level, "f", 1, message, (), None, extra=dict(fields))
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stack's directory with logs: sim-01 recovered, sim-02 still fails, Envoy has another format."""
    logs = tmp_path / ".chamberlog" / "logs"
    logs.mkdir(parents=True)
    failing, well = telling._failure(SPELL), telling._spell(SPELL.succeeded(240_000))
    one, two = {"chamberlog.chamber": "sim-01"}, {"chamberlog.chamber": "sim-02"}
    worker = [
        line("chamberlog-worker", telling.STARTS_FAILING, one | failing, logging.WARNING),
        line("chamberlog-worker", telling.STARTS_FAILING, two | failing, logging.WARNING),
        line("chamberlog-worker", telling.RECOVERED, one | well),
    ]
    worker[2] = re.sub(r'"timestamp": "[^"]*"', '"timestamp": "2999-01-01T00:00:00.000Z"', worker[2])
    (logs / "worker.log").write_text("\n".join([*worker, "not JSON"]) + "\n")
    in_trace = json.loads(line("chamberlog-api", "met a bug", {}, logging.ERROR)) | {"trace_id": TRACE}
    (logs / "api.log").write_text(json.dumps(in_trace) + "\n")
    (logs / "gateway.log").write_text("[2026-03-01 12:00:00.000][7][warning][main] something of Envoy's\n")
    died = [
        line("chamberlog-stack", "part has died", {"chamberlog.part": part}, logging.WARNING)
        for part in ("api", "api", "worker")
    ]
    (logs / "stack.log").write_text("\n".join(died) + "\n")
    return tmp_path


@pytest.mark.skipif(shutil.which("jq") is None, reason="there is no jq on this machine")
def test_every_example_finds_what_it_is_for(folder: Path) -> None:
    script = folder / "page.sh"
    script.write_text(session(PAGE))
    done = subprocess.run(["bash", script], cwd=folder, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout.splitlines()
    about = [json.loads(row) for row in said[:2]]
    assert [(row["message"], row["chamberlog.chamber"]) for row in about] == [
        ("chamber starts failing", "sim-01"),
        ("chamber recovered", "sim-01"),
    ]
    assert [row.split("\t")[1:] for row in said[2:4]] == [
        ["sim-01", "timeout", "no whole answer in 10 s"],
        ["sim-02", "timeout", "no whole answer in 10 s"],
    ]
    assert said[4].split("\t")[1:] == ["sim-01", "180", "3"]
    assert said[5] == "sim-02"
    assert [row.split(None, 1) for row in said[6:9]] == [
        ["3", "workers: part has died"],
        ["2", "workers: chamber starts failing"],
        ["1", "workers: met a bug"],
    ]
    assert json.loads(said[9])["message"] == "met a bug"
    assert [row.split() for row in said[10:]] == [["2", "api"], ["1", "worker"]]


def test_the_page_names_the_fields_that_there_are() -> None:
    page = (ROOT / PAGE).read_text("utf-8")
    fields = {*telling._failure(SPELL), *telling._spell(SPELL.succeeded(240_000))}
    assert {name for name in fields if f"`{name}`" not in page} == set()
    assert f"`{telling.STARTS_FAILING}`" in page
    assert f"`{telling.RECOVERED}`" in page
