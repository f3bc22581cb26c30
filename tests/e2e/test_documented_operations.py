"""Every block of the operations page and of the how-tos that is tagged `sh` works, under the fault that it is for."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from stack.binaries import postgres_bin
from stack.ports import free_port
from tests.e2e.operators_faults import CHAMBER, FAULTS, Fault, fault_of
from tests.e2e.running_stack import RunningStack, eventually, stack_at
from tests.e2e.shell_fences import ROOT, Fence, script, sections, session

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.xdist_group("operations")]
PAGE = "docs/operations.md"
SECTIONS = sections((ROOT / PAGE).read_text("utf-8"))
HOWTOS = sorted(f"docs/howto/{path.name}" for path in (ROOT / "docs/howto").glob("*.md"))
UNTRIED = {"docs/howto/index.md": "it only lists", "docs/howto/compose.md": "there is no container engine"}
WITHIN_S, TIMED_OUT = 420, 124


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Simulated chambers, as many as the documents name and two more, and the page's own one."""
    home = tmp_path_factory.mktemp("operations") / ".chamberlog"
    with stack_at(home, "--chambers", "8") as fresh:
        running = prepared(fresh)
        device = json.loads((home / "simulator/devices.json").read_text())["devices"][-1]
        added = f"chamberlog add {CHAMBER} {device['url']} --profile {device['dialect']} --every 2s --round-span 4s"
        assert running.shell(added).returncode == 0
        eventually(partial(Fault(running).collects, datetime.now(UTC)), 60)
        yield running


def prepared(stack: RunningStack) -> RunningStack:
    """With what the page tells its reader to set, and what a worker of this stack needs."""
    document = json.loads((stack.home / "stack.json").read_text())
    ports = json.loads((stack.home / "ports.json").read_text())
    devices = json.loads((stack.home / "simulator/devices.json").read_text())["devices"]
    air = next(device["url"] for device in devices if device["dialect"] == "airgradient")
    more = {
        "WORKER": f"http://127.0.0.1:{ports['worker']}",
        "DEVICE": air,
        "OLD_PORT": str(free_port()),
        "NEW_PORT": str(free_port()),
        "CHAMBERLOG_EGRESS": document["egress"],
        "CHAMBERLOG_EGRESS_PROXY": document["egress_proxy"] or "",
        "PATH": f"{postgres_bin()}:{stack.environment['PATH']}",
    }
    return replace(stack, environment=stack.environment | {name: value for name, value in more.items() if value})


def run(text: str, stack: RunningStack, folder: Path) -> "subprocess.CompletedProcess[str]":
    """As one shell, in an empty directory."""
    path = folder / "page.sh"
    path.write_text(text, "utf-8")
    work = folder / "reader"
    work.mkdir()
    out, err = folder / "out", folder / "err"
    with out.open("w") as stdout, err.open("w") as stderr:  # files: a process that is left behind holds no pipe open
        process = subprocess.Popen(
            ["bash", path],
            cwd=work,
            env=stack.environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        code = process.wait(timeout=WITHIN_S)
    except subprocess.TimeoutExpired:
        code = TIMED_OUT
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever it started
        process.wait()
    return subprocess.CompletedProcess(["bash", path], code, out.read_text("utf-8"), err.read_text("utf-8"))


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_section_works_under_its_fault(heading: str, stack: RunningStack, tmp_path: Path) -> None:
    with fault_of(heading, stack):
        done = run(script(PAGE, SECTIONS[heading]), stack, tmp_path)
        assert done.returncode == 0, f"{done.stderr[-2000:]}\n{done.stdout[-2000:]}"
    ended = datetime.now(UTC) if heading in FAULTS else datetime.now(UTC) - timedelta(seconds=10)
    eventually(partial(Fault(stack).collects, ended), 120)
    assert Fault(stack).unaccounted() == 0


@pytest.mark.parametrize("document", [howto for howto in HOWTOS if howto not in UNTRIED])
def test_every_how_to_works_from_top_to_bottom(document: str, stack: RunningStack, tmp_path: Path) -> None:
    done = run(session(document), stack, tmp_path)
    assert done.returncode == 0, f"{done.stderr[-2000:]}\n{done.stdout[-2000:]}"


def test_every_fault_has_its_section() -> None:
    assert FAULTS.keys() - SECTIONS.keys() == set()


def test_a_how_to_that_is_not_tried_has_nothing_to_run() -> None:
    for document in UNTRIED:
        assert sections((ROOT / document).read_text("utf-8")) == {}


def test_fences_are_found_by_their_heading() -> None:
    page = "# A\n\n```sh\none\n```\n\n```\n# no heading\n```\n\n```sh\ntwo\n```\n\n"
    page += "## B\n\ntext\n\n### C\n\n```sh\nthree\n```\n"
    assert sections(page) == {"A": [Fence(4, "one\n"), Fence(12, "two\n")], "C": [Fence(22, "three\n")]}
