"""Doubles of the ports that a round needs, in time that jumps.

The doubles stand beside the shipped twins where those cannot play a fault: a device that follows a script, a store
with moods, and the round's control without Temporal.
"""

import asyncio
import copy
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from adapters.memory import InMemoryLive, InMemoryOutcomes
from collector.domain.errors import DeviceTimeoutError, FrozenError, StoreRefusedError
from collector.domain.outcome import Gap, GapReason, Reading
from collector.messages import RoundProgress
from collector.ports import DeviceAnswer, DeviceRequest, Origin, SaveBatch, SaveResult
from tests.unit.jumping_time import NOON_MS, JumpingClock

SLOW_S = 1.2
FOREVER_S = 86_400.0


# ---- devices


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device does once: after `after_ms` it raises `error`, or sends `body` (None = a numbered reading)."""

    after_ms: int = 20
    error: Exception | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request that a device saw, counted from 1; `served` = it was answered."""

    at_ms: int
    request: DeviceRequest
    served: bool


class ScriptedDevices:
    """`DeviceClient` that follows a script, then does `otherwise`. Each reading carries its serial number.

    Attributes:
        calls: what it was asked.
        serial: of the last answer.
        readable: answers that were numbered readings.
        most_at_once: requests in flight at one time.
    """

    def __init__(self, clock: JumpingClock) -> None:
        self._clock = clock
        self.script: deque[Answer] = deque()
        self.otherwise = Answer()
        self.calls: list[Call] = []
        self.serial = 0
        self.readable = 0
        self.at_once = self.most_at_once = 0

    @property
    def times(self) -> list[int]:
        """When it was asked, in ms after noon."""
        return [call.at_ms - NOON_MS for call in self.calls]

    async def fetch(self, request: DeviceRequest) -> DeviceAnswer:
        at_ms = self._clock.now_ms()
        answer = self.script.popleft() if self.script else self.otherwise
        self.calls.append(Call(at_ms, request, served=False))
        index = len(self.calls) - 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(min(answer.after_ms, request.budget_ms) / 1000)
        finally:
            self.at_once -= 1
        if answer.after_ms > request.budget_ms:
            raise DeviceTimeoutError(f"no whole answer within {request.budget_ms} ms")
        if answer.error is not None:
            raise copy.copy(answer.error)  # a shared one would gather tracebacks
        self.calls[index] = replace(self.calls[index], served=True)
        self.serial += 1
        self.readable += answer.body is None
        body = b'{"temperature": 21.5, "serial": %d}' % self.serial
        return DeviceAnswer(200, body if answer.body is None else answer.body)


# ---- the store


class Mood(Enum):
    """How the store takes a save.

    `LATE`: it commits, and never answers. `SLOW` and `REFUSE_LATE`: it answers after the slot's time.
    """

    TAKE = auto()
    REFUSE = auto()
    HANG = auto()
    LATE = auto()
    SLOW = auto()
    REFUSE_LATE = auto()


@dataclass
class MoodyOutcomes:
    """`OutcomeStore` over the in-memory twin; saves follow `moods`, then `otherwise`; `lookup` is for questions."""

    kept: InMemoryOutcomes
    moods: deque[Mood] = field(default_factory=deque)
    otherwise: Mood = Mood.TAKE
    lookup: Mood = Mood.TAKE
    saves: list[SaveBatch] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def save(self, batch: SaveBatch) -> SaveResult:
        mood = self.moods.popleft() if self.moods else self.otherwise
        self.saves.append(batch)
        await self._before(mood)
        result = await self.kept.save(batch)
        if mood is Mood.LATE:
            await asyncio.sleep(FOREVER_S)
        return result

    async def save_adhoc(self, chamber_id: str, request_id: str, reading: Reading) -> None:
        await self._before(self.moods.popleft() if self.moods else self.otherwise)
        await self.kept.save_adhoc(chamber_id, request_id, reading)

    async def decided_slots(self, chamber_id: str, first_ms: int, last_ms: int) -> frozenset[int]:
        self.asked.append((first_ms, last_ms))
        await self._before(self.lookup)
        return await self.kept.decided_slots(chamber_id, first_ms, last_ms)

    async def wait_available(self) -> None:
        await self.kept.wait_available()

    async def _before(self, mood: Mood) -> None:
        if mood in (Mood.SLOW, Mood.REFUSE_LATE):
            await asyncio.sleep(SLOW_S)
        if mood in (Mood.REFUSE, Mood.REFUSE_LATE):
            raise StoreRefusedError("the store is away")
        if mood is Mood.HANG:
            await asyncio.sleep(FOREVER_S)


# ---- what a round is told and tells


class StagedRound:
    """`RoundControl` without Temporal.

    Attributes:
        beats: what was told some time.
        durable: what was told at once, with the instant at which it was durable.
        durable_ms: how long that takes.
        oversleeps_ms: how much too long its next wait takes, once (a machine that slept).
    """

    def __init__(self, clock: JumpingClock, attempt: int = 1) -> None:
        self._clock, self._attempt = clock, attempt
        self._end = asyncio.Event()
        self.frozen = False
        self.beats: list[RoundProgress] = []
        self.durable: list[tuple[int, RoundProgress]] = []
        self.durable_ms = 5
        self.oversleeps_ms = 0

    @property
    def attempt(self) -> int:
        return self._attempt

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def beat(self, progress: RoundProgress) -> None:
        self.beats.append(progress)

    async def make_durable(self, progress: RoundProgress) -> None:
        await asyncio.sleep(self.durable_ms / 1000)
        self.durable.append((self._clock.now_ms() - NOON_MS, progress))

    async def wait(self, until_ms: int) -> bool:
        self.fence()
        delay_s = (until_ms - self.now_ms()) / 1000
        if delay_s > 0 and not self._end.is_set():
            await self._sleep(delay_s + self.oversleeps_ms / 1000)
            self.oversleeps_ms = 0
        self.fence()
        return not self._end.is_set()

    async def _sleep(self, delay_s: float) -> None:
        try:
            async with asyncio.timeout(delay_s):
                await self._end.wait()
        except TimeoutError:
            return

    def fence(self) -> None:
        if self.frozen:
            raise FrozenError("this process stood still")

    def ended(self) -> bool:
        return self._end.is_set()

    def end(self) -> None:
        self._end.set()


class RecordingLive(InMemoryLive):
    """`LiveFeed` that remembers what was published, watched or not.

    Attributes:
        published: where from, and what; in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.published: list[tuple[Origin, Reading | Gap]] = []

    def publish(self, origin: Origin, outcomes: Iterable[Reading | Gap]) -> None:
        self.published += [(origin, outcome) for outcome in outcomes]


@dataclass
class CountingMetrics:
    """`CollectionMetrics` that counts."""

    organizations: set[str] = field(default_factory=set)
    readings: list[tuple[int, int]] = field(default_factory=list)
    gaps: Counter[GapReason] = field(default_factory=Counter)
    failed: list[tuple[GapReason, int]] = field(default_factory=list)
    waiting: int = 0
    most_waiting: int = 0
    skews: list[int] = field(default_factory=list)
    holding: dict[object, int | None] = field(default_factory=dict)
    held_at_all: list[int | None] = field(default_factory=list)

    def reading(self, organization: str, lateness_ms: int, fetch_ms: int) -> None:
        self.organizations.add(organization)
        self.readings.append((lateness_ms, fetch_ms))

    def gap(self, organization: str, reason: GapReason, slots: int) -> None:
        self.organizations.add(organization)
        self.gaps[reason] += slots

    def failed_attempt(self, organization: str, reason: GapReason, fetch_ms: int) -> None:
        self.organizations.add(organization)
        self.failed.append((reason, fetch_ms))

    def unsaved(self, organization: str, delta: int) -> None:
        self.organizations.add(organization)
        self.waiting += delta
        self.most_waiting = max(self.most_waiting, self.waiting)

    def held(self, holder: object, since_ms: int | None) -> None:
        self.holding.setdefault(holder, since_ms)
        self.held_at_all.append(since_ms)

    def let_go(self, holder: object) -> None:
        self.holding.pop(holder, None)

    def clock_skew(self, skew_ms: int) -> None:
        self.skews.append(skew_ms)
