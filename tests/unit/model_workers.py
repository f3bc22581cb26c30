"""Workers of the model: they carry activities through the real use cases, and die as they are told."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field, replace
from typing import Any, cast

from temporalio.exceptions import CancelledError

from activities.round_control import decode_progress
from adapters.memory import InMemoryEvents, InMemoryLatest, InMemoryLedger, InMemoryLive
from adapters.profile_files import FileProfiles, builtin_profiles_folder
from adapters.secrets import FileAndEnvSecrets
from collector import wire
from collector.domain.chamber import ChamberSpec
from collector.domain.egress import EgressPolicies
from collector.domain.errors import FrozenError, StoreRefusedError
from collector.domain.memory import Memory
from collector.domain.outcome import Measurement, Reading
from collector.messages import RoundProgress, RoundRequest, StoreRequest
from collector.ports import DeviceAnswer, DeviceRequest, OutcomeStore, SaveBatch, SaveResult
from collector.usecases.collect import CollectRound, TryAgainError
from collector.usecases.events import RecordEvent
from collector.usecases.fetch import Fetched, FetchReading
from collector.usecases.signal_events import RecordSignals
from collector.usecases.store import StoreOutcomes
from tests.unit.jumping_time import JumpingClock
from tests.unit.model_engine import Failures, quiet, unanswered
from tests.unit.model_loop import arrived, encoded, travelled
from tests.unit.round_doubles import CountingMetrics, StagedRound

PROFILES = FileProfiles([builtin_profiles_folder()])
REQUESTS: dict[str, type] = {wire.COLLECT: RoundRequest, wire.STORE: StoreRequest}
AFTER_FAILURE_MS = 1_000
HEARD_S = 2.0
"""Until an activity hears that it was cancelled."""
WIDE = tuple(Measurement(f"channel_{n}_" + "of_a_talkative_device_" * 20, n + 0.5, "1") for n in range(10))
"""Some kilobytes as they travel: a hundred such readings are more than a chamber may carry."""


@dataclass
class ModelDevice:
    """`DeviceClient` whose answers are numbered.

    Attributes:
        failure: raised instead of an answer.
        takes_ms: how long an answer takes.
        wide: what it says is large.
        at_once: requests in flight.
    """

    failure: Exception | None = None
    takes_ms: int = 20
    wide: bool = False
    serial: int = 0
    at_once: int = 0
    most_at_once: int = 0

    async def fetch(self, request: DeviceRequest) -> DeviceAnswer:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(min(self.takes_ms, request.budget_ms) / 1000)
        finally:
            self.at_once -= 1
        if self.failure is not None:
            raise type(self.failure)(*self.failure.args)  # a shared one would gather tracebacks
        self.serial += 1
        return DeviceAnswer(200, b'{"temperature": 21.5, "serial": %d}' % self.serial)


@dataclass
class ModelStore:
    """`OutcomeStore` that may commit without an answer.

    Attributes:
        mute: so many saves to come are committed and not answered.
    """

    kept: OutcomeStore
    mute: int = 0

    async def save(self, batch: SaveBatch) -> SaveResult:
        result = await self.kept.save(batch)
        if self.mute:
            self.mute -= 1
            raise StoreRefusedError("it is too slow")
        return result

    async def save_adhoc(self, chamber_id: str, request_id: str, reading: Reading) -> None:
        await self.kept.save_adhoc(chamber_id, request_id, reading)

    async def decided_slots(self, chamber_id: str, first_ms: int, last_ms: int) -> frozenset[int]:
        return await self.kept.decided_slots(chamber_id, first_ms, last_ms)

    async def wait_available(self) -> None:
        await self.kept.wait_available()


@dataclass
class Asked:
    """A slot for which the device was asked, by which attempt; `reading` = it answered."""

    slot_ms: int
    attempt: "Attempt"
    reading: Reading | None = None


class WatchedFetch(FetchReading):
    """`FetchReading` that remembers what it was asked for."""

    def __init__(self, devices: ModelDevice, clock: JumpingClock, allowed: Callable[[int], None]) -> None:
        super().__init__(devices, PROFILES, FileAndEnvSecrets({}), EgressPolicies(), clock)
        self.asked: list[Asked] = []
        self._enough, self._enough_at = asyncio.Event(), cast("int | None", None)
        self._allowed, self._device = allowed, devices
        self.attempts: dict[asyncio.Task[Any], Attempt] = {}

    async def until_asked(self, most: int | None, ms: int) -> None:
        """Return after so many requests, or so much time."""
        self._enough_at = None if most is None else len(self.asked) + most
        self._enough.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ms / 1000):
                await self._enough.wait()

    async def __call__(self, spec: ChamberSpec, slot_ms: int, budget_ms: int, memory: Memory | None = None) -> Fetched:
        self._allowed(slot_ms)
        task = asyncio.current_task()
        assert task is not None
        asked = Asked(slot_ms, self.attempts[task])
        self.asked.append(asked)
        if len(self.asked) == self._enough_at:
            self._enough.set()
        fetched = await super().__call__(spec, slot_ms, budget_ms, memory)
        reading = fetched.reading
        if self._device.wide:
            reading = replace(reading, measurements=(*reading.measurements, *WIDE))
        asked.reading = reading
        return replace(fetched, reading=reading)


class Attempt(StagedRound):
    """An attempt of an activity. `torn` = it was killed, or nobody heard its answer."""

    def __init__(self, clock: JumpingClock, number: int) -> None:
        super().__init__(clock, number)
        self.torn = False

    def told(self, *, last_beat: bool) -> RoundProgress | None:
        """What the server heard of it: what was made durable, or the last beat got through as well."""
        beats = self.beats if last_beat else [progress for _, progress in self.durable]
        return beats[-1] if beats else None


@dataclass(eq=False)
class Work:
    """An activity from its schedule to its answer."""

    name: str
    payload: bytes
    result_type: type
    done: "asyncio.Future[Any]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    asked_to_end: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    attempt: Attempt | None = None
    task: "asyncio.Task[Any] | None" = None
    resting: "asyncio.Event | None" = None

    def cancel(self) -> None:
        """The workflow asks it to end: the attempt ends its slot; between two attempts it ends at once."""
        self.asked_to_end = True
        if self.attempt is not None:
            self.attempt.end()
        if self.resting is not None:
            self.resting.set()
        if self.name == wire.STORE and self.task is not None:
            asyncio.get_running_loop().call_later(HEARD_S, self.task.cancel)


class Workers:
    """All workers: `kill` ends what they do now, other workers go on `failover_ms` later.

    Attributes:
        last_beat: whether the last regular heartbeat of a killed attempt got through.
        lose_answers: so many rounds to come end without an answer.
        works: activities in progress.
        failures: what no activity may raise: of comparing stores, or a defect.
    """

    def __init__(self, clock: JumpingClock, store: OutcomeStore, fetch: WatchedFetch) -> None:
        self._clock, self._fetch = clock, fetch
        metrics, live = CountingMetrics(), InMemoryLive(clock.now_ms)
        self._collect = CollectRound(fetch, store, InMemoryLatest(clock.now_ms), live, metrics)
        self.events = InMemoryEvents(InMemoryLedger(clock.now_ms))
        self._store = StoreOutcomes(store, live, metrics, RecordSignals(RecordEvent(self.events)))
        self.failover_ms, self.last_beat, self.lose_answers = 5_000, False, 0
        self.works: list[Work] = []
        self.failures = Failures()

    def schedule(self, name: str, request: object, result_type: type) -> Work:
        """Carry the activity until it has an answer."""
        work = Work(name, encoded(request), result_type)
        work.done.add_done_callback(quiet)
        self.works.append(work)
        carrier = asyncio.get_running_loop().create_task(self._carry(work), context=Context())
        carrier.add_done_callback(self.failures.take)
        return work

    def kill(self) -> None:
        """SIGKILL for every worker."""
        for work in self.works:
            if work.task is not None and work.attempt is not None:
                work.attempt.torn = True
                work.task.cancel()

    def freeze(self) -> None:
        """Every process stood still for too long."""
        for work in self.works:
            if work.attempt is not None:
                work.attempt.torn = work.attempt.frozen = True

    def leave(self) -> None:
        """The run is over: its activities hear it with their next sign of life."""
        for work in self.works:
            work.cancel()

    def forget(self) -> None:
        """The workflow is gone: nobody carries its activities on."""
        self.kill()
        for work in self.works:
            work.asked_to_end = True
        self.works.clear()

    async def _carry(self, work: Work) -> None:
        progress: RoundProgress | None = None
        for number in itertools.count(1):
            if work.asked_to_end:
                break
            work.attempt = Attempt(self._clock, number)
            work.attempts.append(work.attempt)
            work.task = asyncio.create_task(self._perform(work, progress, work.attempt))
            await asyncio.wait([work.task])
            delay_ms, progress = self._outcome(work, progress)
            if work.done.done() or work.asked_to_end:
                break
            work.attempt, work.task, work.resting = None, None, asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(delay_ms, 1_000) / 1000):
                    await work.resting.wait()
            work.resting = None
        self._end(work)

    async def _perform(self, work: Work, progress: RoundProgress | None, attempt: Attempt) -> Any:
        task = asyncio.current_task()
        assert task is not None
        self._fetch.attempts[task] = attempt
        try:
            request = arrived(work.payload, REQUESTS[work.name])
            if isinstance(request, RoundRequest):
                return await self._collect(request, progress, attempt)
            assert isinstance(request, StoreRequest)
            return await self._store(request)
        finally:
            del self._fetch.attempts[task]

    def _outcome(self, work: Work, before: RoundProgress | None) -> tuple[int, RoundProgress | None]:
        """After an attempt: its answer, or how long until the next and what that goes on from."""
        task, attempt = work.task, work.attempt
        assert task is not None
        assert attempt is not None
        if task.cancelled():
            return self.failover_ms, _heard(attempt.told(last_beat=self.last_beat)) or before
        error = task.exception()
        if isinstance(error, TryAgainError):
            return error.delay_ms, _heard(error.progress)
        if isinstance(error, FrozenError):
            return AFTER_FAILURE_MS, _heard(attempt.told(last_beat=True)) or before
        if isinstance(error, StoreRefusedError):
            return AFTER_FAILURE_MS, before
        if error is not None:
            raise error
        if work.name == wire.COLLECT and self.lose_answers:
            self.lose_answers -= 1
            work.asked_to_end = True
        elif not work.done.done():
            work.done.set_result(travelled(task.result(), work.result_type))
        return 0, None

    def _end(self, work: Work) -> None:
        if work in self.works:
            self.works.remove(work)
        if not work.done.done():
            for attempt in work.attempts:
                attempt.torn = True
            work.done.set_exception(unanswered(CancelledError("cancelled")))


def _heard(progress: RoundProgress | None) -> RoundProgress | None:
    return None if progress is None else decode_progress(json.loads(encoded(progress)))
