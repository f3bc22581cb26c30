"""Streams: each checks its key again, says that it is still there, and ends when it has to; one kind is HTTP's."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.field_errors import FieldError
from api.live_texts import KEEP_ALIVE, beginning, interrupted, text_of
from api.problems import RETRY_AFTER_S, ProblemError
from collector.domain.errors import AwayError
from collector.ports import LiveEvent, Resumed
from collector.usecases.watching import Closed, Subscription, ToShow

KEY_UNKNOWN = "the credential cannot be checked: PostgreSQL is away"
KEY_GONE = "this credential is not valid any more"

SENT_AT_ONCE = 50

CheckKey = Callable[[], Awaitable[bool]]
"""Whether the key is still good.

Raises:
    AwayError: it cannot be looked up.
"""


@dataclass(frozen=True, slots=True)
class StreamRules:
    """How streams behave.

    Attributes:
        at_most: streams of a process at a time.
        check_s: how often a credential is checked again: one that was revoked ends its streams within 5 s.
        keep_alive_s: after so long without an event a comment is sent: proxies close what is silent.
        retry_ms: when clients are to connect again.
    """

    at_most: int = 100
    check_s: float = 4.0
    keep_alive_s: float = 15.0
    retry_ms: int = 3_000


class Streams:
    """The open streams of this process."""

    def __init__(self, rules: StreamRules) -> None:
        self.rules = rules
        self.open = 0

    def check_room(self) -> None:
        """Refuse one more than there may be.

        Raises:
            ProblemError: 503, and what to do.
        """
        if self.open >= self.rules.at_most:
            remedy = "close streams that nobody reads, or raise CHAMBERLOG_MAX_STREAMS of the API"
            problem = f"{self.open} live streams are open in this process, which is the most it may have"
            field = FieldError(field="CHAMBERLOG_MAX_STREAMS", problem=problem, remedy=remedy)
            raise ProblemError(503, f"{problem}; {remedy}", [field], {"Retry-After": str(RETRY_AFTER_S)})


@dataclass(frozen=True, slots=True)
class Watched:
    """What a stream shows, once it is begun.

    Attributes:
        begin: starts the subscription.
        end: ends it.
        check_key: see `CheckKey`.
    """

    begin: Callable[[], Subscription]
    end: Callable[[Subscription], None]
    check_key: CheckKey


@dataclass(frozen=True, slots=True)
class Withheld:
    """Nothing is shown for now, because it cannot be told whether the key is still good; `Resumed` ends it."""

    reason: str


Said = ToShow | Withheld


class EventStream(StreamingResponse):
    """The answer that goes on until the client leaves, its key is revoked, or the process stops."""

    def __init__(self, streams: Streams, watched: Watched) -> None:
        self._streams = streams
        self._texts = _texts(streams.rules, watched)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._texts, headers=headers, media_type="text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it; whatever ends it, its place is free again."""
        self._streams.open += 1
        try:
            async with aclosing(self._texts):
                await super().__call__(scope, receive, send)
        finally:
            self._streams.open -= 1


async def _texts(rules: StreamRules, watched: Watched) -> AsyncGenerator[str, None]:
    async with aclosing(Telling(rules, watched).parts()) as parts:
        await anext(parts)
        yield beginning(rules.retry_ms)
        async for part in parts:
            yield "".join(map(_text, part)) or KEEP_ALIVE


class Telling:
    """What one stream says, and when its key has to be checked and a sign of life given."""

    def __init__(self, rules: StreamRules, watched: Watched) -> None:
        self._rules, self._watched = rules, watched
        self._withheld = False
        self._check_at = self._speak_at = 0.0

    async def parts(self) -> AsyncGenerator[Sequence[Said], None]:
        """Begin watching and go on until it is closed; while the key cannot be checked nothing is shown.

        The first part is empty: it has begun. So is one after `keep_alive_s` in which there was nothing to say.
        """
        watcher = self._watched.begin()
        try:
            yield ()
            self._check_at = _now() + self._rules.check_s
            while True:
                self._speak_at = _now() + self._rules.keep_alive_s
                item = await self._next(watcher)
                yield () if item is None else (item, *self._more(watcher, item))
                if isinstance(item, Closed):
                    return
        finally:
            self._watched.end(watcher)

    async def _next(self, watcher: Subscription) -> Said | None:
        """The next thing to say; None = that there is nothing."""
        while _now() < self._speak_at:
            if _now() >= self._check_at:
                self._check_at = _now() + self._rules.check_s
                verdict = await self._verdict()
                if verdict is not None:
                    return verdict
            try:
                async with asyncio.timeout_at(min(self._check_at, self._speak_at)):
                    if not self._withheld:
                        return await watcher.next()
                    await watcher.closed.wait()
                    return await watcher.next()
            except TimeoutError:
                continue
        return None

    def _more(self, watcher: Subscription, first: Said) -> Iterator[LiveEvent]:
        """Events that wait behind an event: stored together, they are sent together."""
        for _ in range(SENT_AT_ONCE if isinstance(first, LiveEvent) else 0):
            event = watcher.ready_event()
            if event is None:
                return
            yield event

    async def _verdict(self) -> Said | None:
        """What the key's check has to say, if anything."""
        try:
            good = await self._watched.check_key()
        except AwayError:
            before, self._withheld = self._withheld, True
            return None if before else Withheld(KEY_UNKNOWN)
        if not good:
            return Closed(KEY_GONE)
        before, self._withheld = self._withheld, False
        return Resumed() if before else None


def _text(item: Said) -> str:
    return interrupted(item.reason) if isinstance(item, Withheld) else text_of(item)


def _now() -> float:
    return asyncio.get_running_loop().time()
