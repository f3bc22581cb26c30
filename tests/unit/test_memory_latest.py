"""The cache of latest readings in memory."""

from adapters.memory import InMemoryLatest
from collector.domain.chamber import ChamberSpec
from collector.domain.outcome import Measurement, Reading


def spec(interval_ms: int) -> ChamberSpec:
    return ChamberSpec(
        id="c",
        organization="lab",
        section="default",
        url="http://192.0.2.7/",
        profile="generic-json",
        interval_ms=interval_ms,
        timeout_ms=500,
    )


def reading(slot_ms: int) -> Reading:
    return Reading(slot_ms, slot_ms, slot_ms, (Measurement("temperature", 1.0, "Cel"),), 1)


class Hands:
    """A clock that is set by hand."""

    now_ms = 0

    def __call__(self) -> int:
        return self.now_ms


async def test_only_a_newer_slot_replaces() -> None:
    cache = InMemoryLatest(Hands())
    for slot_ms in (2_000, 1_000):
        await cache.put("lab", spec(60_000), reading(slot_ms))
    kept = await cache.get("lab", "c")
    assert kept is not None
    assert kept.reading == reading(2_000)
    assert await cache.get("other", "c") is None


async def test_a_reading_is_forgotten_after_two_intervals_or_a_minute() -> None:
    for interval_ms, ttl_ms in ((1_000, 2_000), (3_600_000, 60_000)):
        clock = Hands()
        cache = InMemoryLatest(clock)
        await cache.put("lab", spec(interval_ms), reading(1))
        clock.now_ms = ttl_ms - 1
        assert await cache.get("lab", "c") is not None
        clock.now_ms = ttl_ms
        assert await cache.get("lab", "c") is None


async def test_a_write_that_failed_leaves_nothing_old_behind() -> None:
    cache = InMemoryLatest(Hands())
    await cache.put("lab", spec(60_000), reading(1_000))
    cache.away = True
    await cache.put("lab", spec(60_000), reading(2_000))
    assert await cache.get("lab", "c") is None
    cache.away = False
    assert await cache.get("lab", "c") is None
