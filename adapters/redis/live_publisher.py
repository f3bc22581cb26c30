"""Writing the live feed: events wait in a bounded queue and travel in groups, so that no round waits for them."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.redis.counting import FAILED, LIVE, STORED, Count, uncounted
from adapters.redis.keys import live_events
from adapters.redis.live_entries import event_entry, lost_entry
from adapters.redis.pool import heed_cancel
from collector.domain.outcome import Gap, Reading
from collector.ports.clock import Clock
from collector.ports.live import LIVE_KEPT, LIVE_WAITING, Origin

ASK_AGAIN_MS = 2_000
"""Whether somebody watches an organization is asked so often at most."""
AT_ONCE = 200
"""Entries of one group: the server does nothing else meanwhile."""
PATIENCE_S = 2.0
"""For a group; nobody waits for it, and a busy process is no reason to call the server away."""
AGAIN_S = 1.0
CLOSING_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Organization:
    """What this process knows of an organization's watchers.

    Attributes:
        wanted: somebody watches, as far as known.
        ask_at_ms: when that is asked next if nobody does; monotonic.
        lost: events that were dropped and that watchers were not told of.
        unheard: while the server was away events were dropped, because nobody watched before.
    """

    wanted: bool = False
    ask_at_ms: int = 0
    lost: int = 0
    unheard: bool = False

    def told(self, missing: int | None) -> None:
        """Watchers were told of what `missing` has answered; what joined meanwhile stays."""
        self.lost -= missing or 0
        self.unheard = self.unheard and missing is not None

    def missing(self) -> int | None:
        """What watchers are to be told that is missing: 0 = nothing, None = nobody knows how much."""
        return None if self.unheard else self.lost


@dataclass(frozen=True, slots=True)
class _Event:
    origin: Origin
    outcome: Reading | Gap


class Publisher:
    """Publishes for one process; see `LiveFeed.publish`."""

    def __init__(self, client: Redis, clock: Clock, count: Count = uncounted) -> None:
        self._client, self._clock, self._count = client, clock, count
        self._organizations: dict[str, _Organization] = {}
        self._queue: deque[_Event] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._away = False

    def publish(self, origin: Origin, outcomes: Iterable[Reading | Gap]) -> None:
        """Queue the events if somebody watches, or if that is to be asked again."""
        organization = self._organizations.get(origin.organization)
        if organization is None:
            organization = self._organizations[origin.organization] = _Organization()
        if not organization.wanted and self._clock.monotonic_ms() < organization.ask_at_ms:
            return
        for outcome in outcomes:
            self._queue.append(_Event(origin, outcome))
            if len(self._queue) > LIVE_WAITING:
                self._organizations[self._queue.popleft().origin.organization].lost += 1
        if self._queue and self._sending is None:
            self._sending = asyncio.create_task(self._send_all(), name="redis-live", context=Context())

    async def close(self) -> None:
        """Send what waits, for a second at most."""
        if self._sending is not None:
            sending = self._sending
            await asyncio.wait([sending], timeout=CLOSING_S)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send_all(self) -> None:
        """Everything that was published in one turn of the event loop, and what joins meanwhile, group by group."""
        try:
            while self._queue:
                group = [self._queue.popleft() for _ in range(min(AT_ONCE, len(self._queue)))]
                sent = await self._sent(group)
                heed_cancel()
                if not sent:
                    self._queue.extendleft(reversed(self._worth_keeping(group)))
                    await asyncio.sleep(AGAIN_S)
        finally:
            self._sending = None

    async def _sent(self, group: Sequence[_Event]) -> bool:
        """Send the group; False = the server is away. A group that no server takes is dropped and counted."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._look_for_watchers(group)
                await self._send([event for event in group if self._of(event).wanted])
        except (RedisError, OSError, TimeoutError) as error:
            if not self._away:
                _log.warning("the live feed is away (%s): events wait", type(error).__name__)
            self._away = True
            self._count(LIVE, FAILED, len(group))
            return False
        except Exception:  # noqa: BLE001  (a defect here must not end the feed of every other chamber)
            _log.exception("defect while publishing events")
            self._count(LIVE, FAILED, len(group))
            for event in group:
                self._of(event).lost += 1
            return True
        if self._away:
            _log.warning("the live feed is back")
        self._away = False
        return True

    def _worth_keeping(self, group: Sequence[_Event]) -> Sequence[_Event]:
        """Events that a server which is away is to get later: those of organizations that somebody watched."""
        for event in group:
            organization = self._of(event)
            if not organization.wanted:
                organization.unheard = True
                organization.ask_at_ms = self._clock.monotonic_ms() + ASK_AGAIN_MS
        return [event for event in group if self._of(event).wanted]

    async def _look_for_watchers(self, group: Sequence[_Event]) -> None:
        now_ms = self._clock.monotonic_ms()
        names = {event.origin.organization for event in group}
        asked = [n for n in sorted(names) if self._is_due(self._organizations[n], now_ms)]
        if not asked:
            return
        async with self._client.pipeline(transaction=False) as pipeline:
            for name in asked:
                pipeline.exists(live_events(name))
            answers = await pipeline.execute()
        for name, there in zip(asked, answers, strict=True):
            self._heard(self._organizations[name], there=bool(there))

    async def _send(self, group: Sequence[_Event]) -> None:
        names = {event.origin.organization for event in group}
        told = {name: self._organizations[name].missing() for name in sorted(names)}
        lost = {name: count for name, count in told.items() if count != 0}
        entries = [(name, lost_entry(count)) for name, count in lost.items()]
        entries += [(event.origin.organization, event_entry(event.origin, event.outcome)) for event in group]
        if not entries:
            return
        async with self._client.pipeline(transaction=False) as pipeline:
            for name, entry in entries:
                _add(pipeline, live_events(name), entry)
            answers = await pipeline.execute()
        self._count(LIVE, STORED, sum(answer is not None for answer in answers))
        for name, count in lost.items():
            self._organizations[name].told(count)
        for (name, _), answer in zip(entries, answers, strict=True):
            if answer is None:
                self._heard(self._organizations[name], there=False)

    def _of(self, event: _Event) -> _Organization:
        return self._organizations[event.origin.organization]

    def _is_due(self, organization: _Organization, now_ms: int) -> bool:
        return not organization.wanted and now_ms >= organization.ask_at_ms

    def _heard(self, organization: _Organization, *, there: bool) -> None:
        organization.wanted = there
        if not there:
            organization.ask_at_ms = self._clock.monotonic_ms() + ASK_AGAIN_MS
            organization.lost, organization.unheard = 0, False  # nobody is there to be told


def _add(pipeline: Any, key: str, entry: Mapping[str, str]) -> None:
    pipeline.xadd(key, dict(entry), nomkstream=True, maxlen=LIVE_KEPT, approximate=True)
