"""What signals told becomes audit events beside a round, and never in its way."""

import asyncio

from collector.domain.outcome import Measurement, Reading
from collector.domain.signals import SignalEvent
from collector.messages import StoreRequest
from collector.packing import pack
from tests.activities.activity_stage import WELL, opened
from tests.unit.jumping_time import NOON_MS, in_jumping_time

SIGNALS = [
    SignalEvent("signal/run/1/5", "pause", NOON_MS - 5, by="lab", reason="door"),
    SignalEvent("signal/run/2/6", "nonsense", NOON_MS - 4, detail="unknown", ignored=True),
]
READ = (Measurement("temperature", 21.5, "Cel"), Measurement("serial", 1, "1"))
KEYS = [signal.key for signal in SIGNALS]


@in_jumping_time
async def test_a_round_tells_what_it_was_handed() -> None:
    stage = await opened()
    out = await stage.begin().collect(stage.request(2, health=WELL, signals=SIGNALS))
    assert out.told == KEYS
    assert [event.key for event in stage.ledger.events] == KEYS
    assert [event.action for event in stage.ledger.events] == ["chambers.pause", "chambers.signal"]
    assert len(stage.serials) == 2
    again = await stage.begin().collect(stage.request(2, first=2, health=WELL, signals=SIGNALS))
    assert (again.told, len(stage.ledger.events)) == (KEYS, 2)


@in_jumping_time
async def test_a_round_collects_though_nothing_can_be_told() -> None:
    stage = await opened()
    stage.ledger.organizations.clear()  # a ledger that was restored from an older dump
    out = await stage.begin().collect(stage.request(2, health=WELL, signals=SIGNALS))
    assert (out.told, out.next_ms, len(stage.serials)) == ([], stage.slot(2), 2)


@in_jumping_time
async def test_signals_alone_wait_until_the_store_is_back() -> None:
    stage = await opened()
    stage.ledger.away = True
    request = StoreRequest("incubator-3", [], None, "default", signals=SIGNALS)
    telling = asyncio.create_task(stage.begin(heartbeat_s=60).store(request))
    await asyncio.sleep(300)
    assert not telling.done()
    stage.ledger.away = False
    out = await telling
    assert (out.told, out.lost_changes) == (KEYS, [])
    assert stage.store.saves == [], "no outcome was stored for it"


@in_jumping_time
async def test_outcomes_and_signals_are_stored_together() -> None:
    stage = await opened()
    row = pack(Reading(NOON_MS, NOON_MS, NOON_MS + 20, READ, 1))
    out = await stage.begin(heartbeat_s=60).store(StoreRequest("incubator-3", [row], None, "default", signals=SIGNALS))
    assert out.told == KEYS
    assert list(stage.serials) == [0]


@in_jumping_time
async def test_what_the_events_refuse_does_not_keep_outcomes_from_the_store() -> None:
    stage = await opened()
    stage.ledger.organizations.clear()
    row = pack(Reading(NOON_MS, NOON_MS, NOON_MS + 20, READ, 1))
    out = await stage.begin(heartbeat_s=60).store(StoreRequest("incubator-3", [row], None, "default", signals=SIGNALS))
    assert out.told == []
    assert list(stage.serials) == [0]
