"""The contract of `LatestCache`, over the twin and over a real Valkey; then what only a server can do."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from adapters.memory.latest import InMemoryLatest
from adapters.redis.keys import latest_reading
from adapters.redis.latest import GETS_AT_ONCE, PUTS_AT_ONCE, RedisLatest
from adapters.redis.pool import PATIENCE_S
from adapters.redis.server import DOUBTFUL_LIMIT, LIST_PATIENCE_S, REST_MS, CacheServer
from collector.domain.chamber import ChamberSpec
from collector.domain.errors import InvalidFieldError
from collector.domain.outcome import Measurement, Quality, Reading
from collector.ports.outcomes import LatestCache
from tests.contract.valkey_server import ValkeyServer, WallClock


@pytest.fixture
async def redis_cache(valkey: ValkeyServer, valkey_client: Redis, wall_clock: WallClock) -> AsyncIterator[RedisLatest]:
    server = CacheServer.at(valkey.url, wall_clock, patience_s=1.0)  # busy cores are no fault here
    cache = RedisLatest(server, wall_clock)
    await eventually_answers(cache)
    yield cache
    await cache.close()
    await server.close()


@pytest.fixture
async def hasty_cache(valkey: ValkeyServer, valkey_client: Redis, wall_clock: WallClock) -> AsyncIterator[RedisLatest]:
    """As impatient as in a worker."""
    server = CacheServer.at(valkey.url, wall_clock)
    cache = RedisLatest(server, wall_clock)
    await eventually_answers(cache)
    yield cache
    await cache.close()
    await server.close()


@pytest.fixture(params=["memory", "valkey"])
def cache(request: pytest.FixtureRequest, wall_clock: WallClock) -> LatestCache:
    if request.param == "memory":
        return InMemoryLatest(wall_clock.now_ms)
    valkey: LatestCache = request.getfixturevalue("redis_cache")
    return valkey


async def eventually_answers(cache: RedisLatest) -> None:
    """Put until a reading comes back: on busy cores a first connection may take longer than a cache may cost."""
    for attempt in range(40):
        await cache.put("probe", spec(f"probe-{attempt}"), reading())
        if await cache.get("probe", f"probe-{attempt}") is not None:
            return
        await asyncio.sleep(0.25)
    pytest.fail("the cache does not answer within 10 s")


def spec(chamber_id: str = "incubator-7", interval_ms: int = 60_000) -> ChamberSpec:
    return ChamberSpec(
        id=chamber_id,
        organization="lab",
        section="default",
        url="http://192.168.1.20/",
        profile="generic-json",
        interval_ms=interval_ms,
        timeout_ms=500,
    )


def reading(slot_ms: int | None = None, value: float = 21.5) -> Reading:
    now_ms = round(time.time() * 1000)
    slot = now_ms if slot_ms is None else slot_ms
    measurements = (
        Measurement("temperature", value, "Cel"),
        Measurement("humidity", 44.0, "%", Quality.SUSPECT),
        Measurement("co2", None, "[ppm]", Quality.BAD),
    )
    return Reading(slot, now_ms, now_ms, measurements, spec_version=3, observed_ms=slot - 7)


# ---- the contract


async def test_a_reading_comes_back_whole(cache: LatestCache) -> None:
    kept = reading()
    await cache.put("lab", spec(), kept)
    found = await cache.get("lab", "incubator-7")
    assert found is not None
    assert (found.chamber_id, found.reading) == ("incubator-7", kept)


async def test_what_was_never_put_is_not_there(cache: LatestCache) -> None:
    assert await cache.get("lab", "nobody") is None


async def test_another_organization_does_not_see_it(cache: LatestCache) -> None:
    await cache.put("lab", spec(), reading())
    assert await cache.get("clinic", "incubator-7") is None


@pytest.mark.parametrize(("second_ms", "expected"), [(+1_000, 2.0), (0, 1.0), (-1_000, 1.0)])
async def test_only_a_newer_slot_replaces(cache: LatestCache, second_ms: int, expected: float) -> None:
    slot = round(time.time() * 1000)
    await cache.put("lab", spec(), reading(slot, 1.0))
    await cache.put("lab", spec(), reading(slot + second_ms, 2.0))
    found = await cache.get("lab", "incubator-7")
    assert found is not None
    assert found.reading.measurements[0].value == expected


async def test_the_newest_of_many_at_once_stays(cache: LatestCache) -> None:
    slot = round(time.time() * 1000)
    order = [7, 2, 19, 0, 11, 5, 3, 17]
    await asyncio.gather(*(cache.put("lab", spec(), reading(slot + n, float(n))) for n in order))
    found = await cache.get("lab", "incubator-7")
    assert found is not None
    assert found.reading.slot_ms == slot + 19


async def test_many_chambers_at_once_are_each_kept(cache: LatestCache) -> None:
    chambers = [spec(f"c-{n}") for n in range(2 * PUTS_AT_ONCE + 1)]
    await asyncio.gather(*(cache.put("lab", c, reading(value=float(n))) for n, c in enumerate(chambers)))
    for number in (0, PUTS_AT_ONCE - 1, PUTS_AT_ONCE, 2 * PUTS_AT_ONCE):
        kept = await cache.get("lab", f"c-{number}")
        assert kept is not None
        assert kept.reading.measurements[0].value == number


async def test_those_of_one_turn_travel_in_one_command(redis_cache: RedisLatest, valkey_client: Redis) -> None:
    before = (await valkey_client.info("commandstats")).get("cmdstat_eval", {}).get("calls", 0)
    await asyncio.gather(*(redis_cache.put("lab", spec(f"c-{n}"), reading()) for n in range(50)))
    stats = await valkey_client.info("commandstats")
    assert stats["cmdstat_eval"]["calls"] == before + 1


async def test_a_second_interval_forgets_after_two(cache: LatestCache) -> None:
    await cache.put("lab", spec(interval_ms=1_000), reading())
    assert await cache.get("lab", "incubator-7") is not None
    await asyncio.sleep(2.1)
    assert await cache.get("lab", "incubator-7") is None


async def test_many_come_back_by_id_and_the_others_are_absent(cache: LatestCache) -> None:
    chambers = [spec(f"c-{n}") for n in range(GETS_AT_ONCE + 2)]
    await asyncio.gather(*(cache.put("lab", c, reading(value=float(n))) for n, c in enumerate(chambers) if n != 3))
    await cache.put("clinic", spec("foreign"), reading())
    found = await cache.get_many("lab", [*(c.id for c in chambers), "nobody", "foreign"])
    assert set(found) == {c.id for c in chambers} - {"c-3"}
    last = f"c-{GETS_AT_ONCE + 1}"
    assert (found[last].chamber_id, found[last].reading.measurements[0].value) == (last, GETS_AT_ONCE + 1.0)
    assert found["c-2"] == await cache.get("lab", "c-2")


async def test_none_of_none(cache: LatestCache) -> None:
    assert await cache.get_many("lab", []) == {}


# ---- Valkey alone


async def test_many_cost_a_command_for_each_portion(redis_cache: RedisLatest, valkey_client: Redis) -> None:
    await redis_cache.put("lab", spec(), reading())
    before = (await valkey_client.info("commandstats")).get("cmdstat_mget", {}).get("calls", 0)
    asked = [f"c-{n}" for n in range(2 * GETS_AT_ONCE - 1)]
    assert set(await redis_cache.get_many("lab", [*asked, "incubator-7"])) == {"incubator-7"}
    assert (await valkey_client.info("commandstats"))["cmdstat_mget"]["calls"] == before + 2


async def test_many_from_a_server_that_hangs_cost_one_wait_and_are_absent(
    hasty_cache: RedisLatest, valkey: ValkeyServer
) -> None:
    ids = [f"c-{n}" for n in range(3 * GETS_AT_ONCE)]
    await hasty_cache.put("lab", spec("c-0"), reading())
    valkey.freeze()
    started = time.monotonic()
    assert await hasty_cache.get_many("lab", ids) == {}
    assert time.monotonic() - started < 2 * LIST_PATIENCE_S, "the others rest"


async def test_many_never_show_a_key_whose_write_failed(
    redis_cache: RedisLatest, valkey: ValkeyServer, valkey_client: Redis, wall_clock: WallClock
) -> None:
    slot = round(time.time() * 1000)
    await redis_cache.put("lab", spec(), reading(slot, 1.0))
    await redis_cache.put("lab", spec("steady"), reading(slot, 1.0))
    valkey.freeze()
    await redis_cache.put("lab", spec("other"), reading())
    await redis_cache.put("lab", spec(), reading(slot + 1, 2.0))  # not even asked: the cache rests
    valkey.thaw()
    assert await valkey_client.exists(latest_reading("lab", "incubator-7"))
    wall_clock.monotonic_ahead_ms += REST_MS
    assert set(await redis_cache.get_many("lab", ["incubator-7", "steady"])) == {"steady"}


@pytest.mark.parametrize(("interval_ms", "ttl_ms"), [(10_000, 20_000), (60_000, 60_000), (86_400_000, 60_000)])
async def test_time_to_live(redis_cache: RedisLatest, valkey_client: Redis, interval_ms: int, ttl_ms: int) -> None:
    await redis_cache.put("lab", spec(interval_ms=interval_ms), reading())
    assert ttl_ms - 5_000 < await valkey_client.pttl(latest_reading("lab", "incubator-7")) <= ttl_ms


async def test_a_reading_that_waited_is_not_taken_for_the_latest(
    redis_cache: RedisLatest, wall_clock: WallClock
) -> None:
    waited = reading()
    wall_clock.ahead_ms = 61_000
    await redis_cache.put("lab", spec(), waited)
    wall_clock.ahead_ms = 0
    assert await redis_cache.get("lab", "incubator-7") is None


async def test_a_clock_far_ahead_does_not_keep_a_key_longer(
    redis_cache: RedisLatest, valkey_client: Redis, wall_clock: WallClock
) -> None:
    wall_clock.ahead_ms = 3_600_000
    ahead = reading()
    await redis_cache.put(
        "lab", spec(), Reading(ahead.slot_ms, wall_clock.now_ms(), wall_clock.now_ms(), ahead.measurements, 1)
    )
    assert await valkey_client.pttl(latest_reading("lab", "incubator-7")) <= 60_000


@pytest.mark.parametrize(
    "text", [b"", b"junk", b"17 {}", b'17 {"kind": "reading"}', b'17 {"kind": "hologram"}', b"\xff"]
)
async def test_a_value_of_another_version_is_no_reading(
    redis_cache: RedisLatest, valkey_client: Redis, text: bytes
) -> None:
    await valkey_client.set(latest_reading("lab", "incubator-7"), text)
    assert await redis_cache.get("lab", "incubator-7") is None
    newest = reading()
    await redis_cache.put("lab", spec(), newest)
    found = await redis_cache.get("lab", "incubator-7")
    assert found is not None
    assert found.reading == newest


async def test_a_dead_server_costs_one_short_wait_and_then_nothing(
    hasty_cache: RedisLatest, valkey: ValkeyServer
) -> None:
    valkey.kill()
    started = time.monotonic()
    for _ in range(200):
        await hasty_cache.put("lab", spec(), reading())
        assert await hasty_cache.get("lab", "incubator-7") is None
    assert time.monotonic() - started < 5 * PATIENCE_S + REST_MS / 1000 / 2


async def test_a_frozen_server_costs_each_caller_its_patience_at_most(
    hasty_cache: RedisLatest, valkey: ValkeyServer
) -> None:
    valkey.freeze()
    started = time.monotonic()
    await asyncio.gather(*(hasty_cache.put("lab", spec(f"c-{n}"), reading()) for n in range(50)))
    assert time.monotonic() - started < 5 * PATIENCE_S + 0.5
    started = time.monotonic()
    await hasty_cache.put("lab", spec(), reading())
    assert time.monotonic() - started < PATIENCE_S


async def test_a_killed_server_that_is_back_never_shows_the_reading_from_before(
    redis_cache: RedisLatest, valkey: ValkeyServer, valkey_client: Redis, wall_clock: WallClock
) -> None:
    slot = round(time.time() * 1000)
    await redis_cache.put("lab", spec(), reading(slot, 1.0))
    await redis_cache.put("lab", spec("steady"), reading(slot, 1.0))
    await asyncio.sleep(1.1)  # the append-only file is written each second
    valkey.kill()
    await redis_cache.put("lab", spec(), reading(slot + 1, 2.0))
    valkey.start()
    await valkey_client.connection_pool.disconnect()
    assert await valkey_client.exists(latest_reading("lab", "incubator-7")), "the server kept its file"
    wall_clock.monotonic_ahead_ms += REST_MS
    await eventually_answers(redis_cache)
    assert await valkey_client.get(latest_reading("lab", "incubator-7")) is None
    assert await redis_cache.get("lab", "incubator-7") is None
    assert await redis_cache.get("lab", "steady") is not None
    await redis_cache.put("lab", spec(), reading(slot + 2, 3.0))
    found = await redis_cache.get("lab", "incubator-7")
    assert found is not None
    assert found.reading.slot_ms == slot + 2


async def test_a_put_while_the_cache_rests_makes_its_key_doubtful_too(
    redis_cache: RedisLatest, valkey: ValkeyServer, wall_clock: WallClock
) -> None:
    slot = round(time.time() * 1000)
    await redis_cache.put("lab", spec(), reading(slot, 1.0))
    valkey.freeze()
    await redis_cache.put("lab", spec("other"), reading())
    await redis_cache.put("lab", spec(), reading(slot + 1, 2.0))  # not even asked
    valkey.thaw()
    wall_clock.monotonic_ahead_ms += REST_MS
    await eventually_answers(redis_cache)
    assert await redis_cache.get("lab", "incubator-7") is None


async def test_answers_never_belong_to_an_earlier_question(
    redis_cache: RedisLatest, valkey: ValkeyServer, wall_clock: WallClock
) -> None:
    """A command that timed out leaves its answer in the connection: that connection may not be used again."""
    slot = round(time.time() * 1000)
    for number in range(8):
        await redis_cache.put("lab", spec(f"c-{number}"), reading(slot, float(number)))
    for _ in range(3):
        valkey.freeze()
        await asyncio.gather(*(redis_cache.get("lab", f"c-{number}") for number in range(8)))
        valkey.thaw()
        wall_clock.monotonic_ahead_ms += REST_MS
        await eventually_answers(redis_cache)
        found = await asyncio.gather(*(redis_cache.get("lab", f"c-{number}") for number in range(8)))
        values = [f and f.reading.measurements[0].value for f in found]
        assert values == [float(number) for number in range(8)]


async def test_a_put_that_a_frozen_server_runs_later_cannot_outlive_its_time(
    redis_cache: RedisLatest, valkey: ValkeyServer, valkey_client: Redis
) -> None:
    valkey.freeze()
    await redis_cache.put("lab", spec(interval_ms=1_000), reading())
    await asyncio.sleep(2.1)
    valkey.thaw()
    assert await valkey_client.get(latest_reading("lab", "incubator-7")) is None


async def test_a_caller_that_is_cancelled_leaves_the_cache_usable(
    redis_cache: RedisLatest, valkey: ValkeyServer, wall_clock: WallClock
) -> None:
    valkey.freeze()
    waiting = asyncio.create_task(redis_cache.put("lab", spec(), reading()))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    valkey.thaw()
    wall_clock.monotonic_ahead_ms += REST_MS
    await eventually_answers(redis_cache)
    newest = reading()
    await redis_cache.put("lab", spec(), newest)
    found = await redis_cache.get("lab", "incubator-7")
    assert found is not None
    assert found.reading == newest


async def test_a_full_server_is_no_error(redis_cache: RedisLatest, valkey_client: Redis, wall_clock: WallClock) -> None:
    slot = round(time.time() * 1000)
    await redis_cache.put("lab", spec(), reading(slot, 1.0))
    await valkey_client.config_set("maxmemory", 1)
    await valkey_client.config_set("maxmemory-policy", "noeviction")
    await redis_cache.put("lab", spec(), reading(slot + 1, 2.0))
    await valkey_client.config_set("maxmemory", 0)
    wall_clock.monotonic_ahead_ms += REST_MS
    await eventually_answers(redis_cache)
    assert await redis_cache.get("lab", "incubator-7") is None


async def test_what_is_remembered_of_a_dead_server_is_bounded(wall_clock: WallClock) -> None:
    server = CacheServer.at("redis://:x@127.0.0.1:1/0", wall_clock)
    cache = RedisLatest(server, wall_clock)
    for number in range(DOUBTFUL_LIMIT + 500):
        await cache.put("lab", spec(f"c-{number}"), reading())
    assert len(server.doubtful) == DOUBTFUL_LIMIT
    await cache.close()
    await server.close()


async def test_a_wrong_password_is_a_cache_that_is_away(valkey: ValkeyServer, wall_clock: WallClock) -> None:
    host = valkey.url.rpartition("@")[2]
    server = CacheServer.at(f"redis://:wrong@{host}", wall_clock)
    cache = RedisLatest(server, wall_clock)
    await cache.put("lab", spec(), reading())
    assert await cache.get("lab", "incubator-7") is None
    await cache.close()
    await server.close()


@pytest.mark.parametrize("url", ["", "127.0.0.1:6379", "http://127.0.0.1:6379", "redis://:secret@host:port/0"])
def test_a_url_that_is_none_is_named_without_its_password(url: str, wall_clock: WallClock) -> None:
    with pytest.raises(InvalidFieldError, match="CHAMBERLOG_REDIS") as caught:
        CacheServer.at(url, wall_clock)
    assert "secret" not in str(caught.value)
    assert "redis://" in str(caught.value)
