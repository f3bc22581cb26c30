"""The live feed in memory: for one process, which publishes and watches."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

from adapters.memory.ledger import wall_ms
from collector.domain.errors import AwayError
from collector.domain.outcome import Gap, Reading
from collector.ports.live import (
    LIVE_KEPT,
    LIVE_KEPT_MS,
    LIVE_WAITING,
    PAST_AT_ONCE,
    Begun,
    Dropped,
    Interrupted,
    LiveEvent,
    LiveItem,
    Origin,
    Past,
    Resumed,
)

Entry = tuple[int, LiveEvent | Dropped]
"""Its place, which counts up, and what it says."""


@dataclass(slots=True)
class _Stream:
    """The events of an organization that is watched, or was until lately; `begun` is the place before the first."""

    begun: int
    ends_ms: int = 0
    watchers: int = 0
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=LIVE_KEPT))

    @property
    def oldest(self) -> int:
        """The first place that is still kept: whoever stands there or later has missed nothing."""
        return self.entries[0][0] if len(self.entries) == LIVE_KEPT else self.begun

    @property
    def newest(self) -> int:
        """The place behind which nothing is kept yet."""
        return self.entries[-1][0] if self.entries else self.begun

    def after(self, place: int) -> list[Entry]:
        """What is kept behind the place."""
        return [entry for entry in self.entries if entry[0] > place]


class InMemoryLive:
    """`LiveFeed` in a process."""

    def __init__(self, now_ms: Callable[[], int] = wall_ms) -> None:
        self._now_ms = now_ms
        self._streams: dict[str, _Stream] = {}
        self._places = count(1)
        self._waiting: deque[tuple[Origin, Reading | Gap]] = deque()
        self._lost: Counter[str] = Counter()
        self._away = False
        self._news = asyncio.Event()

    @property
    def away(self) -> bool:
        """Whether it behaves as if its server could not be reached; what is published meanwhile waits."""
        return self._away

    @away.setter
    def away(self, away: bool) -> None:
        self._away = away
        if not away:
            for organization, events in self._lost.items():
                self._add(organization, next(self._places), Dropped(events))
            self._lost.clear()
            while self._waiting:
                self._add_event(*self._waiting.popleft())
        self._ring()

    def forget_all(self) -> None:
        """As if its server was emptied."""
        self._streams.clear()
        self._ring()

    def publish(self, origin: Origin, outcomes: Iterable[Reading | Gap]) -> None:
        """Send them to whoever watches the organization; see `LiveFeed.publish`."""
        if self._there(origin.organization) is None:
            return
        for outcome in outcomes:
            if not self._away:
                self._add_event(origin, outcome)
                continue
            self._waiting.append((origin, outcome))
            if len(self._waiting) > LIVE_WAITING:
                self._lost[self._waiting.popleft()[0].organization] += 1
        self._ring()

    async def watch(self, organization: str) -> AsyncGenerator[LiveItem, None]:
        """All events from now on; see `LiveFeed.watch`."""
        place, interrupted = None, False
        while True:
            news = self._news  # taken before looking: what is published meanwhile rings it
            if self._away:
                if not interrupted:
                    interrupted = True
                    yield Interrupted()
                await news.wait()
                continue
            if interrupted:
                interrupted = False
                yield Resumed()
            stream = self._made(organization)
            if place is None:
                place = stream.newest
                yield Begun(_id(place))
            elif place < stream.oldest:
                place = stream.begun
                yield Dropped(None)
            for reached, item in stream.after(place):
                place = reached
                yield item
            await self._wait(stream, news)

    async def past(self, organization: str, after: str, upto: str) -> Past:
        """Kept events of a range; see `LiveFeed.past`."""
        if self._away:
            raise AwayError("the live feed is away")
        stream, begin = self._made(organization), _place(after)
        there = stream.oldest <= begin <= stream.newest
        missing: list[LiveEvent | Dropped] = [] if there else [Dropped(None)]
        found = [entry for entry in stream.after(begin) if entry[0] <= _place(upto)]
        some = found[:PAST_AT_ONCE]
        more = len(found) > PAST_AT_ONCE
        return Past([*missing, *(item for _, item in some)], _id(some[-1][0]) if more else None)

    async def _wait(self, stream: _Stream, news: asyncio.Event) -> None:
        """For whatever happens next; a stream is kept while somebody waits for it, and for a while after that."""
        stream.watchers += 1
        try:
            await news.wait()
        finally:
            stream.watchers -= 1
            stream.ends_ms = self._now_ms() + LIVE_KEPT_MS

    def _there(self, organization: str) -> _Stream | None:
        stream = self._streams.get(organization)
        return stream if stream and (stream.watchers or self._now_ms() < stream.ends_ms) else None

    def _made(self, organization: str) -> _Stream:
        stream = self._there(organization)
        if stream is None:
            stream = self._streams[organization] = _Stream(next(self._places))
        stream.ends_ms = self._now_ms() + LIVE_KEPT_MS
        return stream

    def _add_event(self, origin: Origin, outcome: Reading | Gap) -> None:
        place = next(self._places)
        self._add(origin.organization, place, LiveEvent(_id(place), origin.chamber_id, origin.section, outcome))

    def _add(self, organization: str, place: int, item: LiveEvent | Dropped) -> None:
        stream = self._there(organization)
        if stream is not None:
            stream.entries.append((place, item))

    def _ring(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _id(place: int) -> str:
    return f"{place}-0"


def _place(event_id: str) -> int:
    return int(event_id.partition("-")[0])
