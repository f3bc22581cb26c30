"""How far a command is, on standard error: a bar on a terminal, a line now and then in a pipe."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

PATIENCE_S = 0.5
"""A sign that comes and goes within this is a flicker."""
FIRST_LINE_S, LINE_S = 2.0, 10.0
"""When a pipe gets its first line, and the others: enough to see that it goes on, few enough for a log."""
T = TypeVar("T")
Clock = Callable[[], float]

_terminal = Lock()
"""Held by whoever moves something on the terminal: there is one cursor, so a second sign is not shown."""


class Bar:
    """How far one piece of work is.

    Args:
        what: is being done, such as `importing`.
        total: how many steps; None = nobody knows.
        clock: seconds, monotonic.
    """

    def __init__(self, what: str, total: int | None = None, clock: Clock = time.monotonic) -> None:
        self.what, self.total, self.done, self._note = what, total, 0, ""
        self._clock, self._began_s = clock, clock()

    def advance(self, steps: int = 1) -> None:
        """So many more steps are done."""
        self.reach(self.done + steps)

    def reach(self, done: int, total: int | None = None) -> None:
        """So many steps are done by now, of `total` if that is known now."""
        self.done, self.total = done, self.total if total is None else total
        self._changed()

    def note(self, text: str) -> None:
        """Something that says more than the steps a second, such as `4200 rows`."""
        self._note = text
        self._changed()

    @property
    def more(self) -> str:
        """What stands beside the steps."""
        return self._note or f"{self.done / max(self._clock() - self._began_s, 1e-3):.3g} a second"

    def text(self) -> str:
        """The state in words."""
        of = "" if self.total is None else f" of {self.total}"
        return f"{self.what}: {self.done}{of}, {self.more}"

    def _changed(self) -> None:
        """Nobody looks."""


class LineBar(Bar):
    """Says its state now and then, once it takes longer than a moment."""

    def __init__(
        self, what: str, total: int | None, write: Callable[[str], object], clock: Clock = time.monotonic
    ) -> None:
        super().__init__(what, total, clock)
        self._write, self._next_s = write, clock() + FIRST_LINE_S

    def _changed(self) -> None:
        if self._clock() >= self._next_s:
            self._next_s = self._clock() + LINE_S
            self._write(self.text() + "\n")


class DrawnBar(Bar):
    """A bar on the terminal; it is drawn by a thread of its own, a few times a second."""

    def __init__(self, what: str, total: int | None, console: Console) -> None:
        super().__init__(what, total)
        columns = (
            *(TextColumn("{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn()),
            *(TextColumn("{task.fields[more]}"), TimeElapsedColumn(), TimeRemainingColumn(compact=True)),
        )
        # standard output is data: nothing of it may go through the bar's console
        self.drawn = Progress(*columns, console=console, transient=True, expand=True, redirect_stdout=False)
        self._task = self.drawn.add_task(what, total=total, more="")

    def _changed(self) -> None:
        self.drawn.update(self._task, completed=self.done, total=self.total, more=self.more)


@contextmanager
def progress(what: str, total: int | None = None, *, hidden: bool = False) -> Iterator[Bar]:
    """Show how far a piece of work is while the body runs, unless it is done within a moment.

    Args:
        what: is being done.
        total: how many steps; None = nobody knows.
        hidden: show nothing: the terminal is taken by the data.
    """
    console = Console(stderr=True)
    if hidden:
        yield Bar(what, total)
    elif not console.is_terminal:
        yield LineBar(what, total, sys.stderr.write)
    elif not _terminal.acquire(blocking=False):
        yield Bar(what, total)
    else:
        try:
            bar = DrawnBar(what, total, console)
            with _after_a_moment(bar.drawn.start, bar.drawn.stop):
                yield bar
        finally:
            _terminal.release()


def counted(what: str, items: Iterable[T], total: int | None = None) -> Iterator[T]:
    """The items, while a bar counts them."""
    with progress(what, total) as bar:
        for item in items:
            yield item
            bar.advance()


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A moving sign on standard error once something takes its time; nothing where that is not a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal or not _terminal.acquire(blocking=False):
        yield
        return
    try:
        status = console.status(what)
        with _after_a_moment(status.start, status.stop):
            yield
    finally:
        _terminal.release()


@contextmanager
def terminal_taken() -> Iterator[None]:
    """The whole terminal is shown something while the body runs: no sign is put into it."""
    held = _terminal.acquire(blocking=False)
    try:
        yield
    finally:
        if held:
            _terminal.release()


@contextmanager
def _after_a_moment(start: Callable[[], None], stop: Callable[[], None]) -> Iterator[None]:
    starter = Timer(PATIENCE_S, start)
    starter.daemon = True
    starter.start()
    try:
        yield
    finally:
        starter.cancel()
        starter.join()
        stop()
