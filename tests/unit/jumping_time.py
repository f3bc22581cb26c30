"""Time that jumps instead of passing: what a test awaits takes no time at all, and is exact to the millisecond."""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")
NOON_MS = 1_772_366_400_000
"""2026-03-01T12:00:00Z, a slot of every aligned grid used here."""


class StuckError(Exception):
    """The test waits for something that can never happen."""


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.elapsed_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise StuckError("no timer is set and nothing is ready")
            self.elapsed_s += max(0.0, timeout)
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer: what it runs takes no time at all."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.elapsed_s

    def stand_still(self, ms: int) -> None:
        """Time passes and nothing of this process runs, as after SIGSTOP."""
        self._jumping.elapsed_s += ms / 1000


def in_jumping_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test in a loop of its own whose time jumps; no task may be left over."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(_leaving_nothing(test(*args, **kwargs)))

    return run


async def _leaving_nothing(test: Coroutine[Any, Any, None]) -> None:
    await test
    await asyncio.sleep(0)  # a task that was cancelled last needs a turn to end
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks were left over: {left}"


class JumpingClock:
    """`Clock` of a `JumpingLoop`, which begins at noon; `set_back_ms` moves the wall clock only."""

    def __init__(self) -> None:
        self.set_back_ms = 0
        self._suspended_ms = 0

    def now_ms(self) -> int:
        return NOON_MS + self.monotonic_ms() - self.set_back_ms

    def monotonic_ms(self) -> int:
        return round(asyncio.get_running_loop().time() * 1000) + self._suspended_ms

    def later(self, ms: int, act: Callable[[], None]) -> None:
        """Do something later, counted from now."""
        asyncio.get_running_loop().call_later(ms / 1000, act)

    def stand_still(self, ms: int) -> None:
        """See `JumpingLoop.stand_still`."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        loop.stand_still(ms)

    def suspend(self, ms: int) -> None:
        """Time passes and the machine is suspended: unlike in `stand_still` the loop's timers do not see it."""
        self._suspended_ms += ms

    async def until(self, instant_ms: int) -> None:
        """Let time pass up to the instant."""
        await asyncio.sleep((instant_ms - self.now_ms()) / 1000)
