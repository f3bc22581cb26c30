"""A running stack and its real command lines, for the tests that use it as people do."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

BIN = Path(sys.executable).parent
Json = dict[str, Any]
SCRAPE = 'curl -sf -H "Authorization: Bearer $CHAMBERLOG_API_KEY" "$CHAMBERLOG_API/metrics"'
"""The API's figures, by the gateway, which asks who it is."""


@dataclass(frozen=True)
class RunningStack:
    """`chamberlog up` in a process of its own, and the environment that `chamberlog env` gives a shell."""

    home: Path
    environment: dict[str, str]

    def shell(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command line as a person's shell does after `eval "$(chamberlog env)"`."""
        return subprocess.run(
            ["bash", "-c", command],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def json(self, command: str) -> Json:
        """Run a `chamberlog` command with `--json`; it must succeed."""
        done = self.shell(f"chamberlog {command} --json")
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer

    def status(self, chamber: str) -> Json:
        """What the chamber's workflow says of itself, asked with the Temporal CLI."""
        done = self.shell(f"temporal workflow query -w chamber/{chamber} --type status -o json")
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)["queryResult"][0]
        assert isinstance(answer, dict)
        return answer

    def details(self, chamber: str) -> str:
        """The chamber's current details as the Web UI shows them."""
        return self.shell(f"temporal workflow metadata -w chamber/{chamber}").stdout

    def readings(self, chamber: str, limit: int = 1000) -> list[Json]:
        """All readings of the chamber so far."""
        items: list[Json] = []
        page = self.json(f"readings {chamber} --limit {limit}")
        items += page["items"]
        assert page["next_cursor"] is None, "more readings than a test should make"
        return items

    def history(self, chamber: str) -> list[Json]:
        """Events of the chamber's current run."""
        done = self.shell(f"temporal workflow show -w chamber/{chamber} -o json")
        assert done.returncode == 0, done.stderr
        events = json.loads(done.stdout)["events"]
        assert isinstance(events, list)
        return events


def started(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    """`chamberlog up`, as in a terminal of its own."""
    return subprocess.Popen(
        [BIN / "chamberlog", "up", "--home", home, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def stack_at(home: Path, *arguments: str) -> Iterator[RunningStack]:
    """A stack that collects, and is stopped as a person stops it; it must end well."""
    with started(home, *arguments) as process:
        yield collecting(home, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors


@contextmanager
def gateway_client(stack: RunningStack) -> Iterator[httpx.Client]:
    """Of the gateway, with the key of the local stack."""
    headers = {"Authorization": f"Bearer {stack.environment['CHAMBERLOG_API_KEY']}"}
    with httpx.Client(base_url=stack.environment["CHAMBERLOG_API"], headers=headers, timeout=20.0) as opened:
        yield opened


def collecting(home: Path, process: "subprocess.Popen[str]") -> RunningStack:
    """The stack that the process starts, once half of its twelve chambers collect."""
    eventually(lambda: (home / "stack.json").exists() or process.poll() is not None, 90)
    assert process.poll() is None, process.stderr and process.stderr.read()
    running = RunningStack(home, environment_of(home))
    eventually(lambda: running.shell("chamberlog list --status collecting --json").stdout.count('"sim-') >= 6, 60)
    return running


def environment_of(home: Path) -> dict[str, str]:
    """The environment after `eval "$(chamberlog env)"`."""
    exported = subprocess.run(
        [BIN / "chamberlog", "env", "--home", home], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    values = subprocess.run(
        ["bash", "-c", f"{exported}\nenv -0"], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    pairs = (line.partition("=") for line in values.split("\0") if line)
    return dict(os.environ) | {name: value for name, _, value in pairs} | {"CHAMBERLOG_HOME": str(home)}


def eventually(what: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.2)


def instant_ms(text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 instant."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def code_lines(document: Path, beginning: str) -> list[str]:
    """Lines of the shell blocks of a Markdown document that begin so."""
    blocks = re.findall(r"```sh\n(.*?)```", document.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith(beginning)]
