"""Who is right, registry or workflow: one test a cause, over the twins."""

from dataclasses import dataclass, replace

import pytest

from adapters.memory import InMemoryLedger, InMemoryOutcomes, InMemoryRegistry
from adapters.memory_fleet import InMemoryFleet
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.errors import AwayError, EngineAwayError
from collector.domain.outcome import Epoch, EpochEnd, Measurement, Reading
from collector.domain.reconciling import ReconcileOutcome, ReconcileRequest
from collector.ports import ChamberRecord, SaveBatch
from collector.usecases.reconcile import ReconcileFleet

MINUTE_MS = 60_000
START_MS = 1_790_000_000_000


@dataclass
class SetClock:
    """A clock that a test sets."""

    at_ms: int = START_MS

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic_ms(self) -> int:
        return self.at_ms


def spec_of(name: str) -> ChamberSpec:
    """A chamber with nothing special."""
    return ChamberSpec(
        id=name,
        organization="default",
        section="default",
        url="http://192.0.2.7/",
        profile="generic-json",
        interval_ms=MINUTE_MS,
        timeout_ms=30_000,
    )


class Site:
    """A fleet of chambers at 60 s that were enrolled and started at `START_MS`."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.ledger = InMemoryLedger(self.clock.now_ms)
        self.registry, self.outcomes = InMemoryRegistry(self.ledger), InMemoryOutcomes(self.ledger)
        self.fleet = InMemoryFleet(self.clock, lambda _: None)
        self.reconcile = ReconcileFleet(self.registry, self.fleet, self.fleet, self.clock)

    async def enrol(self, *names: str) -> None:
        for name in names:
            spec = spec_of(name)
            epoch = Epoch(spec.grid.after(START_MS), MINUTE_MS, spec.grid.phase_ms, 1)
            await self.fleet.start(await self.registry.enrol(spec, epoch, START_MS))

    async def many(self, count: int) -> None:
        await self.enrol(*(f"many-{number:03}" for number in range(count)))

    async def record(self, name: str) -> ChamberRecord:
        return await self.registry.find("default", name)

    async def collect(self, name: str, slots: int) -> None:
        """The chamber goes on as a round would: it stores and knows how far."""
        record = await self.record(name)
        for number in range(1, slots + 1):
            slot = record.spec.grid.after(record.settled_through_ms) + (number - 1) * MINUTE_MS
            reading = Reading(slot, slot, slot + 5, (Measurement("temperature", 20.0, "Cel"),), 1)
            await self.outcomes.save(SaveBatch(name, (reading,), slot))
            self.fleet.running[name].settled_ms = slot

    async def run(self, **wish: bool) -> ReconcileOutcome:
        return await self.reconcile(ReconcileRequest(**wish))


@pytest.fixture
def site() -> Site:
    return Site()


async def test_a_fleet_that_is_as_it_should_be_is_left_alone(site: Site) -> None:
    await site.many(20)
    outcome = await site.run()
    assert (outcome.rows, outcome.runs, outcome.counts, outcome.alarm) == (20, 20, {}, "")


async def test_a_chamber_that_was_terminated_or_never_started_is_started(site: Site) -> None:
    await site.enrol("terminated", "well")
    await site.collect("terminated", 2)
    del site.fleet.running["terminated"]
    site.clock.at_ms += 10 * MINUTE_MS

    outcome = await site.run()

    assert outcome.counts == {"started": 1, "stale": 1}
    assert outcome.examples["started"] == ["terminated: its workflow did not run"]
    began = site.fleet.running["terminated"]
    assert began.next_ms == (await site.record("terminated")).settled_through_ms + MINUTE_MS, "never at now"
    assert "started" not in (await site.run()).counts


async def test_it_is_started_with_its_rows_pause(site: Site) -> None:
    await site.enrol("paused")
    await site.registry.change_pause("default", "paused", Pause(START_MS, "door", "key/1"))
    del site.fleet.running["paused"]
    await site.run()
    pause = site.fleet.running["paused"].pause
    assert pause is not None
    assert pause.reason == "door"


async def test_a_row_that_the_chamber_did_not_hear_of_is_told(site: Site) -> None:
    await site.enrol("deaf")
    record = await site.record("deaf")
    await site.registry.change_spec(replace(record.spec, interval_ms=10_000, timeout_ms=5_000), 1)
    await site.registry.change_pause("default", "deaf", Pause(START_MS, "door", "key/1"))

    assert (await site.run()).counts == {"told": 1}

    chamber = site.fleet.running["deaf"]
    assert (chamber.spec.version, chamber.spec.interval_ms) == (3, 10_000)
    assert chamber.pause is not None
    assert chamber.pause.by == "key/1"
    assert (await site.run()).counts == {}


async def test_a_pause_that_the_row_lost_ends_and_one_that_is_over_is_not_sent(site: Site) -> None:
    await site.enrol("resumed", "over")
    for name, until_ms in (("resumed", None), ("over", START_MS + 1)):
        await site.registry.change_pause("default", name, Pause(START_MS, "door", "key/1", until_ms))
    await site.registry.change_pause("default", "resumed", None)
    site.fleet.running["resumed"].pause = Pause(START_MS, "door")
    site.clock.at_ms += 5

    assert (await site.run()).counts == {"told": 2}
    assert all(chamber.pause is None for chamber in site.fleet.running.values())


async def test_a_row_that_is_marked_as_retiring_retires_its_chamber(site: Site) -> None:
    await site.enrol("old", "older")
    for name in ("old", "older"):
        await site.registry.retire("default", name)
    del site.fleet.running["older"]
    outcome = await site.run()
    assert outcome.counts == {"retired": 1, "started": 1}
    assert "old" not in site.fleet.running
    assert site.fleet.running["older"].retiring, "it begins as retiring, to store the end of its epoch"


async def test_a_ledger_that_was_restored_takes_its_chambers_back(site: Site) -> None:
    await site.enrol("ahead", "forgotten")
    await site.collect("forgotten", 2)
    known = site.fleet.running["ahead"]
    known.spec = replace(known.spec, version=4, interval_ms=1_000)
    site.fleet.running["forgotten"].settled_ms = START_MS + 20 * MINUTE_MS
    site.clock.at_ms += 20 * MINUTE_MS

    outcome = await site.run()

    assert outcome.counts == {"begun_again": 2}
    assert "its row is at version 1 only, it was at 4" in outcome.examples["begun_again"][0]
    assert "the ledger ends at" in outcome.examples["begun_again"][1]
    for name in ("ahead", "forgotten"):
        record = await site.record(name)
        assert site.fleet.running[name].spec == record.spec
        assert site.fleet.running[name].next_ms == record.spec.grid.after(record.settled_through_ms)


async def test_a_chamber_without_a_row_is_reported_and_never_ended(site: Site) -> None:
    await site.enrol("orphan", "retired")
    del site.ledger.chambers["orphan"]
    await site.outcomes.save(SaveBatch("retired", (EpochEnd(START_MS),)))
    outcome = await site.run(all=True)
    assert outcome.counts == {"orphan": 2}
    assert outcome.examples["orphan"] == [
        "orphan: it runs, and the registry has no such chamber",
        "retired: it runs, though its row is retired",
    ]
    assert set(site.fleet.running) == {"orphan", "retired"}


async def test_what_temporal_itself_holds_is_reported_and_left_alone(site: Site) -> None:
    await site.enrol("held", "wedged", "silent")
    site.fleet.running["held"].held = True
    site.fleet.running["wedged"].problem = "category=WorkflowTaskFailed"
    site.clock.at_ms += 10 * MINUTE_MS
    outcome = await site.run()
    assert outcome.counts == {"held": 1, "wedged": 1, "stale": 1}
    assert outcome.examples["held"] == ["held: it is paused in Temporal itself"]
    assert outcome.examples["wedged"] == ["wedged: category=WorkflowTaskFailed"]
    assert outcome.examples["stale"] == ["silent: nothing is seen in Temporal: look at its workers"]
    assert len(site.fleet.running) == 3


async def test_a_wrong_database_stops_it_and_alarms(site: Site) -> None:
    await site.many(40)
    for name in list(site.fleet.running)[:6]:
        del site.fleet.running[name]

    outcome = await site.run()

    assert outcome.counts == {}
    assert outcome.alarm.startswith("6 of 40 chambers would have to be repaired (6 started), such as many-000")
    assert len(site.fleet.running) == 34
    assert (await site.run(all=True)).counts == {"started": 6}


@pytest.mark.parametrize(("fleet", "gone", "stops"), [(8, 5, False), (8, 6, True), (80, 8, False), (80, 9, True)])
async def test_few_or_a_small_share_are_repaired(site: Site, fleet: int, gone: int, stops: bool) -> None:
    await site.many(fleet)
    for name in list(site.fleet.running)[:gone]:
        del site.fleet.running[name]
    outcome = await site.run()
    assert bool(outcome.alarm) is stops
    assert outcome.counts == ({} if stops else {"started": gone})


async def test_a_dry_run_says_what_it_would_do(site: Site) -> None:
    await site.enrol("gone")
    del site.fleet.running["gone"]
    assert (await site.run(dry_run=True)).counts == {"started": 1}
    assert site.fleet.running == {}


async def test_a_server_that_is_away_repairs_nothing(site: Site) -> None:
    await site.enrol("gone")
    del site.fleet.running["gone"]
    site.ledger.away = True
    with pytest.raises(AwayError):
        await site.run()
    site.ledger.away = False
    site.fleet.away = True
    with pytest.raises(EngineAwayError):
        await site.run()
    assert site.fleet.running == {}


async def test_what_was_drained_beside_a_round_is_no_hole(site: Site) -> None:
    await site.enrol("drained")
    await site.collect("drained", 2)
    record = await site.record("drained")
    slots = [record.settled_through_ms + n * MINUTE_MS for n in range(1, 6)]
    for slot in slots:
        reading = Reading(slot, slot, slot + 5, (Measurement("temperature", 20.0, "Cel"),), 1)
        await site.outcomes.save(SaveBatch("drained", (reading,)))
    site.fleet.running["drained"].settled_ms = slots[-1]
    site.clock.at_ms = slots[-1] + MINUTE_MS
    assert (await site.record("drained")).status == "stale"

    assert (await site.run()).counts == {"stale": 1}


async def test_a_chamber_that_was_put_right_meanwhile_is_left_alone(site: Site) -> None:
    await site.enrol("first", "second")
    for name in ("first", "second"):
        del site.fleet.running[name]
    start = site.fleet.start

    class Meanwhile(InMemoryFleet):
        async def start(self, record: ChamberRecord) -> None:
            await start(record)
            if record.spec.id == "first":
                await site.outcomes.save(SaveBatch("second", (EpochEnd(START_MS),)))

    meanwhile = Meanwhile(site.clock, lambda _: None)
    meanwhile.running = site.fleet.running
    reconcile = ReconcileFleet(site.registry, meanwhile, meanwhile, site.clock)
    assert (await reconcile(ReconcileRequest())).counts == {"started": 1}
    assert set(site.fleet.running) == {"first"}, "the other one was retired"
