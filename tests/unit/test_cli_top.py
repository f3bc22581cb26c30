"""`chamberlog top`: what it shows, by value; what it does when the API is away; its keys; a terminal as before."""

import json
import os
import pty
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import pytest
from rich.console import Console

from cli.client import failure_of
from cli.exits import CommandError, Complaint, ExitCode
from cli.top.drawing import Seen, draw, short
from cli.top.following import Screen, follow
from cli.top.picture import Picture
from tests.unit.api_world import KEYS, World
from tests.unit.json_schemas import check
from tests.unit.served_api import Run
from tests.unit.test_cli_schemas import ADD, keep


def measured(value: float | None, quality: str = "good") -> dict[str, Any]:
    return {"measurements": {"co2": {"value": None, "unit": "[ppm]", "quality": "bad"}} | {
        "temperature": {"value": value, "unit": "Cel", "quality": quality}
    }}  # fmt: skip


def chamber(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "section": "default",
        "status": "collecting",
        "last_reading": "2026-03-01T12:00:00.000Z",
        "next_slot": "2026-03-01T12:01:00.000Z",
        "lateness_s": 0.004,
        "failures": 0,
        "backlog": 0,
        "reading": measured(21.52),
    } | changes


FLEET = {
    "at": "2026-03-01T12:00:40.000Z",
    "chambers": 1234,
    "fitting": 4,
    "statuses": {"stale": 1, "failing": 1, "starting": 0, "retiring": 0, "paused": 1, "collecting": 1231},
    "backlog": 12,
    "items": [
        chamber("lost", status="stale", last_reading="2026-03-01T11:00:00.000Z", backlog=12, lateness_s=75.0),
        chamber("down", status="failing", failures=4, reading=measured(None), section="cold"),
        chamber("held", status="paused", next_slot=None, last_reading=None, reading=None, lateness_s=None),
    ],
}
AUDIT = {
    "expected": 900,
    "stored": 880,
    "gaps": {"timeout": 4, "missed": 1},
    "pending": 3,
    "overdue": 12,
    "unaccounted": 0,
}


def shown(seen: Seen, width: int = 200) -> list[str]:
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(draw(seen, width))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_a_picture_by_value() -> None:
    assert shown(Seen(Picture(FLEET, AUDIT, ["temporal"]), 10.0)) == [
        "chamberlog top  2026-03-01 12:00:50Z",
        "1234 chambers: 1 stale, 1 failing, 1 paused, 1231 collecting   backlog 12",
        "last 5m: 900 expected, 880 stored, 5 gaps (missed 1, timeout 4), 3 pending, 12 overdue, 0 unaccounted",
        "servers: postgresql ready, temporal away",
        "",
        "chamber  section  status   last value             age    next  late  failures  backlog",
        "lost     default  stale    temperature 21.52 Cel   1h  in 10s    1m         -       12",
        "down     cold     failing  no value               50s  in 10s   4ms         4        -",
        "held     default  paused   -                        -       -     -         -        -",
        "1 chamber more not shown",
    ]


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (200, set()),
        (80, {"late"}),
        (60, {"late", "section", "last value"}),
        (30, {"late", "section", "last value", "next"}),
    ],
)
def test_a_narrow_terminal_leaves_out_what_matters_least(width: int, left_out: set[str]) -> None:
    lines = shown(Seen(Picture(FLEET, AUDIT, [])), width)
    heading = next(line for line in lines if line.startswith("chamber  ") or line == "chamber")
    names = {"section", "last value", "next", "late"}
    assert {name for name in names if name not in heading} == left_out


def test_an_old_picture_says_why_and_how_old_it_is() -> None:
    lines = shown(Seen(Picture(FLEET, None, []), 75.0, "http://127.0.0.1:1 does not answer"))
    assert lines[2:5] == [
        "no audit for this key",
        "servers: postgresql ready, temporal ready",
        "http://127.0.0.1:1 does not answer; this picture is 1m old",
    ]


def test_what_a_device_names_moves_no_cursor() -> None:
    evil = {"measurements": {"t\x1b[2J[red]": {"value": 1.0, "unit": "1", "quality": "suspect"}}}
    fleet = FLEET | {"items": [chamber("c1", reading=evil)]}
    lines = shown(Seen(Picture(fleet, AUDIT, [])))
    assert "t [2J[red] 1 (suspect)" in lines[6]


@pytest.mark.parametrize(("seconds", "text"), [(-3, "0s"), (59.9, "59s"), (60, "1m"), (7_300, "2h"), (90_000, "1d")])
def test_durations_are_short(seconds: float, text: str) -> None:
    assert short(seconds) == text


class Stage:
    """A terminal and an API that a test plays: each look and each wait takes from a list."""

    def __init__(self, looks: list[Any], keys: list[str], took_s: float = 0.0) -> None:
        self.looks, self.keys, self.took_s = looks, keys, took_s
        self.now_s = 100.0
        self.seen: list[tuple[float, Seen]] = []
        self.asked_s: list[float] = []

    def look(self) -> Picture:
        self.asked_s.append(self.now_s)
        self.now_s += self.took_s
        found = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(found, Exception):
            raise found
        return Picture(found, None, [])

    def wait(self, seconds: float) -> str:
        self.now_s += seconds
        return self.keys.pop(0)

    def run(self, interval_s: float = 2.0) -> None:
        show: Callable[[Seen], None] = lambda seen: self.seen.append((self.now_s, seen))  # noqa: E731
        follow(Screen(self.look, show, self.wait, lambda: self.now_s), interval_s)


AWAY = CommandError(ExitCode.AWAY, Complaint("api", "it does not answer", ""), passes=True)
REFUSED = CommandError(ExitCode.UNAUTHORIZED, Complaint("api_key", "revoked", ""))


def test_it_looks_each_interval_and_shows_each_second() -> None:
    stage = Stage([{"n": 1}, {"n": 2}], ["", "", "", "q"])
    stage.run()
    assert stage.asked_s == [100.0, 102.0]
    assert [(at, seen.picture.fleet["n"], seen.age_s) for at, seen in stage.seen] == [
        (100.0, 1, 0.0),
        (101.0, 1, 1.0),
        (102.0, 1, 2.0),
        (102.0, 2, 0.0),
        (103.0, 2, 1.0),
    ]


def test_without_an_answer_the_last_picture_stays_and_it_goes_on() -> None:
    stage = Stage([{"n": 1}, AWAY, AWAY, {"n": 2}], [*[""] * 6, "q"])
    stage.run()
    told = [(seen.picture.fleet["n"], seen.age_s, seen.error) for _, seen in stage.seen]
    assert (1, 2.0, "it does not answer") in told
    assert (1, 5.0, "it does not answer") in told
    assert told[-1] == (2, 0.0, "")


@pytest.mark.parametrize(("status", "passes"), [(429, True), (502, True), (503, True), (504, True), (500, False)])
def test_what_a_gateway_says_of_an_api_that_is_away_passes(status: int, passes: bool) -> None:
    """An API that hangs is a 504 of the gateway, and a time-out without one: both pass."""
    assert failure_of(httpx.Response(status)).passes is passes


def test_a_blank_looks_at_once() -> None:
    stage = Stage([{"n": 1}], [" ", "q"])
    stage.run(60.0)
    assert stage.asked_s == [100.0, 101.0]


def test_a_look_that_takes_long_is_taken_seldom() -> None:
    stage = Stage([{"n": 1}], [*[""] * 30, "q"], took_s=3.0)
    stage.run(2.0)
    assert [later - earlier for earlier, later in zip(stage.asked_s[1:], stage.asked_s[2:], strict=False)] == [18.0]


@pytest.mark.parametrize(("looks", "shows"), [([REFUSED], 0), ([AWAY], 0), ([{"n": 1}, REFUSED], 4)])
def test_what_will_not_pass_ends_it(looks: list[Any], shows: int) -> None:
    stage = Stage(looks, [""] * 9)
    with pytest.raises(CommandError):
        stage.run()
    assert len(stage.seen) <= shows


@pytest.mark.enable_socket
def test_one_picture_for_pipes_and_programs(world: World, run: Run) -> None:
    assert run(*ADD.split())[0] == 0
    keep(world)
    code, out, err = run("top", "--once")
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == [
        "chamberlog top  2026-03-01 12:03:04Z",
        "1 chamber: 1 collecting   backlog 0",
    ]
    code, out, _ = run("top", "--once", "--json", "--sort", "id", "--section", "default")
    document = json.loads(out)
    check("top", document)
    assert (document["audit"]["stored"], document["audit"]["gaps"]) == (2, {"timeout": 1})
    assert [row["id"] for row in document["fleet"]["items"]] == ["incubator-3"]
    code, out, _ = run("top", "--once", "--json", "--api-key", KEYS["bound"])
    assert (code, json.loads(out)["audit"]) == (0, None)
    check("top", json.loads(out))


@pytest.mark.enable_socket
def test_servers_that_are_away_are_named(world: World, run: Run) -> None:
    world.fleet.away = True
    code, out, _ = run("top", "--once", "--json")
    assert (code, json.loads(out)["away"]) == (0, ["temporal"])


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("flags", "field", "code"),
    [
        (["--json"], "json", 4),
        ([], "once", 4),
        (["--once", "--interval", "10ms"], "interval", 4),
        (["--once", "--sort", "color"], "sort", 4),
        (["--once", "--api", "http://127.0.0.1:9"], "api", 6),
    ],
)
def test_what_cannot_be_shown_is_said(world: World, run: Run, flags: list[str], field: str, code: int) -> None:
    answered, out, err = run("top", *flags)
    assert (answered, out) == (code, "")
    assert err.startswith(f"error: {field}: ")


@pytest.mark.enable_socket
@pytest.mark.parametrize("ending", [b"q", b"\x03"])
def test_on_a_terminal_it_ends_by_a_key_and_leaves_it_as_it_was(world: World, run: Run, ending: bytes) -> None:
    assert run(*ADD.split())[0] == 0
    keep(world)
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    command = [sys.executable, "-P", "-m", "cli", "top", "--interval", "500ms"]
    size = {"TERM": "xterm", "COLUMNS": "120", "LINES": "30", "PYTHONPATH": str(Path(__file__).parents[2])}
    with Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=os.environ | size
    ) as process:
        said = until(ours, b"backlog", 30)
        time.sleep(1.2)
        if ending == b"\x03":
            process.send_signal(2)
        else:
            os.write(ours, ending)
        said += until(ours, b"\x1b[?1049l", 10)
        assert process.wait(10) == (0 if ending == b"q" else 130)
    assert b"incubator-3" in said
    assert termios.tcgetattr(theirs)[3] == before[3]
    os.close(ours)
    os.close(theirs)


def until(descriptor: int, what: bytes, within_s: float) -> bytes:
    """What a terminal shows, until it has shown that."""
    os.set_blocking(descriptor, False)
    said, deadline = b"", time.monotonic() + within_s
    while what not in said:
        assert time.monotonic() < deadline, said[-2000:]
        try:
            said += os.read(descriptor, 65_536)
        except BlockingIOError:
            time.sleep(0.05)
    return said
