"""Every example of the documents that is tagged `sh` works: run as it stands there, on the real stack."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.running_stack import RunningStack, eventually, stack_at
from tests.e2e.shell_fences import RUN_DOCUMENTS, session

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200), pytest.mark.xdist_group("documents")]
WITHIN_S = 420
"""A page of the command line starts a hundred programs; on a busy machine each takes seconds."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack of twelve simulated chambers, as somebody has it who begins to read."""
    home = tmp_path_factory.mktemp("documents") / ".chamberlog"
    with stack_at(home, "--telemetry") as running:
        yield running


@pytest.fixture(scope="module")
def runs(
    stack: RunningStack, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, "subprocess.CompletedProcess[str]"]:
    """What became of each document: one after the other, because they speak of the same chambers."""
    done = {}
    for document in RUN_DOCUMENTS:
        eventually(lambda: stack.json("list --status retiring")["items"] == [])
        done[document] = run(document, stack, tmp_path_factory.mktemp("reader"))
    return done


def run(document: str, stack: RunningStack, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run it from an empty directory, as a script of one shell."""
    script = folder.with_suffix(".sh")
    script.write_text(session(document), "utf-8")
    return subprocess.run(
        ["bash", script],
        cwd=folder,
        env=stack.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )


@pytest.mark.parametrize("document", RUN_DOCUMENTS)
def test_every_example_works(document: str, runs: Mapping[str, "subprocess.CompletedProcess[str]"]) -> None:
    done = runs[document]
    assert done.returncode == 0, f"{done.stderr[-2000:]}\n{done.stdout[-2000:]}"
