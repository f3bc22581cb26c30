"""What a round asks the store, and what it tells the cache of latest readings and the metrics."""

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from adapters.telemetry import OtelCollectionMetrics, make_meter_provider
from collector.domain.errors import BlockedError, DeviceUnreachableError
from collector.domain.health import Health
from collector.domain.outcome import Gap, GapReason, Measurement, Reading
from collector.messages import RoundProgress
from collector.packing import pack
from collector.ports import Origin
from tests.unit.jumping_time import NOON_MS, in_jumping_time
from tests.unit.round_doubles import Answer, Mood
from tests.unit.round_stage import RoundStage, chamber, serial_of

WELL = Health(last_reading_ms=NOON_MS - 1)
BLOCKED = Answer(5, BlockedError("10.0.0.1:80"))


def a_reading(slot_ms: int, serial: int = 99) -> Reading:
    return Reading(slot_ms, slot_ms, slot_ms + 9, (Measurement("serial", serial, "1"),), 1)


# ---- asking the store


@in_jumping_time
async def test_a_first_attempt_does_not_ask_the_store() -> None:
    stage = RoundStage(chamber(10))
    await stage.attempt(stage.request(2, health=WELL))
    assert stage.store.asked == []


@pytest.mark.parametrize(("attempt", "verify"), [(2, False), (1, True)])
def test_a_later_attempt_asks_which_slots_are_there_and_fetches_none_of_them(attempt: int, verify: bool) -> None:
    @in_jumping_time
    async def play() -> None:
        stage = RoundStage(chamber(10))
        await stage.attempt(stage.request(2, first=1, health=WELL))  # slots 1 and 2; its answer was lost
        stage.devices.calls.clear()
        await stage.clock.until(stage.slot(2) + 500)
        request = stage.request(5, health=WELL, verify=verify)
        out = await stage.attempt(request, None, stage.control(attempt))
        assert stage.store.asked == [(stage.slot(0), stage.slot(4))]
        assert stage.serials == {1: 1, 2: 2, 3: 3, 4: 4}
        assert stage.gaps == [(0, 0, "missed")]
        assert stage.devices.times == [30_000, 40_000]
        assert out.next_ms == stage.slot(5)

    play()


@in_jumping_time
async def test_gaps_that_are_there_are_not_tried_again() -> None:
    stage = RoundStage(chamber(10))
    stage.devices.script.append(BLOCKED)
    await stage.attempt(stage.request(1, health=WELL))
    out = await stage.attempt(stage.request(2, health=WELL), None, stage.control(attempt=2))
    assert stage.gaps == [(0, 0, "blocked")]
    assert (list(stage.serials), out.next_ms) == ([1], stage.slot(2))


@pytest.mark.parametrize("lookup", [Mood.REFUSE, Mood.HANG])
def test_a_store_that_cannot_be_asked_does_not_stop_the_round(lookup: Mood) -> None:
    @in_jumping_time
    async def play() -> None:
        stage = RoundStage(chamber(10))
        await stage.attempt(stage.request(1, health=WELL))
        stage.store.lookup = lookup
        out = await stage.attempt(stage.request(3, health=WELL), None, stage.control(attempt=2))
        assert stage.serials == {0: 1, 1: 3, 2: 4}  # slot 0 was read again, and the first reading stands
        assert stage.devices.times[1] <= 5_100
        assert out.next_ms == stage.slot(3)

    play()


# ---- the latest reading


@in_jumping_time
async def test_the_cache_gets_each_stored_reading() -> None:
    stage = RoundStage(chamber(10))
    for count in (1, 2):
        await stage.attempt(stage.request(1, first=count, health=WELL))
        cached = await stage.latest.get("default", "incubator-3")
        assert cached is not None
        assert (cached.reading.slot_ms, serial_of(cached.reading)) == (stage.slot(count), count)


@in_jumping_time
async def test_the_cache_does_not_know_what_the_store_refused() -> None:
    stage = RoundStage(chamber(10))
    stage.store.otherwise = Mood.REFUSE
    await stage.attempt(stage.request(2, health=WELL))
    assert await stage.latest.get("default", "incubator-3") is None


@in_jumping_time
async def test_the_cache_gets_a_refused_reading_when_it_is_stored_with_a_later_gap() -> None:
    stage = RoundStage(chamber(10))
    stage.store.moods.append(Mood.REFUSE)
    stage.devices.script.extend([Answer(), BLOCKED])
    await stage.attempt(stage.request(2, health=WELL))
    cached = await stage.latest.get("default", "incubator-3")
    assert cached is not None
    assert cached.reading == stage.chamber.readings[NOON_MS].reading


# ---- those who watch


@in_jumping_time
async def test_whoever_watches_is_told_of_each_stored_outcome_once_and_in_order() -> None:
    stage = RoundStage(chamber(10, section="cold"))
    stage.ledger.add_section("default", "cold")
    stage.devices.script.extend([Answer(), BLOCKED, Answer()])
    missed = Gap(stage.slot(0), stage.slot(0), GapReason.MISSED)
    await stage.attempt(stage.request(3, first=1, health=WELL, before=[pack(missed)]))
    assert {origin for origin, _ in stage.live.published} == {Origin("default", "cold", "incubator-3")}
    told = [outcome for _, outcome in stage.live.published]
    assert told[0] == missed
    assert [serial_of(o) if isinstance(o, Reading) else o.reason for o in told[1:]] == [1, GapReason.BLOCKED, 2]


@in_jumping_time
async def test_nobody_is_told_of_what_the_store_refused_before_it_is_stored() -> None:
    stage = RoundStage(chamber(10))
    stage.store.moods.extend([Mood.REFUSE, Mood.REFUSE])
    await stage.attempt(stage.request(2, health=WELL))
    assert stage.live.published == []
    await stage.attempt(stage.request(1, first=2, health=WELL, before=[pack(a_reading(NOON_MS))]))
    assert [serial_of(outcome) for _, outcome in stage.live.published] == [99, 3]


@in_jumping_time
async def test_a_save_that_was_answered_late_is_told_when_it_is() -> None:
    stage = RoundStage(chamber(1))
    stage.store.moods.append(Mood.SLOW)
    await stage.attempt(stage.request(3, health=WELL))
    assert sorted({serial_of(outcome) for _, outcome in stage.live.published}) == [1, 2, 3]


# ---- metrics


@in_jumping_time
async def test_unsaved_counts_readings_only_and_comes_back_to_zero() -> None:
    stage = RoundStage(chamber(10))
    stage.store.moods.extend([Mood.REFUSE] * 3)
    stage.devices.script.extend([Answer(), BLOCKED])
    missed = pack(Gap(stage.slot(0), stage.slot(0), GapReason.MISSED))
    await stage.attempt(stage.request(4, first=1, health=WELL, before=[missed]))
    assert (stage.metrics.most_waiting, stage.metrics.waiting) == (2, 0)


@in_jumping_time
async def test_readings_that_rode_along_leave_the_count_when_they_are_stored() -> None:
    stage = RoundStage(chamber(10))
    stage.metrics.waiting = 1  # counted by the round that met the refusal
    await stage.attempt(stage.request(1, first=1, health=WELL, before=[pack(a_reading(NOON_MS))]))
    assert stage.metrics.waiting == 0
    assert stage.serials == {0: 99, 1: 1}


@in_jumping_time
async def test_metrics_by_value() -> None:
    reader = InMemoryMetricReader()
    stage = RoundStage(chamber(10), OtelCollectionMetrics(make_meter_provider("chamberlog-test", [reader])))
    unreachable = Answer(5, DeviceUnreachableError("reset"))
    stage.devices.script.extend([Answer(), unreachable, BLOCKED, unreachable])
    stage.store.otherwise = Mood.REFUSE
    await stage.clock.until(stage.slot(2))
    await stage.attempt(stage.request(6, health=WELL), RoundProgress(health=WELL, raised=True))
    data = reader.get_metrics_data()
    assert data is not None
    points = [
        (m.name.removeprefix("chamberlog."), dict(p.attributes or {}), p.value)
        for m in data.resource_metrics[0].scope_metrics[0].metrics
        for p in m.data.data_points
        if isinstance(p, NumberDataPoint)
    ]
    told = {(n, str(a.get("outcome") or a.get("reason") or "")): v for n, a, v in points if v}
    assert told == {
        ("collections", "reading"): 3,
        ("collections", "gap"): 1,
        ("gap.slots", "blocked"): 1,
        ("outcomes.unsaved", ""): 3,
    }
    assert {a["chamberlog.organization"] for _, a, v in points if v} == {"default"}
