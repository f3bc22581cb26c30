"""The twins play a server that is away; the clock can be set."""

import asyncio

import pytest

from adapters.memory import (
    InMemoryBatches,
    InMemoryHistory,
    InMemoryKeys,
    InMemoryLedger,
    InMemoryOrganizations,
    InMemoryOutcomes,
    InMemoryRegistry,
    InMemorySections,
)
from collector.domain.chamber import ChamberSpec
from collector.domain.errors import AwayError, StoreRefusedError
from collector.domain.organization import Batch, Organization, Section
from collector.domain.outcome import Epoch, Gap, GapReason
from collector.domain.timerange import TimeRange
from collector.ports import BatchFilter, BatchPart, DetectorRecord
from collector.ports.outcomes import SaveBatch

SPEC = ChamberSpec(
    id="c",
    organization="default",
    section="default",
    url="http://192.0.2.7/",
    profile="generic-json",
    interval_ms=1_000,
    timeout_ms=500,
)


async def test_everything_refuses_while_away() -> None:
    ledger = InMemoryLedger()
    outcomes, registry = InMemoryOutcomes(ledger), InMemoryRegistry(ledger)
    await registry.enrol(SPEC, Epoch(1_000, 1_000, 0, 1), 0)
    ledger.away = True

    with pytest.raises(StoreRefusedError):
        await outcomes.save(SaveBatch("c", ()))
    with pytest.raises(StoreRefusedError):
        await outcomes.decided_slots("c", 0, 1)
    for call in (
        registry.find("default", "c"),
        registry.sections("default"),
        InMemoryHistory(ledger).audit("default", None, TimeRange(0, 1), 1),
        InMemoryKeys(ledger).find("k"),
        InMemoryKeys(ledger).revoke("k"),
        InMemoryKeys(ledger).list(None),
        InMemoryHistory(ledger).latest_of("default", []),
        InMemoryHistory(ledger).inactive_detectors("default", []),
        InMemoryHistory(ledger).batch_readings("default", "lot", BatchPart(), limit=1),
        registry.change_detector("default", "c", DetectorRecord("temperature", "Cel", None, active=True)),
        InMemoryOrganizations(ledger).add(Organization(id="lab")),
        InMemoryOrganizations(ledger).page(1, None),
        InMemorySections(ledger).add(Section(organization="default", id="cold")),
        InMemorySections(ledger).find("default", "default"),
        InMemoryBatches(ledger).add(Batch(organization="default", id="lot", section="default", started_ms=0)),
        InMemoryBatches(ledger).page("default", BatchFilter(), 1, None),
    ):
        with pytest.raises(AwayError):
            await call

    waiting = asyncio.create_task(outcomes.wait_available())
    await asyncio.sleep(0)
    assert not waiting.done()
    ledger.away = False
    await waiting
    await outcomes.save(SaveBatch("c", (Gap(1_000, 5_000, GapReason.MISSED),), 5_000))
    assert (await registry.find("default", "c")).settled_through_ms == 5_000


async def test_the_clock_decides_what_is_stale() -> None:
    now_ms = 1_000
    ledger = InMemoryLedger(lambda: now_ms)
    registry = InMemoryRegistry(ledger)
    await registry.enrol(SPEC, Epoch(2_000, 1_000, 0, 1), now_ms)
    assert (await registry.find("default", "c")).status == "starting"
    now_ms = 1_999 + 62_000
    assert (await registry.find("default", "c")).status == "starting"
    now_ms += 1
    assert (await registry.find("default", "c")).status == "stale"
