"""Keeps parts running: a part that dies is started again after a growing wait, one that dies too often stays down."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from stack.errors import StackError, StartFailedError
from stack.process import describe_exit

POLL_S = 0.1


class State(StrEnum):
    """How a part is doing. `down` before its first start, after a stop, and when it died too often (`failed`)."""

    STARTING = "starting"
    UP = "up"
    RESTARTING = "restarting"
    DOWN = "down"


class Running(Protocol):
    """A started program."""

    @property
    def pid(self) -> int:
        """Of the program itself."""
        ...

    def alive(self) -> bool:
        """Whether it runs."""
        ...

    def stop(self) -> int:
        """End it, gently first; blocks until it has ended. Again: the same answer."""
        ...

    def log_tail(self) -> str:
        """The end of its log."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """What is kept running.

    Attributes:
        name: unique.
        start: starts it anew, with the data it had; blocks at most a minute; raises `StackError` when it cannot.
        ready: whether it serves; asked again and again, must not raise.
    """

    name: str
    start: Callable[[], Running]
    ready: Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class RestartRule:
    """When a dead part is started again.

    Attributes:
        deaths: so many within the window, and it stays down.
        window_s: see `deaths`.
        first_wait_s: before the first restart; doubles with each death in the window.
        longest_wait_s: the wait grows no further.
    """

    deaths: int = 5
    window_s: float = 60.0
    first_wait_s: float = 0.25
    longest_wait_s: float = 5.0

    def wait_s(self, deaths: int) -> float:
        """The wait after so many deaths in the window, at least 1."""
        return min(self.longest_wait_s, self.first_wait_s * 2.0 ** (deaths - 1))


class Keeper:
    """Keeps one part running.

    Attributes:
        part: what.
        state: see `State`.
        failed: it died too often and stays down.
        problem: why it died last, empty when it never did.
        last_words: the end of its log when it died last.
        restarts: how often it was started again.
        pid: of the program while one runs.
    """

    def __init__(self, part: Part, rule: RestartRule, on_change: Callable[["Keeper"], None]) -> None:
        self.part, self.state, self.failed = part, State.DOWN, False
        self.problem = self.last_words = ""
        self.restarts = 0
        self.pid: int | None = None
        self._rule, self._on_change = rule, on_change
        self._deaths: deque[float] = deque()
        self._running: Running | None = None
        self._launch: asyncio.Task[Running] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep it running, also after a stop; `state` says how far it is. Again: nothing happens.

        One that died too often gets a new chance, without its earlier deaths.
        """
        if self._task is not None and not self._task.done():
            return
        self.failed = False
        self._deaths.clear()
        self._set(State.STARTING)
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.part.name}")

    async def stop(self) -> None:
        """End it and keep it down. Again: nothing happens."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        if self._launch is not None:  # a start in its thread cannot be interrupted: let it end, then end what it made
            with contextlib.suppress(StackError, OSError):
                self._running = await self._launch
        await self._end()
        self._set(State.DOWN)

    async def _keep(self) -> None:
        while True:
            self.problem = await self._run_once()
            self._note_death()
            if self.failed:
                return
            self._set(State.RESTARTING)
            await asyncio.sleep(self._rule.wait_s(len(self._deaths)))
            self.restarts += 1

    async def _run_once(self) -> str:
        """Start it, wait until it has died; answers why."""
        try:
            self._launch = asyncio.create_task(asyncio.to_thread(self.part.start))
            running = await asyncio.shield(self._launch)
        except (StackError, OSError) as error:
            self._launch = None
            return str(error)
        self._running, self._launch, self.pid = running, None, running.pid
        self._on_change(self)
        while running.alive():
            if self.state is not State.UP and await self.part.ready():
                self._set(State.UP)
            await asyncio.sleep(POLL_S)
        code = await self._end()
        self.last_words = await asyncio.to_thread(running.log_tail)
        return describe_exit(code)

    async def _end(self) -> int | None:
        running, self._running, self.pid = self._running, None, None
        return None if running is None else await asyncio.to_thread(running.stop)

    def _note_death(self) -> None:
        now = time.monotonic()
        self._deaths.append(now)
        while now - self._deaths[0] > self._rule.window_s:
            self._deaths.popleft()
        if len(self._deaths) >= self._rule.deaths:
            self.failed = True
            self.problem = f"died {len(self._deaths)} times in {self._rule.window_s:g} s and stays down: {self.problem}"
            self._set(State.DOWN)

    def _set(self, state: State) -> None:
        self.state = state
        self._on_change(self)


class Supervisor:
    """Keeps several parts running.

    Args:
        on_change: called with the part whose state, process id or problem changed.
        rule: the same for all parts.
    """

    def __init__(self, on_change: Callable[[Keeper], None], rule: RestartRule | None = None) -> None:
        self._on_change, self._rule = on_change, rule or RestartRule()
        self._keepers: dict[str, Keeper] = {}

    @property
    def keepers(self) -> Sequence[Keeper]:
        """All parts in the order of their start."""
        return list(self._keepers.values())

    @property
    def failed(self) -> bool:
        """Whether a part died too often and stays down."""
        return any(keeper.failed for keeper in self._keepers.values())

    def keeper(self, name: str) -> Keeper:
        """That of one part: to stop it alone, and to start it later.

        Raises:
            KeyError: no part of this name was started.
        """
        return self._keepers[name]

    async def start(self, parts: Iterable[Part], within_s: float) -> None:
        """Start parts side by side and wait until all are up.

        Raises:
            StartFailedError: one stays down, or is not up in time; says which and why.
        """
        names = []
        for part in parts:
            keeper = self._keepers[part.name] = Keeper(part, self._rule, self._on_change)
            keeper.start()
            names.append(part.name)
        await self.until_up(names, within_s)

    async def until_up(self, names: Sequence[str], within_s: float) -> None:
        """Wait until all of these parts are up.

        Raises:
            StartFailedError: as in `start`.
        """
        deadline = time.monotonic() + within_s
        while waiting := [k for name in names if (k := self._keepers[name]).state is not State.UP]:
            for keeper in waiting:
                if keeper.failed or time.monotonic() > deadline:
                    why = keeper.problem or f"is not ready after {within_s:g} s"
                    words = f"; the end of its log:\n{keeper.last_words}" if keeper.last_words else ""
                    raise StartFailedError(f"{keeper.part.name}: {why}{words}")
            await asyncio.sleep(POLL_S / 2)

    async def stop(self, *groups: str) -> None:
        """Stop the parts group by group, those of a group side by side; every part if no group is given.

        Args:
            groups: beginnings of names: `worker` means `worker` and `worker-2`.
        """
        for group in groups or ("",):
            keepers = [k for name, k in self._keepers.items() if not group or name.split("-")[0] == group]
            await asyncio.gather(*(keeper.stop() for keeper in reversed(keepers)))
