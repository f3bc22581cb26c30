"""Taking over the rounds of workers that are gone.

Every worker process gives Temporal a sign of life each `BEAT`; each watches all of them. So a worker that was killed is
noticed within seconds, and a round needs no heartbeat of its own: one of those costs the server more than ten readings.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Set
from datetime import timedelta
from functools import partial

from activities.collection import CollectionActivities
from activities.round_control import FROZEN_MS
from collector.domain.errors import EngineAwayError
from collector.ports import RunningRounds

log = logging.getLogger(__name__)

BEAT = timedelta(seconds=2)
LOOK_S, TURN_S = 2.0, 1.0
LOST_AFTER_S = FROZEN_MS / 1000
"""Five signs of life in a row: a server that is busy for a moment does not make a fleet move house."""
Clock = Callable[[], float]


class Watch:
    """Who is alive, from what was seen without interruption; only this process's monotonic clock counts."""

    def __init__(self) -> None:
        self._beats: dict[str, int] = {}
        self._heard_s: dict[str, float] = {}
        self._alive: frozenset[str] = frozenset()
        self._since_s = self._looked_s = float("-inf")
        self._judged = False

    def look(self, beats: Mapping[str, int], now_s: float) -> frozenset[str] | None:
        """Take a look; answers with who is alive when somebody is newly gone, or may be: at the first judgement.

        A process that was not able to look for a while knows nothing, and watches anew before it judges.
        """
        if now_s - self._looked_s > LOST_AFTER_S / 2:
            self._since_s, self._judged = now_s, False
            self._beats, self._heard_s = {}, {}
        self._looked_s = now_s
        for identity, beat in beats.items():
            if self._beats.get(identity) != beat:
                self._heard_s[identity] = now_s
        self._beats = dict(beats)
        return self._judge(now_s)

    def _judge(self, now_s: float) -> frozenset[str] | None:
        if now_s - self._since_s < LOST_AFTER_S:
            return None
        before, self._alive = self._alive, frozenset(i for i, s in self._heard_s.items() if now_s - s < LOST_AFTER_S)
        news, self._judged = not self._judged or bool(before - self._alive), True
        return self._alive if news else None


async def watch_over(rounds: RunningRounds, activities: CollectionActivities, clock: Clock) -> None:
    """Watch for ever; nothing that Temporal does ends it.

    Args:
        rounds: of the whole fleet.
        activities: of this process: it is asked what it carries, and asks for each round after a silence.
        clock: monotonic seconds.
    """
    watch, ended, heard_s = Watch(), frozenset[str](), clock()
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            signs = await rounds.signs_of_life()
            if clock() - heard_s > LOST_AFTER_S:
                await activities.ask_for_all()
            heard_s = clock()
            if fresh := signs.ended - ended:
                await _take_over(rounds, activities, fresh.__contains__)
            if (alive := watch.look(signs.beats, clock())) is not None:
                await _take_over(rounds, activities, partial(_is_not_among, alive))
            ended = signs.ended
        except EngineAwayError as error:
            log.debug("workers cannot be watched: %s", error)


async def _take_over(rounds: RunningRounds, activities: CollectionActivities, gone: Callable[[str], bool]) -> None:
    if count := await rounds.end_abandoned(gone, activities.carries):
        log.warning("took over %d rounds of workers that are gone", count)


def _is_not_among(alive: Set[str], identity: str) -> bool:
    return identity not in alive


async def keep_turning(activities: CollectionActivities) -> None:
    """Tell the rounds for ever that this process is not standing still."""
    while True:
        await asyncio.sleep(TURN_S)
        activities.turn()
