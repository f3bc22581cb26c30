"""What waits for one watcher: its order, its bound, and that every event is shown or counted."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.domain.errors import AwayError
from collector.domain.outcome import Gap, GapReason
from collector.ports import Dropped, Interrupted, LiveEvent, Past, Resumed
from collector.usecases.watching import WAITING, Closed, LiveFilter, Subscription, ToShow

EVERYTHING = LiveFilter()


def event(number: int, chamber: str = "a", section: str = "s") -> LiveEvent:
    return LiveEvent(f"{number}-0", chamber, section, Gap(number, number, GapReason.TIMEOUT))


async def no_past(after: str, upto: str) -> Past:
    raise AssertionError(f"nobody asked for {after} to {upto}")


async def shown(watcher: Subscription, at_most: int = 10_000) -> list[ToShow]:
    """All that waits."""
    found: list[ToShow] = []
    while len(found) < at_most:
        try:
            async with asyncio.timeout(0.02):
                found.append(await watcher.next())
        except TimeoutError:
            break
    return found


def numbers(items: list[ToShow]) -> list[object]:
    """Events by their numbers, the rest as it is."""
    return [int(item.id[:-2]) if isinstance(item, LiveEvent) else item for item in items]


async def test_items_come_in_their_order() -> None:
    watcher = Subscription(EVERYTHING, no_past)
    for item in (event(1), Interrupted(), Resumed(), Dropped(2), event(3)):
        watcher.offer(item)
    assert numbers(await shown(watcher)) == [1, Interrupted(), Resumed(), Dropped(2), 3]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (LiveFilter(), [1, 2, 3]),
        (LiveFilter(chamber_id="a"), [1, 3]),
        (LiveFilter(section="s"), [1, 2]),
        (LiveFilter("a", "s"), [1]),
        (LiveFilter("b", "t"), []),
    ],
)
async def test_a_watcher_gets_what_it_wants(wanted: LiveFilter, expected: list[int]) -> None:
    watcher = Subscription(wanted, no_past)
    for item in (event(1, "a", "s"), event(2, "b", "s"), event(3, "a", "t")):
        watcher.offer(item)
    assert numbers(await shown(watcher)) == expected


async def test_of_one_that_is_too_slow_all_are_dropped_and_counted_and_what_is_now_is_told() -> None:
    watcher = Subscription(EVERYTHING, no_past)
    watcher.offer(Interrupted())
    for number in range(WAITING - 1):
        watcher.offer(event(number))
    watcher.offer(Resumed())
    watcher.offer(event(7))
    assert numbers(await shown(watcher)) == [Dropped(WAITING - 1), Resumed(), 7]


async def test_a_hole_of_unknown_size_stays_one() -> None:
    watcher = Subscription(EVERYTHING, no_past)
    watcher.offer(event(0))
    watcher.offer(Dropped(None))
    for number in range(WAITING):
        watcher.offer(event(number))
    assert (await shown(watcher))[0] == Dropped(None)


async def test_the_past_comes_before_what_is_new_and_in_parts() -> None:
    asked: list[tuple[str, str]] = []

    async def past(after: str, upto: str) -> Past:
        asked.append((after, upto))
        return Past([event(2), event(3)], "3-0") if after == "1-0" else Past([event(4)])

    watcher = Subscription(EVERYTHING, past)
    watcher.offer(Interrupted())
    watcher.offer(Resumed())
    watcher.catch_up("1-0", "4-0")
    watcher.offer(event(5))
    assert numbers(await shown(watcher)) == [Interrupted(), Resumed(), 2, 3, 4, 5]
    assert asked == [("1-0", "4-0"), ("3-0", "4-0")]


async def test_a_past_that_is_not_wanted_is_no_reason_to_wait() -> None:
    async def past(after: str, upto: str) -> Past:
        return Past([event(2, "b"), event(3, "b")], "3-0") if after == "1-0" else Past([event(4, "b")])

    watcher = Subscription(LiveFilter(chamber_id="a"), past)
    watcher.catch_up("1-0", "4-0")
    watcher.offer(event(5))
    assert numbers(await shown(watcher)) == [5]


async def test_a_past_that_cannot_be_read_is_a_hole() -> None:
    async def past(after: str, upto: str) -> Past:
        raise AwayError("away")

    watcher = Subscription(EVERYTHING, past)
    watcher.catch_up("1-0", "4-0")
    watcher.offer(event(5))
    assert numbers(await shown(watcher)) == [Dropped(None), 5]


async def test_waiting_for_the_past_can_be_given_up_and_taken_up_again() -> None:
    go_on = asyncio.Event()

    async def past(after: str, upto: str) -> Past:
        await go_on.wait()
        return Past([event(2)])

    watcher = Subscription(EVERYTHING, past)
    watcher.catch_up("1-0", "2-0")
    assert await shown(watcher) == []
    go_on.set()
    assert numbers(await shown(watcher)) == [2]


async def test_what_is_new_and_too_much_while_the_past_is_read_is_counted_behind_it() -> None:
    async def past(after: str, upto: str) -> Past:
        return Past([event(2)])

    watcher = Subscription(EVERYTHING, past)
    watcher.catch_up("1-0", "2-0")
    for number in range(WAITING + 1):
        watcher.offer(event(number))
    assert numbers(await shown(watcher)) == [2, Dropped(WAITING + 1)]


async def test_closing_shows_that_and_nothing_else() -> None:
    watcher = Subscription(EVERYTHING, no_past)
    watcher.offer(event(1))
    watcher.catch_up("1-0", "2-0")
    waiting = asyncio.create_task(watcher.next())
    watcher.close("enough")
    watcher.close("again")
    watcher.offer(event(2))
    assert await waiting in (event(1), Closed("enough"))
    assert await shown(watcher) == []
    assert watcher.closed.is_set()


async def test_events_that_wait_can_be_taken_together() -> None:
    async def past(after: str, upto: str) -> Past:
        return Past([event(0)])

    watcher = Subscription(EVERYTHING, past)
    assert watcher.ready_event() is None
    watcher.catch_up("9-0", "9-0")
    watcher.offer(event(1))
    assert watcher.ready_event() is None, "the past comes first"
    assert numbers([await watcher.next()]) == [0]
    watcher.offer(Interrupted())
    watcher.offer(event(2))
    assert numbers([e for e in (watcher.ready_event(),) if e]) == [1]
    assert watcher.ready_event() is None, "what is no event has its own turn"
    assert await watcher.next() == Interrupted()


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.one_of(st.integers(1, 400), st.just("interrupted"), st.integers(-300, -1)), max_size=30))
def test_every_event_is_shown_or_counted(steps: list[int | str]) -> None:
    """Positive: so many are offered; negative: so many are taken."""

    asyncio.run(play(steps))


async def play(steps: list[int | str]) -> None:
    watcher, offered, counted = Subscription(EVERYTHING, no_past), 0, 0
    for step in [*steps, -100_000]:
        if isinstance(step, str):
            watcher.offer(Interrupted())
            continue
        for number in range(offered, offered + step):
            watcher.offer(event(number))
        offered += max(0, step)
        counted = take(watcher, -step, counted)
    assert counted == offered


def take(watcher: Subscription, at_most: int, counted: int) -> int:
    """How many events are accounted for after that; each stands behind all that were before it."""
    for _ in range(at_most):
        match watcher._ready():
            case None:
                break
            case LiveEvent(id=event_id):
                assert event_id == f"{counted}-0"
                counted += 1
            case Dropped(events=events):
                counted += events or 0
    return counted
