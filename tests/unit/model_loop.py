"""The loop of the model: its time jumps, and what travels through Temporal goes through the SDK's own converter."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any, TypeVar, cast

import temporalio.workflow as sdk
from temporalio.api.common.v1 import Payload
from temporalio.converter import default

from tests.unit.jumping_time import StuckError

T = TypeVar("T")
PAYLOADS = default().payload_converter


def encoded(value: object) -> bytes:
    """The value as it travels."""
    return bytes(PAYLOADS.to_payloads([value])[0].data)


def arrived(data: bytes, kind: type) -> Any:
    """What travelled, decoded anew."""
    return PAYLOADS.from_payloads([Payload(metadata={"encoding": b"json/plain"}, data=data)], [kind])[0]


def travelled(value: T, kind: type[T]) -> T:
    """The value as it arrives."""
    return cast("T", arrived(encoded(value), kind))


class _IdleSelector(selectors.SelectSelector):
    """Time jumps only when nothing is ready and `idle` has woken nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed_s = 0.0
        self.idle: Callable[[], bool] = bool

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0 or self.idle():
            return ready
        if timeout is None:
            raise StuckError("no timer is set and nothing is ready")
        self.elapsed_s += max(0.0, timeout)
        return ready


class EngineLoop(asyncio.SelectorEventLoop):
    """As `JumpingLoop`; before time jumps, conditions of workflows are looked at, as the SDK does after each task.

    Args:
        runtime: what the SDK's functions ask.
        factory: makes the tasks.
    """

    def __init__(self, runtime: object, factory: object) -> None:
        self._jumping = _IdleSelector()
        super().__init__(self._jumping)
        sdk._Runtime.set_on_loop(self, cast("Any", runtime))
        self.set_task_factory(cast("Any", factory))

    def time(self) -> float:
        return self._jumping.elapsed_s

    def stand_still(self, ms: int) -> None:
        """Time passes and nothing runs."""
        self._jumping.elapsed_s += ms / 1000

    def when_idle(self, look: Callable[[], bool]) -> None:
        """Before time jumps: True = somebody was woken."""
        self._jumping.idle = look

    def discard(self) -> None:
        """End every task, and the loop."""
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        if tasks:
            self.run_until_complete(asyncio.wait(tasks))
        for task in tasks:
            if not task.cancelled():
                task.exception()
        self.close()
