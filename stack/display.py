"""What a person sees while the stack runs: a live table on a terminal, plain lines elsewhere. Standard error only."""

import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from stack.layout import Layout
from stack.supervisor import Keeper, State

STATE_STYLES = {State.UP: "green", State.STARTING: "cyan", State.RESTARTING: "yellow", State.DOWN: "dim"}
STATUS_STYLES = {"collecting": "green", "failing": "red", "stale": "red", "paused": "yellow"}
PLAIN_FLEET_S = 10.0
"""A line about the fleet so often where there is no terminal."""
ROWS = 30
"""Chambers in the live table: what fits on a screen."""


class Display:
    """Shows parts and fleet; a context manager.

    Args:
        console: where; standard error unless a test brings its own.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._parts: dict[str, Keeper] = {}
        self._said: dict[str, str] = {}
        self._fleet: Sequence[dict[str, Any]] = ()
        self._status = ""
        self._fleet_said_s = 0.0
        self._live = None
        if self._console.is_terminal:  # no refresh thread: what it writes to a terminal that was closed is never caught
            self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)

    def __enter__(self) -> "Display":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._draw()
        if self._live is not None:
            self._show(self._live.stop)

    def note(self, text: str, style: str = "") -> None:
        """A line that stays."""
        self._show(lambda: self._console.print(Text(text, style), soft_wrap=True))

    def status(self, text: str) -> None:
        """What is going on now; the next one replaces it."""
        if text != self._status and self._live is None and text:
            self.note(text)
        self._status = text
        self._draw()

    def part(self, keeper: Keeper) -> None:
        """A part whose state or process changed."""
        self._parts[keeper.part.name] = keeper
        why = f": {keeper.problem}" if keeper.failed or keeper.state is State.RESTARTING else ""
        line = keeper.state.value + why
        if line != self._said.get(keeper.part.name) and (self._live is None or keeper.failed):
            self.note(f"{keeper.part.name:<10} {line}", "red" if keeper.failed else "")
        self._said[keeper.part.name] = line
        self._draw()

    def fleet(self, chambers: Sequence[dict[str, Any]]) -> None:
        """The chambers as the API lists them."""
        self._fleet = chambers
        if self._live is None and time.monotonic() - self._fleet_said_s > PLAIN_FLEET_S:
            self._fleet_said_s = time.monotonic()
            self.note(_summary(chambers))
        self._draw()

    def addresses(self, layout: Layout) -> None:
        """Where everything is, once it is up."""
        here = layout.home.path == Path(".chamberlog").absolute()
        env = "chamberlog env" if here else f"chamberlog env --home {shlex.quote(str(layout.home.path))}"
        key = "  (any name, the API key as password)" if layout.has_edge else ""
        rows = {
            "Web UI": layout.web_ui + key,
            **({"gateway": f"{layout.gateway}/docs"} if layout.has_edge else {}),
            "API": f"{layout.api}/docs",
            "Temporal": layout.temporal,
            "PostgreSQL": f"127.0.0.1:{layout.ports['postgres']}",
            "Valkey": f"127.0.0.1:{layout.ports['valkey']}",
            **({"traces": f"{layout.traces}, or: chamberlog traces"} if layout.traces else {}),
            "your shell": f'eval "$({env})"',
            "logs": ".chamberlog/logs" if here else str(layout.home.path / "logs"),
        }
        for name, value in rows.items():
            self.note(f"{name:<10} {value}")
        self.note("Ctrl-C stops everything; the data stays.")

    def _draw(self) -> None:
        if (live := self._live) is not None:
            fleet = [_fleet_table(self._fleet)] if self._fleet else []
            group = Group(self._parts_table(), *fleet, Text(self._status, "cyan"))
            self._show(lambda: live.update(group, refresh=True))

    def _show(self, write: Callable[[], None]) -> None:
        """Nobody may look any more (closed terminal, closed pipe): that must not end a stack that stops cleanly."""
        try:
            write()
        except OSError:
            self._live, self._console = None, Console(quiet=True)

    def _parts_table(self) -> Table:
        table = Table("part", "state", "pid", "restarts", box=None)
        for name, keeper in self._parts.items():
            style = "red" if keeper.failed else STATE_STYLES[keeper.state]
            table.add_row(name, Text(keeper.state.value, style), str(keeper.pid or "-"), str(keeper.restarts or ""))
        return table


def _fleet_table(chambers: Sequence[dict[str, Any]]) -> Table:
    more = f"and {len(chambers) - ROWS} more" if len(chambers) > ROWS else None
    table = Table("chamber", "every", "status", "last reading", "next slot", box=None, caption=more)
    for chamber in chambers[:ROWS]:
        status = str(chamber.get("status"))
        last, following = _clock(chamber.get("last_reading")), _clock(chamber.get("next_slot"))
        styled = Text(status, STATUS_STYLES.get(status, ""))
        table.add_row(str(chamber["id"]), f"{chamber.get('interval_s'):g} s", styled, last, following)
    return table


def _summary(chambers: Sequence[dict[str, Any]]) -> str:
    counts: dict[str, int] = {}
    for chamber in chambers:
        counts[str(chamber.get("status"))] = counts.get(str(chamber.get("status")), 0) + 1
    return f"{len(chambers)} chambers: " + ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))


def _clock(value: Any) -> str:
    """The time of day of an instant of the API, UTC."""
    instant = value.get("slot") or value.get("scheduled_at") if isinstance(value, dict) else value
    return instant[11:19] if isinstance(instant, str) else "-"
