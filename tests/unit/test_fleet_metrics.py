"""The fleet in figures at the API's /metrics: what the ledger knows, and nothing while it is away."""

from prometheus_client.parser import text_string_to_metric_families

from tests.unit.api_world import World, enrolled

MINUTE_MS = 60_000


async def samples(world: World) -> dict[tuple[str, str], float]:
    """Values by name and the last label."""
    async with world.client(None) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, sample.labels.get("status") or sample.labels.get("finding") or sample.labels.get("upkeep", "")): (
            sample.value
        )
        for family in families
        for sample in family.samples
    }


async def test_chambers_are_counted_by_status_and_none_is_shown_as_none() -> None:
    world = World()
    async with enrolled(world, interval_s=60):
        shown = await samples(world)
        assert shown["chamberlog_chambers", "starting"] == 1
        assert shown["chamberlog_chambers", "stale"] == 0
        world.clock.wall_ms += 10 * MINUTE_MS
        assert (await samples(world))["chamberlog_chambers", "stale"] == 1


async def test_upkeep_has_an_age_and_what_it_found() -> None:
    world = World()
    assert not [name for name, _ in await samples(world) if "upkeep" in name]
    await world.upkeep.note("reconcile", {"orphan": 2})
    world.clock.wall_ms += 90_000
    shown = await samples(world)
    assert shown["chamberlog_upkeep_age_seconds", "reconcile"] == 90
    assert shown["chamberlog_upkeep_found", "orphan"] == 2


async def test_while_the_ledger_is_away_nobody_knows() -> None:
    world = World()
    async with enrolled(world):
        assert ("chamberlog_chambers", "stale") in await samples(world)
        world.ledger.away = True
        assert not [name for name, _ in await samples(world) if name.startswith("chamberlog_chambers")]
