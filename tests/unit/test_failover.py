"""Who is taken for gone, and what is done then: the watch by itself, and the whole watch in time that jumps."""

import asyncio
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from activities.collection import CollectionActivities
from adapters.temporal_rounds import IDENTITY_PREFIX, has_ended_here, worker_identity
from collector.domain.errors import EngineAwayError
from collector.ports import RunningRounds, Signs
from tests.unit.jumping_time import in_jumping_time
from workers.failover import AGAIN_S, BEAT, LOOK_S, LOST_AFTER_S, SILENT_S, Watch, keep_turning, watch_over

ME, OTHER, DEAD = "me", "other", "dead"


NOBODY: frozenset[str] = frozenset()


def look_for(watch: Watch, seconds: float, start_s: float, *alive: str) -> list[bool]:
    """Looks each `LOOK_S`; who is alive beats each time, and `DEAD` is listed with its last beat."""
    verdicts = []
    for turn in range(round(seconds / LOOK_S)):
        at_s = start_s + turn * LOOK_S
        beats = {DEAD: 1} | {identity: int(at_s * 1000) for identity in alive}
        verdicts.append(watch.look(beats, NOBODY, at_s))
    return verdicts


def gone(watch: Watch) -> list[str]:
    return [identity for identity in (ME, OTHER, DEAD) if watch.gone(identity)]


def test_nobody_is_judged_before_everybody_had_the_time_to_beat() -> None:
    watch = Watch(ME)
    assert not any(look_for(watch, LOST_AFTER_S, 100.0, ME, OTHER))
    assert gone(watch) == []
    assert watch.look({ME: 1, OTHER: 1, DEAD: 1}, NOBODY, 100.0 + LOST_AFTER_S)
    assert gone(watch) == [DEAD]


def test_who_falls_silent_is_gone_once_and_not_before_its_time() -> None:
    watch = Watch(ME)
    look_for(watch, 30, 0.0, ME, OTHER)
    verdicts = look_for(watch, 30, 30.0, ME)
    assert [n for n, verdict in enumerate(verdicts) if verdict] == [LOST_AFTER_S // LOOK_S - 1]
    assert gone(watch) == [OTHER, DEAD]


def test_as_long_as_all_beat_there_is_nothing_to_do() -> None:
    watch = Watch(ME)
    look_for(watch, 30, 0.0, ME, OTHER)
    assert not any(look_for(watch, 300, 30.0, ME, OTHER))


def test_who_was_not_able_to_look_watches_anew_before_it_judges() -> None:
    watch = Watch(ME)
    look_for(watch, 30, 0.0, ME, OTHER)
    assert not any(look_for(watch, LOST_AFTER_S, 90.0, ME))
    assert gone(watch) == []
    assert watch.look({ME: 1}, NOBODY, 90.0 + LOST_AFTER_S)
    assert gone(watch) == [OTHER, DEAD]


def test_who_does_not_see_its_own_beats_judges_nobody() -> None:
    watch = Watch(ME)
    assert not any(look_for(watch, 300, 0.0, OTHER))
    assert gone(watch) == []


def test_a_worker_that_comes_is_alive_from_its_first_beat() -> None:
    watch = Watch(ME)
    look_for(watch, 30, 0.0, ME)
    assert not any(look_for(watch, 30, 30.0, ME, OTHER))


def test_it_judges_later_than_the_judged_know_of_their_silence() -> None:
    assert SILENT_S + BEAT.total_seconds() + LOOK_S <= LOST_AFTER_S


@dataclass
class Fleet:
    """Temporal's view of two workers, as the test wants it."""

    silent_from_s: float = float("inf")
    ended: frozenset[str] = frozenset()
    away: tuple[float, float] = (0.0, 0.0)
    refusals: deque[EngineAwayError] = field(default_factory=deque)
    takes_s: float = 0.0
    taken: list[tuple[float, list[str]]] = field(default_factory=list)

    async def signs_of_life(self) -> Signs:
        now = asyncio.get_running_loop().time()
        if self.away[0] <= now < self.away[1]:
            raise EngineAwayError("away")
        return Signs({ME: int(now * 1000), OTHER: int(min(now, self.silent_from_s) * 1000)}, self.ended)

    async def end_abandoned(self, gone: Callable[[str], bool], held: Callable[[str], bool]) -> int:
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(self.takes_s)
        if self.refusals:
            raise self.refusals.popleft()
        whose = [identity for identity in (ME, OTHER) if gone(identity)]
        assert not held("a-chamber")
        self.taken.append((began, whose))
        return len(whose)


class Process(CollectionActivities):
    """A process without rounds, which counts what it is told."""

    def __init__(self) -> None:
        self._running = {}
        self.asked: list[float] = []
        self.turns = 0

    async def ask_for_all(self) -> None:
        self.asked.append(asyncio.get_running_loop().time())

    def turn(self) -> None:
        self.turns += 1


async def watched(fleet: RunningRounds, seconds: float) -> Process:
    process = Process()
    watching = asyncio.create_task(watch_over(fleet, process, ME, asyncio.get_running_loop().time))
    await asyncio.sleep(seconds)
    watching.cancel()
    await asyncio.wait([watching])
    assert watching.cancelled(), "nothing ends the watch"
    return process


FIRST_S = LOOK_S + LOST_AFTER_S
"""The first judgement, which finds what was there before."""


@in_jumping_time
async def test_the_rounds_of_a_silent_worker_are_taken_over_within_seconds_and_looked_for_again() -> None:
    fleet = Fleet(silent_from_s=60)
    process = await watched(fleet, 200)
    (first, nobody), (second, other), *again = fleet.taken
    assert (first, nobody) == (FIRST_S, [])
    assert other == [OTHER]
    assert LOST_AFTER_S - LOOK_S <= second - 60 <= LOST_AFTER_S + 2 * LOOK_S
    assert [round(at - second) for at, _ in again][:2] == [round(AGAIN_S[0]) + 2, round(AGAIN_S[0]) * 2 + 4]
    assert process.asked == []


@in_jumping_time
async def test_a_process_of_this_machine_that_ended_is_not_waited_for() -> None:
    fleet = Fleet(ended=frozenset({OTHER}))
    await watched(fleet, 10)
    assert fleet.taken == [(LOOK_S, [OTHER])]


@in_jumping_time
async def test_a_takeover_that_fails_is_tried_again() -> None:
    for silent in (Fleet(ended=frozenset({OTHER})), Fleet(silent_from_s=60)):
        silent.refusals.extend([EngineAwayError("busy")] * 2)
        await watched(silent, 60 + FIRST_S + 20)
        assert [OTHER] in [whose for _, whose in silent.taken]


@in_jumping_time
async def test_looking_through_a_large_fleet_does_not_interrupt_the_watch() -> None:
    fleet = Fleet(takes_s=9)
    process = await watched(fleet, 600)
    assert len(fleet.taken) == 1
    assert process.asked == []


@in_jumping_time
async def test_after_a_silence_it_asks_for_its_own_rounds_and_watches_anew() -> None:
    fleet = Fleet(away=(30, 90))
    process = await watched(fleet, 120)
    assert len(process.asked) == 1
    assert 90 <= process.asked[0] < 90 + 2 * LOOK_S
    assert [whose for _, whose in fleet.taken] == [[], [], []]
    assert 90 <= fleet.taken[1][0] < 90 + 2 * LOOK_S, "for own rounds whose answers were lost"
    assert fleet.taken[2][0] >= 90 + LOST_AFTER_S, "for those of others"


@in_jumping_time
async def test_a_short_silence_is_none() -> None:
    process = await watched(Fleet(away=(30, 36)), 60)
    assert process.asked == []


@in_jumping_time
async def test_the_rounds_hear_each_second_that_the_loop_turns() -> None:
    process = Process()
    turning = asyncio.create_task(keep_turning(process))
    await asyncio.sleep(10.5)
    turning.cancel()
    await asyncio.wait([turning])
    assert process.turns == 10


# ---- identities


def test_this_process_has_not_ended_and_has_a_name_of_its_own() -> None:
    mine = worker_identity()
    assert mine.startswith(f"{IDENTITY_PREFIX}{os.getpid()}@")
    assert mine != worker_identity(), "a process that gets the number again is another one"
    assert not has_ended_here(mine)


def test_a_process_of_this_machine_that_ended_is_known_as_such() -> None:
    code = "from adapters.temporal_rounds import worker_identity; print(worker_identity())"
    identity = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert has_ended_here(identity)
    assert not has_ended_here(identity.replace("@", "@another-"))


@pytest.mark.parametrize("identity", ["", "1234@host", f"{IDENTITY_PREFIX}x@y/z", f"{IDENTITY_PREFIX}", "4@h@i/j"])
def test_of_other_identities_nothing_is_known(identity: str) -> None:
    assert not has_ended_here(identity)
