"""The contract of `LiveFeed`, over the twin and over a real Valkey; then what only a server can do."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from redis.asyncio import Redis

from adapters.memory import InMemoryLive
from adapters.redis.keys import live_events
from adapters.redis.live import RedisLive
from adapters.redis.live_publisher import ASK_AGAIN_MS, AT_ONCE
from collector.domain.errors import AwayError, InvalidFieldError
from collector.domain.outcome import Gap, GapReason, Measurement, Quality, Reading
from collector.ports.live import (
    EVENT_ID,
    LIVE_KEPT_MS,
    LIVE_WAITING,
    PAST_AT_ONCE,
    Begun,
    Dropped,
    Interrupted,
    LiveEvent,
    LiveFeed,
    LiveItem,
    Origin,
    Resumed,
)
from tests.contract.valkey_server import ValkeyServer, WallClock

HERE, ELSEWHERE = Origin("lab", "cold", "incubator-7"), Origin("clinic", "cold", "theirs")
T = TypeVar("T")


class Watcher:
    """Reads a feed beside the test."""

    def __init__(self, items: AsyncIterator[LiveItem]) -> None:
        self.items: list[LiveItem] = []
        self._reading = asyncio.create_task(self._read(items))

    async def _read(self, items: AsyncIterator[LiveItem]) -> None:
        async for item in items:
            self.items.append(item)

    @property
    def slots(self) -> list[int]:
        return [slot_of(item) for item in self.items if isinstance(item, LiveEvent)]

    def count(self, kind: type[LiveItem]) -> int:
        return sum(isinstance(item, kind) for item in self.items)

    async def until(self, true: Callable[["Watcher"], bool], within_s: float = 15.0) -> None:
        """Wait until it is true of what has been read."""
        try:
            async with asyncio.timeout(within_s):
                while not true(self):
                    assert not self._reading.done(), self._reading.exception()
                    await asyncio.sleep(0.01)
        except TimeoutError:
            pytest.fail(f"not within {within_s} s; read: {self.items[-20:]}")

    async def has(self, kind: type[LiveItem], times: int = 1) -> None:
        await self.until(lambda watcher: watcher.count(kind) >= times)

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


@asynccontextmanager
async def watching(feed: LiveFeed, organization: str = "lab") -> AsyncIterator[Watcher]:
    watcher = Watcher(feed.watch(organization))
    try:
        yield watcher
    finally:
        await watcher.close()


def slot_of(event: LiveEvent) -> int:
    return event.outcome.slot_ms if isinstance(event.outcome, Reading) else event.outcome.first_ms


def reading(slot_ms: int) -> Reading:
    measurements = (Measurement("temperature", 21.5, "Cel"), Measurement("co2", None, "[ppm]", Quality.BAD))
    return Reading(slot_ms, slot_ms + 1, slot_ms + 20, measurements, 3, slot_ms - 7)


def publish(feed: LiveFeed, *slots: int, origin: Origin = HERE) -> None:
    feed.publish(origin, [reading(slot) for slot in slots])


class Faults:
    """Takes the feed away and brings it back, in one way or another."""

    def __init__(
        self, away: Callable[[], Awaitable[None]], back: Callable[[], None], forget: Callable[[], Awaitable[None]]
    ) -> None:
        self.away, self.back, self.forget = away, back, forget


@pytest.fixture
async def redis_live(valkey: ValkeyServer, valkey_client: Redis, wall_clock: WallClock) -> AsyncIterator[RedisLive]:
    """Publishes and watches, as a worker and an API would each do with one of their own."""
    feed = RedisLive.at(valkey.url, wall_clock)
    yield feed
    await feed.close()


@pytest.fixture
async def another(valkey: ValkeyServer, redis_live: RedisLive, wall_clock: WallClock) -> AsyncIterator[RedisLive]:
    """Of another process."""
    feed = RedisLive.at(valkey.url, wall_clock)
    yield feed
    await feed.close()


@pytest.fixture(params=["memory", "valkey"])
def feed(request: pytest.FixtureRequest, wall_clock: WallClock) -> LiveFeed:
    if request.param == "memory":
        return InMemoryLive(wall_clock.now_ms)
    valkey: LiveFeed = request.getfixturevalue("redis_live")
    return valkey


@pytest.fixture
def faults(request: pytest.FixtureRequest, feed: LiveFeed) -> Faults:
    if isinstance(feed, InMemoryLive):

        async def away() -> None:
            feed.away = True

        async def forget() -> None:
            feed.forget_all()

        return Faults(away, lambda: setattr(feed, "away", False), forget)
    server: ValkeyServer = request.getfixturevalue("valkey")
    client: Redis = request.getfixturevalue("valkey_client")

    async def flush() -> None:
        await client.flushall()

    async def kill() -> None:
        await asyncio.sleep(1.1)  # the append-only file is written each second
        server.kill()

    return Faults(kill, server.start, flush)


# ---- the contract


async def test_events_come_whole_and_in_their_order(feed: LiveFeed) -> None:
    gap = Gap(3_000, 5_000, GapReason.TIMEOUT, "no whole answer in 10 s")
    pause = Gap(6_000, None, GapReason.PAUSED, "door", "key/1", 9_000)
    async with watching(feed) as watcher:
        await watcher.has(Begun)
        feed.publish(HERE, [reading(1_000), reading(2_000)])
        feed.publish(HERE, [gap])
        feed.publish(Origin("lab", "", "c-2"), [pause])
        await watcher.has(LiveEvent, 4)
    events = [item for item in watcher.items if isinstance(item, LiveEvent)]
    assert [e.outcome for e in events] == [reading(1_000), reading(2_000), gap, pause]
    assert [(e.chamber_id, e.section) for e in events] == [("incubator-7", "cold")] * 3 + [("c-2", "")]
    assert len({e.id for e in events}) == 4
    assert all(EVENT_ID.fullmatch(e.id) for e in events)
    assert isinstance(watcher.items[0], Begun)
    assert watcher.count(Dropped) == 0


async def test_who_begins_sees_nothing_of_before(feed: LiveFeed) -> None:
    async with watching(feed) as early:
        await early.has(Begun)
        publish(feed, 2_000)
        await early.has(LiveEvent)
        async with watching(feed) as late:
            await late.has(Begun)
            publish(feed, 3_000)
            await late.has(LiveEvent)
        assert (early.slots[0], late.slots) == (2_000, [3_000])


async def test_organizations_never_see_each_others_events(feed: LiveFeed) -> None:
    async with watching(feed, "lab") as ours, watching(feed, "clinic") as theirs:
        await ours.has(Begun)
        await theirs.has(Begun)
        for slot in range(1_000, 50_000, 1_000):
            publish(feed, slot)
            publish(feed, slot + 7, origin=ELSEWHERE)
        publish(feed, 99_000)
        publish(feed, 99_007, origin=ELSEWHERE)
        await ours.until(lambda watcher: watcher.slots[-1:] == [99_000])
        await theirs.until(lambda watcher: watcher.slots[-1:] == [99_007])
        assert {slot % 1_000 for slot in ours.slots} == {0}
        assert {slot % 1_000 for slot in theirs.slots} == {7}
        assert len(ours.slots) == len(theirs.slots) == 50
        upto = ours.items[-1]
        assert isinstance(upto, LiveEvent)
        past = await feed.past("clinic", "0-0", upto.id)
        assert {slot_of(e) % 1_000 for e in past.items if isinstance(e, LiveEvent)} <= {7}


async def test_who_comes_back_gets_what_it_missed(feed: LiveFeed) -> None:
    async with watching(feed) as watcher:
        await watcher.has(Begun)
        publish(feed, 1_000, 2_000, 3_000, 4_000, 5_000)
        await watcher.has(LiveEvent, 5)
    ids = [item.id for item in watcher.items if isinstance(item, LiveEvent)]
    publish(feed, 6_000)  # nobody watches now, but somebody did until just now
    async with watching(feed) as again:
        await again.has(Begun)
        begun = again.items[0]
        assert isinstance(begun, Begun)
        past = await eventually_past(feed, ids[1], begun.after, 4)
        assert [slot_of(e) for e in past if isinstance(e, LiveEvent)] == [3_000, 4_000, 5_000, 6_000]
        assert not any(isinstance(item, Dropped) for item in past)
        nothing = await feed.past("lab", begun.after, begun.after)
        assert (list(nothing.items), nothing.go_on_after) == ([], None)
        up_to_the_third = await feed.past("lab", ids[1], ids[2])
        assert [slot_of(e) for e in up_to_the_third.items if isinstance(e, LiveEvent)] == [3_000]


async def eventually_past(feed: LiveFeed, after: str, upto: str, events: int) -> list[LiveEvent | Dropped]:
    """The past in portions; what was published a moment ago may still be on its way."""
    for _ in range(50):
        found: list[LiveEvent | Dropped] = []
        place: str | None = after
        while place is not None:
            past = await feed.past("lab", place, upto)
            found += past.items
            place = past.go_on_after
        if sum(isinstance(item, LiveEvent) for item in found) >= events:
            return found
        await asyncio.sleep(0.05)
        async with watching(feed) as watcher:
            await watcher.has(Begun)
            begun = watcher.items[0]
            assert isinstance(begun, Begun)
            upto = begun.after
    pytest.fail(f"not {events} events: {found}")


async def test_a_long_past_comes_in_portions(feed: LiveFeed) -> None:
    number = 2 * PAST_AT_ONCE + 3
    async with watching(feed) as watcher:
        await watcher.has(Begun)
        publish(feed, *range(1_000, 1_000 + number))
        await watcher.has(LiveEvent, number)
    events = [item for item in watcher.items if isinstance(item, LiveEvent)]
    first = await feed.past("lab", events[0].id, events[-1].id)
    assert len(first.items) == PAST_AT_ONCE
    assert first.go_on_after is not None
    second = await feed.past("lab", first.go_on_after, events[-1].id)
    assert second.go_on_after is not None
    third = await feed.past("lab", second.go_on_after, events[-1].id)
    assert third.go_on_after is None
    found = [e for part in (first, second, third) for e in part.items if isinstance(e, LiveEvent)]
    assert [slot_of(e) for e in found] == list(range(1_001, 1_000 + number))


async def test_a_past_that_is_not_kept_any_more_begins_with_a_hole(feed: LiveFeed, faults: Faults) -> None:
    async with watching(feed) as watcher:
        await watcher.has(Begun)
        publish(feed, 1_000, 2_000)
        await watcher.has(LiveEvent, 2)
    last = [item.id for item in watcher.items if isinstance(item, LiveEvent)][-1]
    await faults.forget()
    async with watching(feed) as again:
        await again.has(Begun)
        begun = again.items[0]
        assert isinstance(begun, Begun)
        assert list((await feed.past("lab", last, begun.after)).items) == [Dropped(None)]


async def test_a_feed_that_is_away_says_so_and_nothing_is_lost_while_its_publisher_waits(
    feed: LiveFeed, faults: Faults
) -> None:
    async with watching(feed) as watcher:
        await watcher.has(Begun)
        publish(feed, 1_000)
        await watcher.has(LiveEvent)
        await faults.away()
        await watcher.has(Interrupted)
        publish(feed, 2_000, 3_000)
        with pytest.raises(AwayError):
            await feed.past("lab", "1-0", "2-0")
        faults.back()
        await watcher.has(Resumed)
        publish(feed, 4_000)
        await watcher.until(lambda w: {2_000, 3_000, 4_000} <= set(w.slots))
    kinds = [type(item) for item in watcher.items if not isinstance(item, LiveEvent)]
    assert kinds == [Begun, Interrupted, Resumed], "once each"
    assert watcher.items.index(Resumed()) < [
        slot_of(i) if isinstance(i, LiveEvent) else 0 for i in watcher.items
    ].index(2_000)


async def test_who_begins_while_it_is_away_is_told_and_begins_once_it_is_back(feed: LiveFeed, faults: Faults) -> None:
    await faults.away()
    async with watching(feed) as watcher:
        await watcher.has(Interrupted)
        faults.back()
        await watcher.has(Begun)
        assert [type(item) for item in watcher.items] == [Interrupted, Resumed, Begun]


async def test_more_than_can_wait_is_counted(feed: LiveFeed, faults: Faults) -> None:
    async with watching(feed) as watcher:
        await watcher.has(Begun)
        publish(feed, 1)
        await watcher.has(LiveEvent)
        await faults.away()
        await watcher.has(Interrupted)
        for first in range(1_000, 1_000 + LIVE_WAITING + 500, 100):
            publish(feed, *range(first, first + 100))
        faults.back()
        last = 1_000 + LIVE_WAITING + 499
        await watcher.until(lambda w: last in w.slots, within_s=30)
        dropped = [item.events for item in watcher.items if isinstance(item, Dropped)]
        newest = watcher.slots[-1_000:]
    assert newest == list(range(last - 999, last + 1)), "the newest are kept"
    assert dropped, "that something is missing is told"
    if None not in dropped:  # else the feed did not hold it all until it was read
        assert sum(events or 0 for events in dropped) + len(set(watcher.slots)) == LIVE_WAITING + 500 + 1


async def test_a_feed_that_forgot_everything_says_that_something_may_be_missing(feed: LiveFeed, faults: Faults) -> None:
    async with watching(feed) as watcher:
        await watcher.has(Begun)
        publish(feed, 1_000)
        await watcher.has(LiveEvent)
        await faults.forget()
        await watcher.has(Dropped)
        assert watcher.items[-1] == Dropped(None)
        for slot in range(2_000, 200_000, 1_000):  # it is heard of again within 2 s
            publish(feed, slot)
            if len(watcher.slots) > 1:
                break
            await asyncio.sleep(0.1)
        await watcher.has(LiveEvent, 2)


async def test_publishing_to_nobody_leaves_nothing(feed: LiveFeed) -> None:
    publish(feed, 1_000)
    async with watching(feed, "clinic") as watcher:
        await watcher.has(Begun)
        publish(feed, 2_000)
        await asyncio.sleep(0.1)
    assert watcher.slots == []


# ---- Valkey alone


async def within(seconds: float, work: Awaitable[T]) -> T:
    async with asyncio.timeout(seconds):
        return await work


async def test_a_publisher_finds_watchers_of_another_process_within_2_s(
    redis_live: RedisLive, another: RedisLive, wall_clock: WallClock
) -> None:
    publish(another, 1_000)
    await asyncio.sleep(0.2)  # it has heard that nobody watches
    async with watching(redis_live) as watcher:
        await watcher.has(Begun)
        publish(another, 2_000)
        await asyncio.sleep(0.2)
        assert watcher.slots == [], "it asks at most each 2 s"
        wall_clock.monotonic_ahead_ms += ASK_AGAIN_MS
        publish(another, 3_000)
        await watcher.has(LiveEvent)
        publish(another, 4_000)
        await watcher.has(LiveEvent, 2)
    assert watcher.slots == [3_000, 4_000]


async def test_while_nobody_watches_there_is_no_key_and_hardly_a_command(
    redis_live: RedisLive, valkey_client: Redis
) -> None:
    publish(redis_live, 1)
    await asyncio.sleep(0.2)
    before = (await valkey_client.info("stats"))["total_commands_processed"]
    for slot in range(1_000):
        publish(redis_live, slot)
        await asyncio.sleep(0)
    assert redis_live._publisher._sending is None
    spent = (await valkey_client.info("stats"))["total_commands_processed"] - before
    assert spent <= 3, "the test's own, and one question at most"
    assert await valkey_client.keys("*") == []


async def test_a_stream_lives_as_long_as_somebody_watches_and_a_minute_longer(
    redis_live: RedisLive, valkey_client: Redis, wall_clock: WallClock
) -> None:
    async with watching(redis_live) as watcher:
        await watcher.has(Begun)
        await valkey_client.pexpire(live_events("lab"), 5_000)
        wall_clock.monotonic_ahead_ms += 2_000
        await asyncio.sleep(1.3)  # an answer that waits for events comes after a second
        assert await valkey_client.pttl(live_events("lab")) > LIVE_KEPT_MS - 5_000
    assert 0 < await valkey_client.pttl(live_events("lab")) <= LIVE_KEPT_MS


async def test_a_stream_that_nobody_watches_any_more_is_not_made_again(
    redis_live: RedisLive, valkey_client: Redis
) -> None:
    async with watching(redis_live) as watcher:
        await watcher.has(Begun)
        publish(redis_live, 1_000)
        await watcher.has(LiveEvent)
    await valkey_client.delete(live_events("lab"))  # as its time to live does it
    publish(redis_live, 2_000)
    await asyncio.sleep(0.3)
    assert not redis_live._publisher._organizations["lab"].wanted
    assert await valkey_client.keys("*") == []


async def test_those_of_one_turn_travel_in_groups(redis_live: RedisLive, valkey_client: Redis) -> None:
    async with watching(redis_live) as watcher:
        await watcher.has(Begun)
        for slot in range(2 * AT_ONCE + 1):
            publish(redis_live, slot, origin=Origin("lab", "cold", f"c-{slot}"))
        await watcher.has(LiveEvent, 2 * AT_ONCE + 1)
    assert watcher.slots == list(range(2 * AT_ONCE + 1))
    assert await valkey_client.xlen(live_events("lab")) == 2 * AT_ONCE + 2  # and the entry that began it


@pytest.mark.parametrize("again", range(2))
async def test_a_server_that_hangs_is_noticed_and_nothing_is_lost(
    redis_live: RedisLive, valkey: ValkeyServer, again: int
) -> None:
    async with watching(redis_live) as watcher:
        await watcher.has(Begun)
        publish(redis_live, 1_000)
        await watcher.has(LiveEvent)
        valkey.freeze()
        started = time.monotonic()
        publish(redis_live, 2_000)
        assert time.monotonic() - started < 0.05, "publishing never waits"
        await watcher.has(Interrupted)
        assert time.monotonic() - started < 5
        valkey.thaw()
        await watcher.has(Resumed)
        publish(redis_live, 3_000)
        await watcher.until(lambda w: {1_000, 2_000, 3_000} <= set(w.slots))
    assert sorted(set(watcher.slots)) == [1_000, 2_000, 3_000], "a group that was sent in vain may come twice"
    assert watcher.count(Dropped) == 0


async def test_a_server_that_was_killed_and_is_back_still_holds_what_it_had(
    redis_live: RedisLive, another: RedisLive, valkey: ValkeyServer
) -> None:
    async with watching(redis_live) as watcher:
        await watcher.has(Begun)
        publish(another, 1_000)
        publish(another, 2_000)
        await watcher.has(LiveEvent, 2)
        await asyncio.sleep(1.1)  # the append-only file is written each second
        first = next(item.id for item in watcher.items if isinstance(item, LiveEvent))
        valkey.kill()
        await watcher.has(Interrupted)
        valkey.start()
        await watcher.has(Resumed)
        past = await redis_live.past("lab", first, f"{2**60}-0")
        assert [slot_of(e) for e in past.items if isinstance(e, LiveEvent)] == [2_000]
        publish(another, 3_000)
        await watcher.until(lambda w: 3_000 in w.slots)
        assert watcher.slots == [1_000, 2_000, 3_000]
        assert watcher.count(Dropped) == 0


async def test_a_reader_that_stood_still_while_the_stream_was_trimmed_is_told(
    redis_live: RedisLive, valkey_client: Redis
) -> None:
    items = redis_live.watch("lab")
    assert isinstance(await within(10, anext(items)), Begun)
    publish(redis_live, 1_000)
    event = await within(10, anext(items))
    assert isinstance(event, LiveEvent)
    for slot in range(2_000, 2_300):
        await valkey_client.xadd(live_events("lab"), {"lost": str(slot)}, maxlen=100, approximate=False)
    redis_live._clock.monotonic_ahead_ms += 10_000  # type: ignore[attr-defined]
    assert await within(10, anext(items)) == Dropped(None)
    assert await within(10, anext(items)) == Dropped(2_200), "then what is there"
    await items.aclose()


async def test_a_server_whose_clock_went_back_after_it_was_emptied_is_followed(
    redis_live: RedisLive, valkey_client: Redis
) -> None:
    key = live_events("lab")
    async with watching(redis_live) as watcher:
        await watcher.has(Begun)
        far = await valkey_client.xadd(key, {"lost": "1"}, id=f"{2**50}-0")
        await watcher.has(Dropped)
        assert far
        await valkey_client.delete(key)
        await watcher.until(lambda w: Dropped(None) in w.items)
        publish(redis_live, 5_000)
        await watcher.has(LiveEvent)


@pytest.mark.parametrize(
    "entry", [{"event": "junk"}, {"event": "{}"}, {"event": '{"chamber":"a","section":"b","outcome":{"kind":"x"}}'}]
)
async def test_an_event_of_another_version_is_one_that_is_missing(
    redis_live: RedisLive, valkey_client: Redis, entry: dict[str, str]
) -> None:
    async with watching(redis_live) as watcher:
        await watcher.has(Begun)
        await valkey_client.xadd(live_events("lab"), entry)  # type: ignore[arg-type]
        await valkey_client.xadd(live_events("lab"), {"hologram": "1"})
        publish(redis_live, 1_000)
        await watcher.has(LiveEvent)
    assert watcher.items[1] == Dropped(1)
    assert len(watcher.items) == 3


async def test_a_worker_that_could_not_reach_the_server_tells_whoever_came_meanwhile(
    valkey: ValkeyServer, redis_live: RedisLive, valkey_client: Redis, wall_clock: WallClock
) -> None:
    worker = RedisLive.at(valkey.url, wall_clock)
    valkey.kill()
    publish(worker, 1_000)
    await asyncio.sleep(0.3)
    valkey.start()
    async with watching(redis_live) as watcher:
        await watcher.has(Begun)
        wall_clock.monotonic_ahead_ms += ASK_AGAIN_MS
        publish(worker, 2_000)
        await watcher.has(LiveEvent)
    await worker.close()
    assert Dropped(None) in watcher.items
    assert watcher.slots == [2_000]


async def test_closing_sends_what_waits(redis_live: RedisLive, another: RedisLive) -> None:
    async with watching(redis_live) as watcher:
        await watcher.has(Begun)
        publish(another, 1_000, 2_000)
        await another.close()
        await watcher.has(LiveEvent, 2)


async def test_closing_does_not_wait_for_a_server_that_is_away(
    redis_live: RedisLive, another: RedisLive, valkey: ValkeyServer
) -> None:
    async with watching(redis_live) as watcher:
        await watcher.has(Begun)
        publish(another, 1_000)
        await watcher.has(LiveEvent)
        valkey.freeze()
        publish(another, 2_000)
        started = time.monotonic()
        await another.close()
        assert time.monotonic() - started < 4


async def test_a_wrong_password_is_a_feed_that_is_away(valkey: ValkeyServer, wall_clock: WallClock) -> None:
    host = valkey.url.rpartition("@")[2]
    feed = RedisLive.at(f"redis://:wrong@{host}", wall_clock)
    publish(feed, 1_000)
    async with watching(feed) as watcher:
        await watcher.has(Interrupted)
    await feed.close()


def test_a_url_that_is_none_is_named(wall_clock: WallClock) -> None:
    with pytest.raises(InvalidFieldError, match="CHAMBERLOG_REDIS"):
        RedisLive.at("127.0.0.1:6379", wall_clock)
