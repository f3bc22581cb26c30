"""What was just stored, for people who watch: a feed that may lose events and says so, beside a ledger that may not."""

import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.domain.outcome import Gap, Reading

LIVE_KEPT_MS = 60_000
"""How long a feed that nobody watches is kept: whoever comes back within this has missed nothing."""
LIVE_KEPT = 10_000
"""Events of an organization that are kept while somebody watches, about 4 MB."""
LIVE_WAITING = 10_000
"""Events that a worker holds while the feed is away, about 10 MB; beyond it the oldest are counted and dropped."""
PAST_AT_ONCE = 500
EVENT_ID = re.compile(r"[0-9]{1,20}-[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where events come from: a chamber, its section at that time ("" = not known) and its organization."""

    organization: str
    section: str
    chamber_id: str


@dataclass(frozen=True, slots=True, eq=False)
class LiveEvent:
    """What became of a slot. Each is itself and equal to no other: what was made of it once is found again by it.

    Attributes:
        id: matches `EVENT_ID`; whoever saw it goes on after it.
        chamber_id: whose.
        section: where that stood; "" = not known.
        outcome: a reading, or a gap (open while `last_ms` is None).
    """

    id: str
    chamber_id: str
    section: str
    outcome: Reading | Gap


@dataclass(frozen=True, slots=True)
class Dropped:
    """Here so many events are missing; None = nobody knows how many."""

    events: int | None


@dataclass(frozen=True, slots=True)
class Begun:
    """From here on: all that comes after the event of this id."""

    after: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The feed cannot be read: that nothing comes does not mean that nothing happens."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """It can be read again; what it still holds of the meantime follows, or `Dropped`."""


LiveItem = LiveEvent | Dropped | Begun | Interrupted | Resumed


@dataclass(frozen=True, slots=True)
class Past:
    """A part of what a feed still holds; `go_on_after` continues it, None = that was all."""

    items: Sequence[LiveEvent | Dropped]
    go_on_after: str | None = None


class LiveFeed(Protocol):
    """The outcomes of each organization as they are stored. Losing it stops the feed, and nothing else."""

    def publish(self, origin: Origin, outcomes: Iterable[Reading | Gap]) -> None:
        """Send them to whoever watches the organization, soon; while nobody does, it costs next to nothing.

        Never raises and never waits. While the feed is away `LIVE_WAITING` events are held, more are counted, and
        both come once it is back. An event may come twice; its chamber and slots say so. That somebody watches is
        known within 2 s: what is stored before is not in the feed.
        """
        ...

    def watch(self, organization: str) -> AsyncGenerator[LiveItem, None]:
        """All events from now on, for ever, in the order in which each worker published them.

        The first item is `Begun`, or `Interrupted` if the feed is away, and then `Begun` after `Resumed`. What this
        reader missed, because the feed forgot it or he was too slow, is told by `Dropped` before what follows it.
        """
        ...

    async def past(self, organization: str, after: str, upto: str) -> Past:
        """Up to `PAST_AT_ONCE` kept events after the one of the id `after`, up to that of the id `upto`.

        It begins with `Dropped(None)` when the event `after` is not kept any more: what followed it may be gone too.

        Raises:
            AwayError: the feed cannot be read.
        """
        ...
