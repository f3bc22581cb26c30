"""What one watcher still has to be shown: bounded, so that a slow one costs nobody else anything."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from collector.domain.errors import AwayError
from collector.ports import Dropped, Interrupted, LiveEvent, Past, Resumed

WAITING = 1_000
"""Events that wait for a watcher. Of one for whom more do all are dropped: whoever is so slow is to see what is now."""


@dataclass(frozen=True, slots=True)
class LiveFilter:
    """Which events of an organization a watcher wants; None does not restrict."""

    chamber_id: str | None = None
    section: str | None = None

    def fits(self, event: LiveEvent) -> bool:
        """Whether it wants this one."""
        return self.chamber_id in (None, event.chamber_id) and self.section in (None, event.section)


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing comes any more, and why; whoever connects again goes on where he was."""

    reason: str


@dataclass(frozen=True, slots=True)
class _CatchUp:
    """Before anything else: what the feed still holds after `after`, up to `upto`."""

    after: str
    upto: str


ToShow = LiveEvent | Dropped | Interrupted | Resumed | Closed
ReadPast = Callable[[str, str], Awaitable[Past]]
"""From `after` and `upto` to a part of what the feed still holds."""
NOTHING = Dropped(0)


class Subscription:
    """What a watcher has to be shown, in its order. `offer` never waits; `next` does.

    Args:
        wanted: which events.
        read_past: how a watcher that comes back reads what it has missed.
    """

    def __init__(self, wanted: LiveFilter, read_past: ReadPast) -> None:
        self.wanted = wanted
        self._read_past = read_past
        self._past: deque[_CatchUp] = deque(maxlen=1)
        self._before: deque[ToShow] = deque()
        self._dropped = NOTHING
        self._waiting: deque[ToShow] = deque()
        self._news = asyncio.Event()
        self.closed = asyncio.Event()

    def offer(self, item: ToShow) -> None:
        """Let it wait its turn, if the watcher wants it."""
        if self.closed.is_set() or (isinstance(item, LiveEvent) and not self.wanted.fits(item)):
            return
        if isinstance(item, Dropped) and not self._waiting:
            self._dropped = _sum(self._dropped, item)
        else:
            self._waiting.append(item)
        if len(self._waiting) > WAITING:
            self._drop_all()
        self._news.set()

    def catch_up(self, after: str, upto: str) -> None:
        """Show what lies between first; what was offered before that is shown before it."""
        self._before.extend(self._waiting)
        self._waiting.clear()
        self._past.append(_CatchUp(after, upto))
        self._news.set()

    def close(self, reason: str) -> None:
        """End it: what waits is not shown any more."""
        if not self.closed.is_set():
            self._before.clear()
            self._past.clear()
            self._waiting.clear()
            self._dropped = NOTHING
            self._waiting.append(Closed(reason))
            self.closed.set()
            self._news.set()

    async def next(self) -> ToShow:
        """The next thing to show. It may be cancelled while it waits, and loses nothing by that."""
        while True:
            item = self._ready() or await self._from_past()
            if item is not None:
                return item
            self._news.clear()
            if not self._any():
                await self._news.wait()

    def ready_event(self) -> LiveEvent | None:
        """The next thing to show, if that waits already and is an event."""
        queue = self._before or (self._waiting if not self._past and self._dropped == NOTHING else None)
        if not queue or not isinstance(queue[0], LiveEvent):
            return None
        event = queue.popleft()
        assert isinstance(event, LiveEvent)
        return event

    def _ready(self) -> ToShow | None:
        if self._before:
            return self._before.popleft()
        if self._past:
            return None
        if self._dropped != NOTHING:
            dropped, self._dropped = self._dropped, NOTHING
            return dropped
        return self._waiting.popleft() if self._waiting else None

    def _any(self) -> bool:
        return bool(self._before or self._past or self._waiting or self._dropped != NOTHING)

    async def _from_past(self) -> ToShow | None:
        """Read the next part of the past and let it wait before everything else."""
        if not self._past:
            return None
        asked = self._past[0]
        try:
            part = await self._read_past(asked.after, asked.upto)
        except AwayError:
            part = Past([Dropped(None)])
        if self._past and self._past[0] is asked:  # it was not closed meanwhile
            self._past.clear()
            if part.go_on_after is not None:
                self._past.append(_CatchUp(part.go_on_after, asked.upto))
            self._before.extend(item for item in part.items if isinstance(item, Dropped) or self.wanted.fits(item))
        return self._ready()

    def _drop_all(self) -> None:
        """All events that wait, counted; whether the feed was interrupted is still told, as it is now."""
        for item in self._waiting:
            self._dropped = _sum(self._dropped, Dropped(1) if isinstance(item, LiveEvent) else item)
        kept = [item for item in self._waiting if isinstance(item, Interrupted | Resumed)]
        self._waiting.clear()
        self._waiting.extend(kept[-1:])


def _sum(a: Dropped, b: object) -> Dropped:
    """Both together; what is no hole adds nothing."""
    if not isinstance(b, Dropped):
        return a
    return Dropped(None if a.events is None or b.events is None else a.events + b.events)
