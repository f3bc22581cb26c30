"""The stack that pictures are taken of: a simulated fleet in three sections; one chamber fails, one is paused."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from handbook.screenshots.errors import PictureError
from handbook.screenshots.terminal import Screen

BIN = Path(sys.executable).parent
FOREIGN = ("CHAMBERLOG_", "TEMPORAL_", "OTEL_")
"""The person's own settings mean other servers."""
NAMES = {
    "sim-01": ("incubators", "CO2 incubator 1"),
    "sim-02": ("incubators", "CO2 incubator 2"),
    "sim-03": ("incubators", "Shaking incubator"),
    "sim-04": ("incubators", "Drying oven"),
    "sim-05": ("cold-store", "Freezer -80"),
    "sim-06": ("cold-store", "Freezer -20"),
    "sim-07": ("cold-store", "Cold room"),
    "sim-08": ("cold-store", "Blood bank"),
    "sim-09": ("climate", "Stability chamber 25/60"),
    "sim-10": ("climate", "Stability chamber 40/75"),
    "sim-11": ("climate", "Growth chamber"),
    "sim-12": ("climate", "Walk-in chamber"),
}
SECTIONS = {"incubators": "Incubators", "cold-store": "Cold store", "climate": "Climate chambers"}
FAILING, PAUSED, STEADY, SLOW = "sim-05", "sim-08", "sim-09", "sim-12"
TROUBLED = "sim-06"
SHOWN = (FAILING, PAUSED, STEADY, SLOW)
SIZE = (84, 60)
START_S, FLEET_S, LOOK_S = 120.0, 180.0, 1.0
SLOTS = 7
"""Rounds of the steady chamber that its time line is to show."""


class Stage:
    """The running stack, and shells to use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        self._environment = kept | {"PATH": f"{BIN}:{kept.get('PATH', '')}"}
        self.up = Screen([BIN / "chamberlog", "up"], folder, self._environment, SIZE)

    @property
    def stack(self) -> dict[str, Any]:
        """What the stack says of itself."""
        found: dict[str, Any] = json.loads((self._folder / ".chamberlog" / "stack.json").read_text())
        return found

    @property
    def key(self) -> str:
        """The stack's key."""
        return Path(self.stack["api_key_file"]).read_text().strip()

    def printed(self, *arguments: str, width: int) -> str:
        """What a command of `chamberlog` prints on a terminal of that many columns.

        Raises:
            PictureError: it fails.
        """
        screen = Screen([BIN / "chamberlog", *arguments], self._folder, self._environment, (width, 50))
        if code := screen.ended():
            raise PictureError(f"chamberlog {' '.join(arguments)} ended with {code}: {screen.text()}")
        return screen.text()

    def do(self, *arguments: str) -> None:
        """Run a command of `chamberlog`, whatever it prints.

        Raises:
            PictureError: it fails.
        """
        self._run([BIN / "chamberlog", *arguments])

    def chamber(self, name: str) -> dict[str, Any]:
        """A chamber as the API shows it."""
        shown: dict[str, Any] = json.loads(self._run([BIN / "chamberlog", "show", name, "--json"]))
        return shown

    def break_device(self, name: str) -> None:
        """The device refuses connections from now on."""
        control = json.loads((self._folder / ".chamberlog" / "simulator" / "devices.json").read_text())["control"]
        answer = httpx.put(f"{control}/devices/{name}/fault", json={"kind": "down"}, trust_env=False)
        answer.raise_for_status()

    def _run(self, command: Sequence[str | Path]) -> str:
        done = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            raise PictureError(f"{' '.join(map(str, command[1:]))} ended with {done.returncode}: {done.stderr}")
        return done.stdout


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """A stack in the folder with its fleet as it is to be seen; it has ended afterwards.

    Raises:
        PictureError: it does not come so far.
    """
    stage = Stage(folder)
    try:
        _until(lambda: "chambers are being collected" in stage.up.text(), stage, "it collects", START_S)
        _furnish(stage)
        _until(lambda: _is_ready(stage), stage, "one chamber fails, one is paused, one has a history", FLEET_S)
        yield stage
    finally:
        stage.up.interrupt()


def _furnish(stage: Stage) -> None:
    for section, name in SECTIONS.items():
        stage.do("sections", "add", section, "--name", name)
    for chamber, (section, name) in NAMES.items():
        placed = ["--section", section, "--name", name]
        if chamber in SHOWN:
            _enrol_again(stage, chamber, placed)
        else:
            stage.do("change", chamber, *placed)
    stage.do("batches", "start", "CHO-17", "--section", "incubators")
    stage.break_device(FAILING)
    stage.do("pause", PAUSED, "--reason", "door service", "--until", "2h")


def _enrol_again(stage: Stage, name: str, placed: list[str]) -> None:
    """A chamber whose page is seen begins under the name that it has there."""
    known = stage.chamber(name)
    span = ["--round-span", "10s"] if name == STEADY else []
    every = ["--every", "10s" if name == STEADY else f"{known['interval_s']:g}s"]
    stage.do("retire", name)
    stage.do(
        "add", name, known["url"], "--profile", known["profile"], "--label", "simulated=true", *every, *span, *placed
    )


def _is_ready(stage: Stage) -> bool:
    readings = json.loads(stage.printed("readings", STEADY, "--limit", "50", "--json", width=200))["items"]
    return len(readings) > SLOTS and stage.chamber(FAILING)["status"] == "failing"


def _until(so: Callable[[], bool], stage: Stage, what: str, within_s: float) -> None:
    give_up = time.monotonic() + within_s
    while not so():
        if not stage.up.runs() or time.monotonic() > give_up:
            raise PictureError(f"the stack never came so far that {what}:\n{stage.up.text()}")
        time.sleep(LOOK_S)
