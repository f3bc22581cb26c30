"""The fleet in figures at the API's /metrics: what the ledger knows, and nothing while it is away."""

import asyncio
from collections import Counter
from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.telemetry import OtelFleetMetrics
from adapters.telemetry.bounds import ORGANIZATIONS_LIMIT
from collector.ports import FleetFigures, LedgerFigures, UpkeepLog
from collector.usecases.observe import EACH_S, ObserveFleet
from tests.unit.api_world import World, enrolled
from tests.unit.jumping_time import in_jumping_time
from tests.unit.metric_points import Points, at

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


async def test_the_lag_of_the_latest_chamber_is_shown_until_it_is_paused() -> None:
    world = World()
    async with enrolled(world, interval_s=60) as client:
        assert (await samples(world))["chamberlog_settled_lag_seconds", ""] == 0
        world.clock.wall_ms += 10 * MINUTE_MS
        lag_s = (await samples(world))["chamberlog_settled_lag_seconds", ""]
        assert 8 * 60 <= lag_s <= 9 * 60, "ten minutes, less its interval, and less where its grid lies"
        assert (await client.post("/v1/chambers/incubator-3/pause", json={"reason": "door"})).status_code == 200
        kept = world.ledger.chambers["incubator-3"]
        assert kept.pause is not None
        assert ("chamberlog_settled_lag_seconds", "") not in await samples(world)


def ledger(**changes: int) -> LedgerFigures:
    numbers = {"size": 900, "rolled_up_ms": 1_000, "committed": 40, "rolled_back": 2, "at_ms": 61_000} | changes
    return LedgerFigures(relations={"reading": 500, "gap": 90}, connections={"active": 1, "idle": 7}, **numbers)


def test_the_ledger_is_shown_as_it_was_told() -> None:
    points = Points()
    metrics = OtelFleetMetrics(points.provider)
    metrics.show_ledger(ledger())
    assert points.values("chamberlog.ledger.size") == {at(): 900}
    assert points.values("chamberlog.ledger.relation.size") == {at(relation="reading"): 500, at(relation="gap"): 90}
    assert points.values("chamberlog.ledger.rolled_up.age") == {at(): 60}
    assert points.values("chamberlog.database.connections") == {at(state="active"): 1, at(state="idle"): 7}
    assert points.values("chamberlog.database.transactions") == {
        at(result="committed"): 40,
        at(result="rolled_back"): 2,
    }
    metrics.show_ledger(ledger(rolled_up_ms=99_000))
    assert points.values("chamberlog.ledger.rolled_up.age") == {at(): 0}, "a clock that was set back is no negative age"
    metrics.show_ledger(None)
    assert points.values("chamberlog.ledger.size") == {}


def test_organizations_beyond_the_limit_are_shown_together() -> None:
    points = Points()
    metrics = OtelFleetMetrics(points.provider)
    chambers = Counter({(f"org-{number:03}", "stale"): 2 for number in range(ORGANIZATIONS_LIMIT + 7)})
    lags = {organization: 1_000 * number for number, (organization, _) in enumerate(chambers)}
    metrics.show(FleetFigures(chambers, {}, 0, lags))
    counts = points.values("chamberlog.chambers")
    assert counts[at(chamberlog__organization="_other", status="stale")] == 14
    assert counts[at(chamberlog__organization="org-000", status="stale")] == 2
    assert sum(counts.values()) == 2 * (ORGANIZATIONS_LIMIT + 7)
    shown = points.values("chamberlog.settled.lag")
    assert len(shown) == ORGANIZATIONS_LIMIT + 1
    assert shown[at(chamberlog__organization="_other")] == ORGANIZATIONS_LIMIT + 6


@in_jumping_time
async def test_where_figures_are_sent_they_are_asked_for_again_and_again() -> None:
    world, points = World(), Points()
    looking = asyncio.create_task(ObserveFleet(world.upkeep, OtelFleetMetrics(points.provider)).again_and_again())
    await asyncio.sleep(1)
    assert points.values("chamberlog.chambers") == {}
    async with enrolled(world):
        await asyncio.sleep(2 * EACH_S)
    assert sum(points.values("chamberlog.chambers").values()) == 1
    world.ledger.away = True
    await asyncio.sleep(2 * EACH_S)
    assert points.values("chamberlog.chambers") == {}
    looking.cancel()


class Defective:
    """A log of upkeep that has a defect at times."""

    def __init__(self, upkeep: UpkeepLog) -> None:
        self.upkeep, self.broken = upkeep, False

    async def figures(self) -> FleetFigures:
        if self.broken:
            raise KeyError("a defect")
        return await self.upkeep.figures()

    async def ledger(self) -> LedgerFigures | None:
        return await self.upkeep.ledger()

    async def note(self, kind: str, counts: Mapping[str, int]) -> None:
        await self.upkeep.note(kind, counts)


@in_jumping_time
async def test_a_defect_shows_nothing_and_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    world, points = World(), Points()
    upkeep = Defective(world.upkeep)
    looking = asyncio.create_task(ObserveFleet(upkeep, OtelFleetMetrics(points.provider)).again_and_again())
    async with enrolled(world):
        await asyncio.sleep(2 * EACH_S)
    for broken, shown in ((False, 1), (True, 0), (False, 1)):
        upkeep.broken = broken
        await asyncio.sleep(2 * EACH_S)
        assert sum(points.values("chamberlog.chambers").values()) == shown
    looking.cancel()
    told = [record for record in caplog.records if "figures" in record.message]
    assert told
    assert all(record.exc_info for record in told)


async def test_while_the_ledger_is_away_nobody_knows() -> None:
    world = World()
    async with enrolled(world):
        assert ("chamberlog_chambers", "stale") in await samples(world)
        world.ledger.away = True
        assert not [name for name, _ in await samples(world) if name.startswith("chamberlog_chambers")]
