"""The model of a chamber's life over the memory twins and PostgreSQL side by side: the same life, the same ledger."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from adapters.memory import InMemoryLedger, InMemoryRegistry
from collector.domain.timerange import TimeRange
from tests.contract.conftest import TestServer
from tests.contract.ledger_mirror import MOST, Mirror, RealTime, mirrored_ports
from tests.unit.ledger_checks import FAR_MS, Checks
from tests.unit.ledger_model import LIFE, LedgerModel, a_spec
from tests.unit.ledger_world import OWNER, ModelPorts, ModelWorld
from workflows.chamber import ChamberWorkflow


@pytest.fixture
def mirror(postgres_server: TestServer) -> Iterator[Mirror]:
    """A database of this test's own, in real time."""
    real = RealTime()
    mirror = Mirror(real, real.call(postgres_server.database()))
    try:
        yield mirror
    finally:
        mirror.close()
        real.close()


def test_postgresql_keeps_the_ledger_that_its_twin_keeps(mirror: Mirror) -> None:
    class MirroredLife(LedgerModel):
        most_slots = 8

        def ports(self, ledger: InMemoryLedger) -> ModelPorts:
            mirror.clear()
            return mirrored_ports(ledger, mirror)

        @invariant()
        def both_ledgers_are_alike(self) -> None:
            if hasattr(self, "world"):
                compare(self.world, mirror)

    run_state_machine_as_test(
        MirroredLife,
        settings=settings(LIFE, max_examples=15),
    )


def test_a_ledger_that_differs_is_found(mirror: Mirror) -> None:
    spec = a_spec(10_000)
    world = ModelWorld(spec, lambda ledger: mirrored_ports(ledger, mirror), ChamberWorkflow)
    try:
        assert world.enrol(spec) == ""
        world.let_pass(60_000)
        compare(world, mirror)
        assert len(world.ledger.chambers[spec.id].readings) == 6
        del world.ledger.chambers[spec.id].readings[max(world.ledger.chambers[spec.id].readings)]
        with pytest.raises(AssertionError):
            compare(world, mirror)
        with pytest.raises(AssertionError, match="PostgreSQL proves"):
            Checks(world).audit(world.clock.now_ms())
    finally:
        world.close()


def compare(world: ModelWorld, mirror: Mirror) -> None:
    """Row by row; the audits were compared when they were asked for."""
    kept = world.ledger.chambers[world.spec.id]
    epochs = [
        (e.first_ms, e.last_ms, e.interval_ms, e.phase_ms, e.final, e.decided_ms)
        for e in sorted(kept.epochs, key=lambda e: e.first_ms)
    ]
    assert mirror.epochs(kept.spec.id) == epochs
    span, history = TimeRange(0, FAR_MS), mirror.history
    stored = mirror.call(history.readings(OWNER.organization, kept.spec.id, span, limit=MOST))
    assert [row.reading for row in stored.items] == [kept.readings[slot].reading for slot in sorted(kept.readings)]
    runs = mirror.call(history.gaps(OWNER.organization, kept.spec.id, span, limit=MOST))
    twins = [row.gap for row in kept.gaps if row.gap.last_ms is None or row.gap.last_ms >= row.gap.first_ms]
    assert sorted(
        map(str, ((r.first_ms, r.last_ms, r.reason, r.detail, r.by, r.until_ms) for r in runs.items))
    ) == sorted(map(str, ((g.first_ms, g.last_ms, g.reason, g.detail, g.by, g.until_ms) for g in twins)))
    record = mirror.call(mirror.registry.find(OWNER.organization, kept.spec.id))
    assert record.settled_through_ms == kept.settled_ms
    compare_standings(world, mirror)


def compare_standings(world: ModelWorld, mirror: Mirror) -> None:
    """How the chambers stand, but for the status: in time that jumps the server cannot say who is stale."""
    if world.ledger.away:
        return
    twin, real = InMemoryRegistry(world.ledger), mirror.registry
    told = [mirror.call(registry.standings(OWNER.organization, None, None)) for registry in (twin, real)]
    assert [replace(one, status="") for one in told[1]] == [replace(one, status="") for one in told[0]]
