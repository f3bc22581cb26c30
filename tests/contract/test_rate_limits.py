"""How often somebody may ask: one suite over memory and over a real Valkey; exact over two processes' worth of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from adapters.memory.limits import SUBJECTS_LIMIT, InMemoryLimiter
from adapters.redis.limits import PATIENCE_S, REST_MS, RedisLimiter
from collector.domain.access import Traffic
from collector.domain.rates import DEFAULT_RATES, RateRule
from collector.ports.limits import RateLimiter
from tests.contract.valkey_server import ValkeyServer, WallClock

FEW = {**DEFAULT_RATES, Traffic.READ: RateRule(5, 60), Traffic.STREAM: RateRule(4, 2), Traffic.WRITE: RateRule(50, 60)}


class Shared:
    """Limiters over one server, and how often they fell back."""

    def __init__(self, url: str, clock: WallClock, closing: AsyncExitStack) -> None:
        self._url, self._clock, self._closing = url, clock, closing
        self.fallbacks = Counter[str]()

    def limiter(self, name: str = "one", rates: Mapping[Traffic, RateRule] = FEW) -> RedisLimiter:
        fallback = InMemoryLimiter(self._clock.monotonic_ms, rates)

        def count() -> None:
            self.fallbacks[name] += 1

        made = RedisLimiter(self._url, self._clock, rates, fallback, count)
        self._closing.push_async_callback(made.close)
        return made


@pytest_asyncio.fixture
async def shared(valkey: ValkeyServer, valkey_client: Redis, wall_clock: WallClock) -> AsyncIterator[Shared]:
    """Over a Valkey that begins empty."""
    async with AsyncExitStack() as closing:
        yield Shared(valkey.url, wall_clock, closing)


@pytest.fixture(params=["memory", "redis"])
def limiter(request: pytest.FixtureRequest) -> RateLimiter:
    """The port over the memory twin, then over Valkey."""
    if request.param == "memory":
        return InMemoryLimiter(WallClock().monotonic_ms, FEW)
    shared: Shared = request.getfixturevalue("shared")
    return shared.limiter()


async def test_what_is_within_the_limit_passes_and_the_next_one_does_not(limiter: RateLimiter) -> None:
    states = [await limiter.hit("key/a", Traffic.READ) for _ in range(7)]
    assert [state.allowed for state in states] == [True] * 5 + [False] * 2
    assert [state.remaining for state in states] == [4, 3, 2, 1, 0, 0, 0]
    assert {(state.limit, state.window_s) for state in states} == {(5, 60)}
    assert all(55 <= state.reset_s <= 60 for state in states), states


async def test_subjects_and_classes_are_counted_apart(limiter: RateLimiter) -> None:
    for _ in range(6):
        await limiter.hit("key/a", Traffic.READ)
    assert not (await limiter.hit("key/a", Traffic.READ)).allowed
    assert (await limiter.hit("key/b", Traffic.READ)).remaining == 4
    assert (await limiter.hit("key/a", Traffic.STREAM)).remaining == 3
    assert (await limiter.hit("account/" + "0" * 64, Traffic.ACCOUNT)).limit == 10
    assert (await limiter.hit("address/2001:db8::/64", Traffic.SIGN_IN)).remaining == 29


async def test_the_window_slides(limiter: RateLimiter) -> None:
    for _ in range(4):
        await limiter.hit("key/a", Traffic.STREAM)
    refused = await limiter.hit("key/a", Traffic.STREAM)
    assert not refused.allowed
    assert 1 <= refused.reset_s <= 2
    await asyncio.sleep(3.1)  # 1.1 s into the second window: of the 4 before at most 1.8 count
    passed = [(await limiter.hit("key/a", Traffic.STREAM)).allowed for _ in range(4)]
    assert passed[:2] == [True, True]
    assert passed[3] is False
    await asyncio.sleep(4.1)  # two windows on everything is forgotten
    assert (await limiter.hit("key/a", Traffic.STREAM)).remaining == 3


async def test_after_the_wait_that_a_refusal_names_there_is_room(limiter: RateLimiter) -> None:
    for _ in range(5):
        refused = await limiter.hit("key/a", Traffic.STREAM)
    await asyncio.sleep(
        refused.reset_s + 0.05
    )  # in the very millisecond in which the next window begins it is full yet
    assert (await limiter.hit("key/a", Traffic.STREAM)).allowed


async def test_two_instances_let_exactly_the_limit_pass(shared: Shared) -> None:
    one, two = shared.limiter("one"), shared.limiter("two")
    states = await asyncio.gather(*((one, two)[n % 2].hit("key/a", Traffic.WRITE) for n in range(200)))
    assert sum(state.allowed for state in states) == 50, shared.fallbacks
    assert not shared.fallbacks


async def test_keys_are_ours_and_end_by_themselves(shared: Shared, valkey_client: Redis) -> None:
    await shared.limiter().hit("key/a", Traffic.READ)
    keys = await valkey_client.keys("*")
    assert keys == [b"chamberlog:{limit:read:key/a}"]
    assert 0 < await valkey_client.pttl(keys[0]) <= 120_000


@pytest.mark.parametrize("fault", [ValkeyServer.kill, ValkeyServer.freeze])
async def test_while_the_server_is_away_the_process_counts_by_itself(
    shared: Shared, valkey: ValkeyServer, wall_clock: WallClock, fault: Callable[[ValkeyServer], None]
) -> None:
    limiter = shared.limiter()
    await limiter.hit("key/a", Traffic.READ)
    fault(valkey)
    begun = asyncio.get_running_loop().time()
    states = [await limiter.hit("key/a", Traffic.READ) for _ in range(7)]
    took_s = asyncio.get_running_loop().time() - begun
    assert [state.allowed for state in states] == [True] * 5 + [False] * 2
    assert shared.fallbacks == {"one": 7}
    assert took_s < 5 * PATIENCE_S  # only the first one waited
    valkey.thaw()
    valkey.start()
    for _ in range(50):
        wall_clock.monotonic_ahead_ms += REST_MS
        so_far = shared.fallbacks["one"]
        await limiter.hit("key/b", Traffic.STREAM)
        if shared.fallbacks["one"] == so_far:
            return
    pytest.fail("the server is not asked again")


async def test_late_once_is_not_away(shared: Shared, valkey: ValkeyServer) -> None:
    limiter = shared.limiter()
    await limiter.hit("key/a", Traffic.READ)
    valkey.freeze()
    assert (await limiter.hit("key/a", Traffic.READ)).remaining == 4  # by this process, which saw nothing before
    valkey.thaw()
    assert (await limiter.hit("key/a", Traffic.READ)).remaining <= 3  # by the server, which may have heard of the last
    assert shared.fallbacks == {"one": 1}


async def test_a_memory_of_subjects_is_bounded() -> None:
    limiter = InMemoryLimiter(WallClock().monotonic_ms, FEW)
    for number in range(SUBJECTS_LIMIT + 100):
        await limiter.hit(f"address/{number}", Traffic.READ)
    assert len(limiter._counts) == SUBJECTS_LIMIT
    assert (await limiter.hit("address/0", Traffic.READ)).remaining == 4  # forgotten
    assert (await limiter.hit(f"address/{SUBJECTS_LIMIT}", Traffic.READ)).remaining == 3  # not forgotten
