"""A chamber's life in any order over the memory twins keeps the ledger's promises; a planted defect breaks them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from collector.domain.chamber import ChamberSpec
from collector.domain.errors import DeviceUnreachableError
from collector.domain.instants import iso
from collector.messages import ChamberState, RoundOutcome
from collector.packing import Packed
from collector.usecases.change import PauseWish
from tests.unit.ledger_checks import Checks
from tests.unit.ledger_model import LIFE, LedgerModel, a_spec
from tests.unit.ledger_world import ModelWorld, memory_ports
from workflows.chamber import ChamberWorkflow
from workflows.drain import Drain

DAY = 86_400_000
TestLedgerModel = LedgerModel.TestCase
TestLedgerModel.settings = LIFE


# ---- defects that must be found


class ForgetfulChamber(ChamberWorkflow):
    """Loses what waits when it continues as new."""

    def _carried(self) -> ChamberState:
        self.s.unsaved = []
        return super()._carried()


class DeafChamber(ChamberWorkflow):
    """Takes what a round could not store for stored."""

    def _take(self, out: RoundOutcome, riding: int) -> None:
        out.unsaved.clear()
        super()._take(out, riding)


class HastyDrain(Drain):
    """Settles the next slot too."""

    def _settled_without(self, rows: list[Packed]) -> int:
        return super()._settled_without(rows) + self._s.spec.interval_ms


class HastyChamber(ChamberWorkflow):
    """Settles further than it has come."""

    def __init__(self, state: ChamberState) -> None:
        super().__init__(state)
        self._drain = HastyDrain(self.s, self._note, self._describe)


class RestlessChamber(ChamberWorkflow):
    """Reads on while it is paused."""

    async def _sleep(self, wait_ms: int | None, summary: str) -> bool:
        if self.s.pause is None:
            return await super()._sleep(wait_ms, summary)
        await self._next_round()
        return True


@pytest.mark.parametrize("defective", [ForgetfulChamber, DeafChamber, HastyChamber, RestlessChamber])
def test_a_planted_defect_is_found(defective: type[ChamberWorkflow]) -> None:
    class DefectiveLife(LedgerModel):
        workflow = defective

    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            DefectiveLife,
            settings=settings(LIFE, report_multiple_bugs=False, print_blob=False),
        )


# ---- the model itself


@contextmanager
def lived(spec: ChamberSpec, workflow: type[ChamberWorkflow] = ChamberWorkflow) -> Iterator[ModelWorld]:
    """A world whose chamber was just enrolled."""
    world = ModelWorld(spec, memory_ports, workflow)
    try:
        assert world.enrol(spec) == ""
        yield world
    finally:
        world.close()


def fates(world: ModelWorld) -> Counter[str]:
    """How many readings and slots of gaps there are, by the audit."""
    audit = Checks(world).audit(world.clock.now_ms())
    gaps = {reason.value: slots for reason, slots in audit.gaps.items()}
    return +Counter({"stored": audit.stored, "overdue": audit.overdue, **gaps})


def test_an_undisturbed_chamber_stores_every_slot() -> None:
    with lived(a_spec(10_000)) as world:
        world.let_pass(600_000)
        assert fates(world) == {"stored": 60}
        assert [asked.attempt.attempt for asked in world.fetch.asked] == [1] * 60


def test_what_waits_is_carried_over_continue_as_new_and_folded_when_it_is_too_much() -> None:
    with lived(a_spec(10_000)) as world:
        world.device.wide = True
        world.ledger.away = True
        for _ in range(30):
            assert world.run is not None
            world.run.continues = True
            world.let_pass(60_000)
        assert world.state is not None
        assert world.state.run_number > 20
        world.ledger.away = False
        world.let_pass(60_000)
        told = fates(world)
        assert told["stored"] > 50, "what was not folded"
        assert told["overflow"] > 50
        assert told.total() == told["stored"] + told["overflow"]


def test_the_model_reaches_what_can_become_of_a_slot() -> None:
    with lived(a_spec(10_000)) as world:
        world.device.failure = DeviceUnreachableError("reset")
        world.let_pass(60_000)
        world.device.failure = None
        world.pause(PauseWish("door"))
        world.let_pass(60_000)
        world.resume()
        world.let_pass(60_000)
        world.workers.kill()
        world.stand_still(120_000)
        world.let_pass(30_000)
        world.ledger.away = True
        world.let_pass(60_000)
        world.terminate()
        world.ledger.away = False
        world.configure()
        world.let_pass(60_000)
        told = fates(world)
        assert set(told) == {"stored", "unreachable", "paused", "missed", "lost"}
        world.retire()
        world.let_pass(1_000)
        assert world.run is None
        assert world.ledger.chambers[world.spec.id].retired_ms is not None


# ---- defects that the model has found


def test_a_pause_ends_within_a_second() -> None:
    with lived(a_spec(60_000)) as world:
        world.signal("pause", {"until": iso(world.clock.now_ms() + 900)})
        world.let_pass(5_000)
        Checks(world).all()


def test_a_pause_under_a_much_longer_interval_is_kept() -> None:
    with lived(a_spec(7_000)) as world:
        world.signal("pause")
        world.signal("set_interval", 86_400)
        world.let_pass(3 * DAY)
        world.signal("resume")
        world.let_pass(2 * DAY)
        Checks(world).all()
        assert set(fates(world)) == {"stored", "paused"}
