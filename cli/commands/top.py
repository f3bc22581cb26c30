"""The fleet as it is now, refreshed: `top` for chambers."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from cli.client import ApiClient
from cli.progress import terminal_taken
from cli.session import Desk, local_command
from cli.target import find_target
from cli.times import parse_duration_ms
from cli.top.drawing import HEADER_LINES, Seen, draw
from cli.top.following import Screen, follow
from cli.top.keyboard import Keyboard
from cli.top.picture import Picture, Watcher, Wish
from cli.words import SectionFlag
from collector.domain.errors import InvalidFieldError

SORTS = ("trouble", "id", "section", "age", "next", "lateness", "failures", "backlog")
ANSWER_S = 10.0
"""A picture that takes longer is shown as late: people look at it now."""
SHORTEST_MS = 500
ONCE_LIMIT = 100
PIPE_WIDTH = 200
KEYS = "  q ends, blank looks at once"


@local_command
def top(
    desk: Desk,
    *,
    interval: Annotated[str, typer.Option("--interval", help="Between two looks, such as 2s.")] = "2s",
    section: SectionFlag = None,
    status: Annotated[str | None, typer.Option("--status", help="Only chambers that are failing, stale ...")] = None,
    sort: Annotated[
        str, typer.Option("--sort", help=f"What comes first: {', '.join(SORTS)}.", autocompletion=lambda: list(SORTS))
    ] = "trouble",
    limit: Annotated[int | None, typer.Option("--limit", min=1, max=1000, help="Rows; else what fits.")] = None,
    once: Annotated[bool, typer.Option("--once", help="One picture, and end.")] = False,
) -> None:
    """Watch the fleet, chambers in trouble first; with --once one picture, for pipes and --json."""
    interval_ms = parse_duration_ms("interval", interval)
    if interval_ms < SHORTEST_MS:
        raise InvalidFieldError("interval", f"{interval!r} is too short", f"write {SHORTEST_MS}ms or more")
    with ApiClient(find_target(desk.flags), ANSWER_S) as api:
        watcher = Watcher(api, Wish(section, status, sort))
        if once:
            picture = watcher.look(limit or ONCE_LIMIT)
            desk.show(picture.document, lambda _: _print(Seen(picture)))
        else:
            _check_terminal(desk)
            _watch(watcher, limit, interval_ms / 1000)


def _check_terminal(desk: Desk) -> None:
    if desk.as_json:
        raise InvalidFieldError("json", "pictures that follow each other are no document", "add --once")
    if not sys.stdout.isatty():
        raise InvalidFieldError("once", "standard output is no terminal", "add --once for one picture")


def _print(seen: Seen) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    console.print(draw(seen, console.width))


def _watch(watcher: Watcher, limit: int | None, interval_s: float) -> None:
    console = Console(highlight=False)
    live = Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)

    def look() -> Picture:
        return watcher.look(limit or max(1, console.height - HEADER_LINES))

    def show(seen: Seen) -> None:
        live.update(draw(Seen(seen.picture, seen.age_s, seen.error, KEYS), console.width), refresh=True)

    first = [look()]  # whoever has a wrong address or key is told so before the screen is cleared
    with terminal_taken(), Keyboard() as keyboard, live:
        follow(Screen(lambda: first.pop() if first else look(), show, keyboard.wait), interval_s)
