"""Activities on a stage: the round's stage in an activity's surroundings, and a server that is a few lines long."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from temporalio.activity import ActivityCancellationDetails
from temporalio.client import AsyncActivityCancelledError, Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from activities.clock_skew import ClockSkew
from activities.collection import CollectionActivities, CollectionUses
from collector.domain.chamber import ChamberSpec
from collector.domain.errors import DeviceUnreachableError
from collector.domain.health import Health
from collector.messages import (
    AdhocOutcome,
    AdhocRequest,
    RoundOutcome,
    RoundProgress,
    RoundRequest,
    StoreOutcome,
    StoreRequest,
)
from collector.ports import NO_TRACING, Tracing
from collector.usecases.collect_adhoc import CollectAdhoc
from collector.usecases.store import StoreOutcomes
from tests.unit.jumping_time import NOON_MS, JumpingClock
from tests.unit.round_doubles import Answer
from tests.unit.round_stage import RoundStage, chamber

T = TypeVar("T")
WELL = Health(last_reading_ms=NOON_MS - 1)
REFUSED = Answer(5, DeviceUnreachableError("connect: refused"))
AWAY = RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")
NOT_FOUND = RPCError("activity not found", RPCStatusCode.NOT_FOUND, b"")
CANCEL_REQUESTED = ActivityCancellationDetails(cancel_requested=True)
PAUSED = ActivityCancellationDetails(paused=True)
TIMED_OUT = ActivityCancellationDetails(timed_out=True, not_found=True)
WORKER_SHUTDOWN = ActivityCancellationDetails(worker_shutdown=True)


def cancelled(details: ActivityCancellationDetails) -> AsyncActivityCancelledError:
    """What an un-throttled heartbeat raises when the server asks for something."""
    return AsyncActivityCancelledError(details)


class Server:
    """The part of Temporal that un-throttled heartbeats reach.

    Attributes:
        heard: instants in ms after noon, with what was told.
        errors: raised by the next calls, then by all if `always` is set.
        takes_s: how long a call takes.
    """

    def __init__(self, clock: JumpingClock) -> None:
        self._clock = clock
        self.heard: list[tuple[int, RoundProgress | None]] = []
        self.errors: deque[Exception] = deque()
        self.always: Exception | None = None
        self.takes_s = 0.005
        self.tokens: set[bytes] = set()

    def get_async_activity_handle(self, *, task_token: bytes) -> "Server":
        self.tokens.add(task_token)
        return self

    async def heartbeat(self, progress: RoundProgress | None) -> None:
        await asyncio.sleep(self.takes_s)
        self.heard.append((self._clock.now_ms() - NOON_MS, progress))
        if self.errors:
            raise self.errors.popleft()
        if self.always is not None:
            raise self.always


class Attempt:
    """One attempt of an activity.

    Attributes:
        beats: regular heartbeats: instants in ms after noon, with what was told.
    """

    def __init__(self, stage: "ActivityStage", attempt: int, heartbeat_s: float, details: list[Any]) -> None:
        self.beats: list[tuple[int, Any]] = []
        self.env = ActivityEnvironment(client=cast("Client", stage.server))
        self.env.info = replace(
            self.env.info,
            attempt=attempt,
            heartbeat_timeout=timedelta(seconds=heartbeat_s) if heartbeat_s else None,
            heartbeat_details=details,
            started_time=datetime.fromtimestamp((NOON_MS + stage.clock.monotonic_ms()) / 1000, UTC),
            task_token=b"attempt %d" % attempt,
        )
        self.env.on_heartbeat = lambda *told: self.beats.append(
            (stage.clock.now_ms() - NOON_MS, told[0] if told else "alive")
        )
        self._stage = stage

    async def collect(self, request: RoundRequest) -> RoundOutcome:
        turning = asyncio.create_task(self._stage.turn())
        try:
            return await self.env.run(self._stage.activities.collect, request)
        finally:
            turning.cancel()

    async def store(self, request: StoreRequest) -> StoreOutcome:
        return await self.env.run(self._stage.activities.store, request)

    async def collect_adhoc(self, request: AdhocRequest) -> AdhocOutcome:
        return await self.env.run(self._stage.activities.collect_adhoc, request)

    def cancel_at(self, ms: int, details: ActivityCancellationDetails) -> None:
        """As the SDK does when the server, or the worker itself, says so."""
        self._stage.clock.later(ms, lambda: self.env.cancel(details))

    def cancel_again_at(self, ms: int) -> None:
        """The environment itself cancels only once; a worker may do it again."""

        def cancel() -> None:
            for running in self.env._activities:
                running.cancel()

        self._stage.clock.later(ms, cancel)

    def shut_down_at(self, ms: int) -> None:
        self._stage.clock.later(ms, self.env.worker_shutdown)


class ActivityStage(RoundStage):
    """The activities of one worker process."""

    def __init__(self, spec: ChamberSpec | None = None, tracing: Tracing = NO_TRACING) -> None:
        super().__init__(spec, tracing=tracing)
        self.server = Server(self.clock)
        self.activities = self.process()

    def process(self) -> CollectionActivities:
        """The activities of another process, over the same devices and store."""
        adhoc = CollectAdhoc(self.fetch, self.store, self.clock, tracing=self.tracing)
        skew = ClockSkew(self.clock, self.metrics)
        store = StoreOutcomes(self.store, self.live, self.metrics, self.signals)
        uses = CollectionUses(self.collect, adhoc, store, self.signals)
        return CollectionActivities(uses, self.clock, skew, tracing=self.tracing)

    async def turn(self) -> None:
        """As the process does it."""
        while True:
            await asyncio.sleep(1)
            self.activities.turn()

    def begin(self, number: int = 1, heartbeat_s: float = 60, details: list[Any] | None = None) -> Attempt:
        """An attempt; 0 = no heartbeat, as for rounds of one slot."""
        return Attempt(self, number, heartbeat_s, details or [])


async def opened(interval_s: float = 10) -> ActivityStage:
    """A stage whose chamber is enrolled at that interval."""
    stage = ActivityStage(chamber(interval_s))
    await stage.enrol()
    return stage


def started(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run it beside the test."""
    return asyncio.create_task(work)
