"""Operations on a real Valkey are counted by cache and result; while it is away they fail."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest_asyncio
from redis.asyncio import Redis

from adapters.redis.active import RedisActive
from adapters.redis.latest import RedisLatest
from adapters.redis.live import RedisLive
from adapters.redis.opening import open_redis
from adapters.telemetry import OtelCacheMetrics
from adapters.telemetry.cache_metrics import RESULTS
from collector.domain.outcome import Measurement, Reading
from collector.ports import ActiveChamber, ActivePart, Begun, Origin
from tests.contract.ledger_rooms import spec
from tests.contract.valkey_server import ValkeyServer, WallClock
from tests.unit.metric_points import Attributes, Points, at

OPERATIONS = "chamberlog.cache.operations"


@dataclass(frozen=True)
class Caches:
    """Those of a process, and what is counted of them."""

    points: Points
    latest: RedisLatest
    active: RedisActive
    live: RedisLive

    def counted(self) -> dict[Attributes, float]:
        return self.points.counted(OPERATIONS)


@pytest_asyncio.fixture
async def caches(valkey: ValkeyServer, valkey_client: Redis, wall_clock: WallClock) -> AsyncIterator[Caches]:
    points = Points()
    async with AsyncExitStack() as closing:
        server, latest, live = open_redis(valkey.url, wall_clock, closing, OtelCacheMetrics(points.provider).counted)
        server._patience_s = 2.0  # busy cores are no fault here
        yield Caches(points, latest, RedisActive(server), live)


def operation(cache: str, result: str) -> Attributes:
    return at(cache=cache, result=result)


def reading(clock: WallClock) -> Reading:
    now_ms = clock.now_ms()
    return Reading(now_ms, now_ms, now_ms, (Measurement("temperature", 21.5, "Cel"),), 1)


async def chambers(_limit: int) -> Sequence[ActiveChamber]:
    return [ActiveChamber("incubator-3", "default", "", 60_000)]


def test_all_of_them_are_shown_from_the_start() -> None:
    points = Points()
    OtelCacheMetrics(points.provider)
    assert points.values(OPERATIONS) == {operation(cache, r): 0 for cache, results in RESULTS.items() for r in results}


async def test_readings_are_stored_found_and_missed(caches: Caches, wall_clock: WallClock) -> None:
    await caches.latest.put("lab", spec("a"), reading(wall_clock))
    assert await caches.latest.get("lab", "a") is not None
    assert await caches.latest.get("lab", "b") is None
    assert (await caches.latest.get_many("lab", ["a", "b", "c"])).keys() == {"a"}
    assert caches.counted() == {
        operation("latest", "stored"): 1,
        operation("latest", "hit"): 2,
        operation("latest", "miss"): 3,
    }


async def test_a_list_is_missed_stored_and_then_found(caches: Caches) -> None:
    for _ in range(3):
        assert await caches.active.page("lab", ActivePart(10), chambers) is not None
    assert caches.counted() == {
        operation("active", "miss"): 1,
        operation("active", "stored"): 1,
        operation("active", "hit"): 2,
    }


async def test_events_are_stored_once_somebody_watches(caches: Caches, wall_clock: WallClock) -> None:
    caches.live.publish(Origin("lab", "default", "a"), [reading(wall_clock)])
    await asyncio.sleep(0.3)
    assert caches.counted() == {}, "nobody watches"
    watching = caches.live.watch("lab")
    assert isinstance(await anext(watching), Begun)
    wall_clock.monotonic_ahead_ms += 5_000
    async with asyncio.timeout(10):
        while caches.counted() != {operation("live", "stored"): 2}:
            if not caches.counted():
                caches.live.publish(Origin("lab", "default", "a"), [reading(wall_clock), reading(wall_clock)])
            await asyncio.sleep(0.2)
    await watching.aclose()


async def test_while_it_is_away_everything_fails(caches: Caches, valkey: ValkeyServer, wall_clock: WallClock) -> None:
    await caches.latest.put("lab", spec("a"), reading(wall_clock))
    valkey.kill()
    assert await caches.latest.get("lab", "a") is None
    assert await caches.latest.get_many("lab", ["a", "b"]) == {}
    await caches.latest.put("lab", spec("a"), reading(wall_clock))
    assert await caches.active.page("lab", ActivePart(10), chambers) is None
    await caches.active.forget("lab")
    caches.live.publish(Origin("lab", "default", "a"), [reading(wall_clock)])
    await asyncio.sleep(0.3)
    found = caches.counted()
    assert found[operation("latest", "failed")] == 4
    assert found[operation("active", "failed")] == 2
    assert found[operation("live", "failed")] >= 1
