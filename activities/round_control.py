"""How a running round talks to Temporal: heartbeats, cancels, and the fence against a process that stood still."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import fields
from typing import Any

from temporalio import activity
from temporalio.client import AsyncActivityCancelledError
from temporalio.service import RPCError, RPCStatusCode

from collector.domain.errors import FrozenError
from collector.domain.health import Health
from collector.domain.memory import Memory
from collector.messages import RoundProgress
from collector.ports import Clock

log = logging.getLogger(__name__)
DURABLE_LIMIT_S = 2.0
"""With the server away a heartbeat call takes long in spite of its own time-out: slots must not wait for it."""
ASK_EVERY_S = 1.0
BEAT_SHARE = 0.8
"""Of the heartbeat time-out: as the SDK does."""
FROZEN_MS = 10_000
"""A process that gave no sign of life for so long may have been taken for dead, and its rounds be somebody else's."""
HEALTH_FIELDS = frozenset(field.name for field in fields(Health))
MEMORY_FIELDS = frozenset(field.name for field in fields(Memory))


class ActivityRound:
    """Implements `collector.ports.RoundControl` for one activity attempt.

    Clock: the wall clock of the attempt's start plus the monotonic time since, so that waits never jump.
    """

    def __init__(
        self, clock: Clock, progress: RoundProgress | None, beat_s: float, hand_back_after_s: Callable[[], float]
    ) -> None:
        info = activity.info()
        limit_s = info.heartbeat_timeout.total_seconds() if info.heartbeat_timeout else 0.0
        # rounds without heartbeats are taken over too
        self._limit_ms = min(int(limit_s * 1000) or FROZEN_MS, FROZEN_MS)
        self._beat_s = min(beat_s, limit_s * BEAT_SHARE)
        self._clock, self._attempt = clock, info.attempt
        self._server = activity.client().get_async_activity_handle(task_token=info.task_token)
        self._wall_ms, self._started_ms = clock.now_ms(), clock.monotonic_ms()
        self._seen_ms = self._started_ms
        self._frozen = self._alone = False
        self._tasks: list[asyncio.Task[None]] = []
        self._asked: asyncio.Task[bool] | None = None
        self._hand_back_after_s = hand_back_after_s
        self._ending = False
        self._waiting: asyncio.Future[None] | None = None
        self._until_ms = 0
        self.done = asyncio.Event()
        self.progress = progress

    # ---- the port

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""
        return self._attempt

    def now_ms(self) -> int:
        """See the class."""
        return self._wall_ms + self._clock.monotonic_ms() - self._started_ms

    def beat(self, progress: RoundProgress) -> None:
        """Keep the progress for the next regular heartbeat."""
        self.progress = progress

    async def make_durable(self, progress: RoundProgress) -> None:
        """Heartbeat past the SDK's throttle and wait for the server's answer, but not longer than `DURABLE_LIMIT_S`.

        Once it did not answer it is asked beside the slots, until it does: with the store away too, waiting for it at
        each slot would cost the next one.
        """
        self.progress = progress
        if self._asked is not None and not self._asked.done():
            return
        answered = self._asked is None or self._asked.result()
        self._asked = asyncio.create_task(self.ask())
        if answered and not await asyncio.shield(self._asked):
            log.warning("progress of a round is not in Temporal yet: it does not answer")

    async def wait(self, until_ms: int) -> bool:
        """Wait for the instant on the monotonic clock; False when the round is to end."""
        self.fence()
        delay_s = (until_ms - self.now_ms()) / 1000
        if delay_s > 0 and not self._ending:
            self._until_ms = until_ms
            await self._sleep(delay_s)
        self.fence()
        return not self._ending

    def ended(self) -> bool:
        """Whether the round is to end after the slot in hand."""
        return self._ending

    def fence(self) -> None:
        """Raise `FrozenError` once more than `FROZEN_MS`, or the heartbeat time-out, passed between two turns."""
        now = self._clock.monotonic_ms()
        if now - self._seen_ms > self._limit_ms:
            self._frozen = True
        self._seen_ms = now
        if self._frozen:
            raise FrozenError(f"this process stood still for more than {self._limit_ms} ms")

    # ---- the other side

    @property
    def frozen(self) -> bool:
        """Whether the fence is closed."""
        return self._frozen

    def end(self) -> None:
        """Ask the round to end after the slot in hand."""
        self._ending = True
        self._wake()

    @contextlib.asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Heartbeat regularly while the body runs, and end the round when the worker shuts down."""
        self._tasks.append(asyncio.create_task(self._end_with_worker()))
        if self._beat_s:
            self._tasks.append(asyncio.create_task(self._tick()))
        try:
            yield
        finally:
            tasks = [*self._tasks, *([self._asked] if self._asked is not None else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def alone(self) -> bool:
        """Whether the SDK gave this attempt up because it does not reach Temporal."""
        return self._alone

    def go_alone(self) -> None:
        """Go on without Temporal, asking it beside the slots; only inside `beating`."""
        self._alone = True
        self._tasks.append(asyncio.create_task(self._ask_server()))

    async def _sleep(self, delay_s: float) -> None:
        """Until then, or until the round is to end; a future and a timer, because every slot of every chamber waits."""
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        timer = loop.call_later(delay_s, self._wake)
        try:
            await self._waiting
        finally:
            timer.cancel()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def ask(self) -> bool:
        """Tell the progress and hear whether the round goes on; False when the server did not answer in time."""
        try:
            await asyncio.wait_for(self._heartbeat_now(), DURABLE_LIMIT_S)
        except AsyncActivityCancelledError as error:
            if self._alone or not _only_paused(error):
                self.end()
        except (RPCError, TimeoutError) as error:
            log.debug("Temporal does not answer: %s", type(error).__name__)
            return False
        return True

    async def _ask_server(self) -> None:
        """Ask until the server answers that another attempt owns the round, or passes a cancel on."""
        while not self._ending:
            await self.ask()
            await asyncio.sleep(ASK_EVERY_S)

    async def _heartbeat_now(self) -> None:
        try:
            await self._server.heartbeat(self.progress)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            self.end()  # another attempt owns the round

    def turn(self) -> None:
        """See `CollectionActivities.turn`.

        A wait that is over by the clock ends here, and one that the fence forbids: the event loop's timers do not
        count the time that the machine was suspended.
        """
        with contextlib.suppress(FrozenError):  # the round itself raises it, woken for that
            self.fence()
        if self._frozen or self.now_ms() >= self._until_ms:
            self._wake()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._beat_s)
            activity.heartbeat(self.progress)

    async def _end_with_worker(self) -> None:
        await activity.wait_for_worker_shutdown()
        await asyncio.sleep(self._hand_back_after_s())
        self.end()


def _only_paused(error: AsyncActivityCancelledError) -> bool:
    """A pause at the server comes by the SDK's own beat as well: it must be raised, an answer would end the pause."""
    why = error.details
    return why is not None and why.paused and not why.cancel_requested


def earlier_progress() -> RoundProgress | None:
    """What the attempt before told last; the server keeps it without types."""
    details = activity.info().heartbeat_details
    if not details or not isinstance(details[0], dict):
        return None
    return decode_progress(details[0])


def decode_progress(row: dict[str, Any]) -> RoundProgress:
    """A `RoundProgress` from its JSON, of this version, an older or a newer one (both run during a deploy)."""
    health, memory = row.get("health") or {}, row.get("memory")
    return RoundProgress(
        next_index=row.get("next_index", 0),
        unsaved=row.get("unsaved", []),
        health=Health(**{name: value for name, value in health.items() if name in HEALTH_FIELDS}),
        failure=row.get("failure"),
        raised=row.get("raised", False),
        memory=Memory(**{name: value for name, value in memory.items() if name in MEMORY_FIELDS}) if memory else None,
    )
