"""Whatever devices, store and engine do, every slot of a round has its outcome, and what was read is not read again."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from collector.domain.errors import BlockedError, DeviceUnreachableError
from collector.domain.outcome import Gap, Outcome, Reading
from collector.messages import RoundOutcome, RoundProgress, RoundRequest
from collector.usecases.collect import TryAgainError
from tests.unit.jumping_time import in_jumping_time
from tests.unit.round_doubles import Answer, Mood, StagedRound
from tests.unit.round_stage import RoundStage, chamber, serial_of, unpacked


@dataclass(frozen=True)
class Fate:
    """What happens to an attempt so many ms after its start: it is asked to end, killed, or its process sleeps.

    `beat_arrived`: the last regular heartbeat of a killed attempt got through.
    """

    after_ms: int
    kind: str
    length_ms: int = 0
    beat_arrived: bool = False


@dataclass(frozen=True)
class Script:
    """One chamber's bad day."""

    interval_s: int
    count: int
    begins_ms: int
    answers: list[Answer]
    moods: list[Mood]
    lookup: Mood
    fates: list[Fate]


ANSWERS = st.one_of(
    st.builds(Answer, after_ms=st.integers(0, 4_000)),
    st.builds(Answer, after_ms=st.integers(0, 4_000), error=st.just(DeviceUnreachableError("reset"))),
    st.just(Answer(5, BlockedError("10.0.0.1:80"))),
    st.just(Answer(5, KeyError("defect"))),
    st.just(Answer(5, body=b"<html>")),
)
FATES = st.builds(
    Fate,
    st.integers(0, 3_000) | st.integers(0, 90_000),
    st.sampled_from(["kill", "end", "sleep"]),
    length_ms=st.integers(0, 70_000),
    beat_arrived=st.booleans(),
)
SCRIPTS = st.builds(
    Script,
    interval_s=st.sampled_from([1, 2, 5, 10, 60]),
    count=st.integers(1, 3) | st.integers(4, 12),
    begins_ms=st.integers(-2_000, 30_000),
    answers=st.lists(ANSWERS, max_size=25),
    moods=st.lists(st.sampled_from(Mood), max_size=20),
    lookup=st.sampled_from([Mood.TAKE, Mood.TAKE, Mood.REFUSE, Mood.HANG]),
    fates=st.lists(FATES, min_size=1, max_size=4),
)


@dataclass
class Day:
    """Carries the rounds of a script as the workflow and Temporal do, and remembers what was lost on the way."""

    stage: RoundStage
    script: Script
    killed: int = 0
    unsaved: list[Outcome] = field(default_factory=list)

    async def play(self) -> None:
        """From the first slot to the last; an interrupted round is followed by one for the rest."""
        self.stage.devices.script.extend(self.script.answers)
        self.stage.store.moods.extend(self.script.moods)
        self.stage.store.lookup = self.script.lookup
        await self.stage.enrol()
        await asyncio.sleep((2_000 + self.script.begins_ms) / 1000)
        fates = list(self.script.fates)
        request = self.stage.request(self.script.count)
        while True:
            out = await self._carry(request, fates)
            assert request.first_ms <= out.next_ms <= self.stage.slot(self.script.count)
            done = (out.next_ms - request.first_ms) // self.stage.spec.interval_ms
            if done == request.count:
                self.unsaved = unpacked(out.unsaved)
                return
            rest = request.count - done
            request = replace(request, first_ms=out.next_ms, count=rest, before=out.unsaved, health=out.health)

    async def _carry(self, request: RoundRequest, fates: list[Fate]) -> RoundOutcome:
        """Attempts of one round, each from what is durable of the one before."""
        progress: RoundProgress | None = None
        number = 1
        while True:
            control = self.stage.control(number)
            work = asyncio.create_task(self.stage.collect(request, progress, control))
            fate = fates.pop(0) if fates else None
            if not await self._meet(work, control, fate):
                try:
                    return await work
                except TryAgainError as error:
                    progress = error.progress
                    await asyncio.sleep(error.delay_ms / 1000)
            else:
                self.killed += 1
                await asyncio.gather(work, return_exceptions=True)
                told = [p for _, p in control.durable]
                if fate is not None and fate.beat_arrived:
                    told = control.beats
                progress = told[-1] if told else progress
            number += 1

    async def _meet(self, work: "asyncio.Task[RoundOutcome]", control: StagedRound, fate: Fate | None) -> bool:
        if fate is None:
            await asyncio.wait([work])
            return False
        await asyncio.wait([work], timeout=fate.after_ms / 1000)
        if fate.kind == "end":
            control.end()
        elif fate.kind == "sleep":
            self.stage.clock.stand_still(fate.length_ms)
        elif not work.done():
            work.cancel()
            return True
        await asyncio.wait([work])
        return False


def covered(day: Day, outcome: Outcome) -> list[int]:
    """The slots of an outcome."""
    if isinstance(outcome, Reading):
        return [outcome.slot_ms]
    assert isinstance(outcome, Gap)
    assert outcome.last_ms is not None
    return list(range(outcome.first_ms, outcome.last_ms + 1, day.stage.spec.interval_ms))


def stored(day: Day) -> list[Outcome]:
    """What the ledger keeps."""
    kept = day.stage.chamber
    return [*(k.reading for k in kept.readings.values()), *(k.gap for k in kept.gaps)]


async def played(script: Script) -> Day:
    day = Day(RoundStage(chamber(script.interval_s)), script)
    await day.play()
    return day


def check_every_slot_has_its_outcome(day: Day) -> None:
    slots = [day.stage.slot(i) for i in range(day.script.count)]
    outcomes = [*stored(day), *day.unsaved]
    told = Counter(slot for outcome in set(outcomes) for slot in covered(day, outcome))
    assert set(told) == set(slots)
    if not day.killed:  # a killed attempt may have stored what its follower, unable to ask the store, decides again
        assert max(told.values()) == 1
    if not day.unsaved:
        assert day.stage.chamber.settled_ms == slots[-1]


def check_what_was_read_is_there(day: Day) -> None:
    """A killed attempt may lose the slot in hand, and make its follower read that slot again: nothing else is lost."""
    readings = {o for o in [*stored(day), *day.unsaved] if isinstance(o, Reading)}
    lost = day.stage.devices.readable - len({serial_of(reading) for reading in readings})
    assert 0 <= lost <= day.killed, f"{lost} readings were lost with {day.killed} killed attempts"
    assert len({reading.slot_ms for reading in readings}) >= len(readings) - day.killed


def check_the_count_of_what_waits(day: Day) -> None:
    if not day.killed:  # a process that is killed takes its count along
        assert day.stage.metrics.waiting == sum(isinstance(o, Reading) for o in day.unsaved)


def check_manners(day: Day) -> None:
    calls, interval = day.stage.devices.calls, day.stage.spec.interval_ms
    for call in calls:
        slot = day.stage.spec.grid.at_or_before(call.at_ms)
        assert 0 < call.request.budget_ms <= day.stage.spec.timeout_ms
        assert call.at_ms + call.request.budget_ms <= slot + interval
    assert day.stage.devices.most_at_once <= 1


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS)
def test_every_slot_ends_as_one_outcome_whatever_happens(script: Script) -> None:
    @in_jumping_time
    async def play() -> None:
        day = await played(script)
        event(f"killed {day.killed}")
        event("with unsaved" if day.unsaved else "all stored")
        check_every_slot_has_its_outcome(day)
        check_what_was_read_is_there(day)
        check_manners(day)
        check_the_count_of_what_waits(day)

    play()
