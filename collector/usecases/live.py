"""Watching an organization live: one reader of the feed for all who watch it in this process."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial

from collector.domain.errors import AwayError
from collector.domain.outcome import Reading
from collector.ports import (
    ActiveChambers,
    ActivePart,
    Begun,
    Interrupted,
    LiveEvent,
    LiveFeed,
    LiveItem,
    Past,
    Registry,
    Resumed,
    Sections,
)
from collector.ports.active import ACTIVE_LIMIT
from collector.usecases.detectors import leaving_out
from collector.usecases.watching import LiveFilter, Subscription

LOOK_AGAIN_S = 5.0
"""A detector that was switched off or on is left out or shown within this."""
FIRST_LOOK_S = 1.0
STOPPING = "the API stops: connect again"
DEFECT = "a defect ended the feed: connect again, and see the log of the API"

log = logging.getLogger(__name__)


class Inactive:
    """Which detectors of an organization's chambers are switched off, as far as it can be known without waiting."""

    def __init__(self, registry: Registry, active: ActiveChambers) -> None:
        self._registry, self._active = registry, active

    async def __call__(self, organization: str) -> Mapping[str, frozenset[str]]:
        """By chamber id; chambers without one are absent.

        Raises:
            AwayError: neither cache nor registry can say.
        """
        read = partial(self._registry.active, organization)
        page = await self._active.page(organization, ActivePart(ACTIVE_LIMIT), read)
        chambers = await read(ACTIVE_LIMIT) if page is None else page.items
        return {chamber.id: frozenset(chamber.inactive) for chamber in chambers if chamber.inactive}


class Channel:
    """An organization's events, for everybody who watches it here; it runs while somebody does."""

    def __init__(self, organization: str, feed: LiveFeed, inactive: Inactive) -> None:
        self._organization, self._feed, self._inactive = organization, feed, inactive
        self._switched_off: Mapping[str, frozenset[str]] = {}
        self._watchers: dict[Subscription, str | None] = {}
        self._position: str | None = None
        self._interrupted = False
        self._running: list[asyncio.Task[None]] = []

    def __len__(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def subscribe(self, wanted: LiveFilter, after: str | None) -> Subscription:
        """Another watcher: from now on, or from the event `after`."""
        watcher = Subscription(wanted, self._past)
        self._watchers[watcher] = after
        if not self._running:
            self._running = [asyncio.create_task(self._follow()), asyncio.create_task(self._look())]
            for task in self._running:
                task.add_done_callback(self._ended)
        if self._interrupted:
            watcher.offer(Interrupted())
        self._catch_up(watcher)
        return watcher

    def unsubscribe(self, watcher: Subscription) -> None:
        """One less; after the last one the feed is not read any more."""
        self._watchers.pop(watcher, None)
        if not self._watchers:
            running, self._running = self._running, []
            self._position, self._interrupted = None, False
            for task in running:
                task.cancel()

    def close(self, reason: str) -> None:
        """End every subscription."""
        for watcher in list(self._watchers):
            watcher.close(reason)
            self.unsubscribe(watcher)

    async def _follow(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LOOK_S):
                await self._refresh()
        async with aclosing(self._feed.watch(self._organization)) as items:
            async for item in items:
                if asyncio.current_task() not in self._running:  # a client may have swallowed the cancel
                    return
                self._give(item)

    async def _look(self) -> None:
        while asyncio.current_task() in self._running:
            await asyncio.sleep(LOOK_AGAIN_S)
            await self._refresh()

    async def _refresh(self) -> None:
        with suppress(AwayError):  # what was known stays
            self._switched_off = await self._inactive(self._organization)

    def _give(self, item: LiveItem) -> None:
        if isinstance(item, Begun):
            self._position = item.after
            for watcher in self._watchers:
                self._catch_up(watcher)
            return
        if isinstance(item, LiveEvent):
            self._position = item.id
            item = self._shown(item)
        elif isinstance(item, Interrupted | Resumed):
            self._interrupted = isinstance(item, Interrupted)
        for watcher in self._watchers:
            watcher.offer(item)

    def _catch_up(self, watcher: Subscription) -> None:
        """Once it is known where the reader stands: what lies before is past, what comes after is offered."""
        after = self._watchers[watcher]
        if after is not None and self._position is not None:
            watcher.catch_up(after, self._position)
            self._watchers[watcher] = None

    async def _past(self, after: str, upto: str) -> Past:
        past = await self._feed.past(self._organization, after, upto)
        return replace(past, items=[self._shown(i) if isinstance(i, LiveEvent) else i for i in past.items])

    def _shown(self, event: LiveEvent) -> LiveEvent:
        names = self._switched_off.get(event.chamber_id, frozenset())
        if not names or not isinstance(event.outcome, Reading):
            return event
        return replace(event, outcome=leaving_out(event.outcome, names))

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if task in self._running:
            log.error("the feed of an organization ended by a defect", exc_info=task.exception())
            self.close(DEFECT)


class WatchLive:
    """Lets people watch an organization, or a part of it, as outcomes are stored."""

    def __init__(self, registry: Registry, sections: Sections, active: ActiveChambers, feed: LiveFeed) -> None:
        self._registry, self._sections, self._feed = registry, sections, feed
        self._inactive = Inactive(registry, active)
        self._channels: dict[str, Channel] = {}
        self._stopping = False

    def check_open(self) -> None:
        """Refuse a new watcher while this process stops.

        Raises:
            AwayError: it stops.
        """
        if self._stopping:
            raise AwayError(STOPPING)

    async def check_chamber(self, organization: str, chamber_id: str) -> None:
        """Whether there is such a chamber.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the registry cannot be reached.
        """
        await self._registry.find(organization, chamber_id)

    async def check_section(self, organization: str, section: str) -> None:
        """Whether there is such a section, open or closed.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the registry cannot be reached.
        """
        await self._sections.find(organization, section)

    def subscribe(self, organization: str, wanted: LiveFilter, after: str | None = None) -> Subscription:
        """Watch from now on, or from the event of the id `after`; `unsubscribe` ends it."""
        channel = self._channels.get(organization)
        if channel is None:
            channel = self._channels[organization] = Channel(organization, self._feed, self._inactive)
        watcher = channel.subscribe(wanted, after)
        if self._stopping:
            watcher.close(STOPPING)
        return watcher

    def unsubscribe(self, organization: str, watcher: Subscription) -> None:
        """Watch no more. Again: nothing happens."""
        channel = self._channels.get(organization)
        if channel is not None:
            channel.unsubscribe(watcher)
            if not len(channel):
                del self._channels[organization]

    def stop(self) -> None:
        """End every subscription, and let nobody begin another. Again: nothing happens."""
        self._stopping = True
        for channel in list(self._channels.values()):
            channel.close(STOPPING)
        self._channels.clear()
