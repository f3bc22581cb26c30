"""Taking over the rounds of workers that are gone.

Every worker process gives Temporal a sign of life each `BEAT`; each watches all of them. So a worker that was killed is
noticed within seconds, and a round needs no heartbeat of its own: one of those costs the server more than ten readings.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from activities.collection import CollectionActivities
from activities.round_control import FROZEN_MS
from collector.domain.errors import EngineAwayError
from collector.ports import RunningRounds

log = logging.getLogger(__name__)

BEAT = timedelta(seconds=2)
LOOK_S, TURN_S = 2.0, 1.0
SILENT_S = FROZEN_MS / 1000
"""A process that was silent for so long stores nothing more of the rounds it had, or asks for each of them."""
LOST_AFTER_S = SILENT_S + BEAT.total_seconds() + LOOK_S
"""Later than the process itself knows of its silence: its last beat and its last look lie before that begins."""
AGAIN_S = (30.0, 75.0)
"""Rounds are looked through again so long after some were taken over: the polls of a machine that was cut off stay open
at the server for about a minute, and rounds may be handed to them meanwhile."""
Clock = Callable[[], float]


class Watch:
    """Who is alive, from what was seen without interruption; only this process's monotonic clock counts.

    Args:
        me: identity of this process; while its own signs of life do not arrive, it judges nobody.
    """

    def __init__(self, me: str) -> None:
        self._me = me
        self._beats: dict[str, int] = {}
        self._heard_s: dict[str, float] = {}
        self._since_s = self._looked_s = float("-inf")
        self._alive: frozenset[str] | None = None
        self._ended: frozenset[str] = frozenset()

    def look(self, beats: Mapping[str, int], ended: frozenset[str], now_s: float) -> bool:
        """Take a look; True when somebody is newly gone, or may be: at the first judgement.

        A process that was not able to look for a while knows nothing, and watches anew before it judges.

        Args:
            beats: see `Signs.beats`.
            ended: see `Signs.ended`: gone without any judgement.
            now_s: monotonic.
        """
        if now_s - self._looked_s > SILENT_S / 2:
            self._since_s, self._alive = now_s, None
            self._beats, self._heard_s = {}, {}
        self._looked_s = now_s
        for identity, beat in beats.items():
            if self._beats.get(identity) != beat:
                self._heard_s[identity] = now_s
        self._beats = dict(beats)
        fresh, self._ended = bool(ended - self._ended), ended
        return self._judge(now_s) or fresh

    def gone(self, identity: str) -> bool:
        """Whether the worker is gone, as far as this process may judge."""
        return identity in self._ended or (self._alive is not None and identity not in self._alive)

    def _judge(self, now_s: float) -> bool:
        alive = frozenset(i for i, heard_s in self._heard_s.items() if now_s - heard_s < LOST_AFTER_S)
        if now_s - self._since_s < LOST_AFTER_S or self._me not in alive:
            return False
        before, self._alive = self._alive, alive
        return before is None or bool(before - alive)


class TakeOver:
    """Looks through the rounds beside the watch, one time after the other, as often as there is a reason."""

    def __init__(self, rounds: RunningRounds, activities: CollectionActivities, watch: Watch) -> None:
        self._rounds, self._activities, self._watch = rounds, activities, watch
        self._due_s: list[float] = []
        self._running: asyncio.Task[int] | None = None

    def order(self, at_s: float) -> None:
        """Look through them at that instant, or as soon as the time before has ended."""
        self._due_s = sorted({*self._due_s, at_s})

    def turn(self, now_s: float) -> None:
        """Hear how the last time ended, and begin the next one when it is due."""
        if self._running is not None and self._running.done():
            self._heard(self._running, now_s)
            self._running = None
        if self._running is None and self._due_s and self._due_s[0] <= now_s:
            self._due_s = [at_s for at_s in self._due_s if at_s > now_s]
            ending = self._rounds.end_abandoned(self._watch.gone, self._activities.carries)
            self._running = asyncio.ensure_future(ending)

    async def close(self) -> None:
        """Drop what is not done."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    def _heard(self, ended: "asyncio.Task[int]", now_s: float) -> None:
        try:
            count = ended.result()
        except EngineAwayError as error:
            log.warning("not all rounds of workers that are gone were taken over, they are tried again: %s", error)
            self.order(now_s)
            return
        if count:
            log.warning("took over %d rounds of workers that are gone", count)
            for later_s in AGAIN_S:
                self.order(now_s + later_s)


async def watch_over(rounds: RunningRounds, activities: CollectionActivities, me: str, clock: Clock) -> None:
    """Watch for ever; nothing that Temporal does ends it.

    Args:
        rounds: of the whole fleet.
        activities: of this process: it is asked what it carries, and asks for each round after a silence.
        me: identity of this process.
        clock: monotonic seconds.
    """
    watch = Watch(me)
    taking, heard_s = TakeOver(rounds, activities, watch), clock()
    asking: asyncio.Task[None] | None = None
    try:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                signs = await rounds.signs_of_life()
            except EngineAwayError as error:
                log.debug("workers cannot be watched: %s", error)
                continue
            if clock() - heard_s > SILENT_S:
                taking.order(clock())  # own rounds whose answers were lost are known without judging anybody
                if asking is None or asking.done():
                    asking = asyncio.create_task(activities.ask_for_all())
            heard_s = clock()
            if watch.look(signs.beats, signs.ended, heard_s):
                taking.order(heard_s)
            taking.turn(heard_s)
    finally:
        await taking.close()
        if asking is not None:
            asking.cancel()


async def keep_turning(activities: CollectionActivities, *others: Callable[[], None]) -> None:
    """Tell the rounds, and others, for ever that this process is not standing still."""
    while True:
        await asyncio.sleep(TURN_S)
        activities.turn()
        for turned in others:
            turned()
