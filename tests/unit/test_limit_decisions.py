"""What the limiter decides is counted, and shown as 0 before it decides anything."""

from contextlib import AsyncExitStack

from adapters.limits import open_limiter
from adapters.telemetry import OtelGateMetrics
from collector.domain.access import Traffic
from tests.unit.api_world import StandingClock
from tests.unit.metric_points import Points, at

DECISIONS = "chamberlog.limit.decisions"


async def test_decisions_are_counted_by_traffic() -> None:
    points = Points()
    async with AsyncExitStack() as closing:
        limiter = open_limiter(None, "write=2/60s", StandingClock(), OtelGateMetrics(points.provider), closing)
        for _ in range(5):
            await limiter.hit("key/a", Traffic.WRITE)
        await limiter.hit("key/a", Traffic.READ)
    assert points.counted(DECISIONS) == {
        at(traffic="write", decision="allowed"): 2,
        at(traffic="write", decision="refused"): 3,
        at(traffic="read", decision="allowed"): 1,
    }
    assert points.counted("chamberlog.limit.fallbacks") == {}


async def test_every_decision_that_there_can_be_is_shown_from_the_start() -> None:
    points = Points()
    OtelGateMetrics(points.provider)
    shown = {frozenset(where): value for where, value in points.values(DECISIONS).items()}
    assert shown == {
        at(traffic=traffic.value, decision=decision): 0 for traffic in Traffic for decision in ("allowed", "refused")
    }
