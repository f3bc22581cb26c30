"""A chamber that sleeps begins a new run when signals that change nothing have filled its history."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from collector import wire
from collector.domain.chamber import Pause
from collector.messages import ChamberState
from tests.unit.ledger_world import ModelClock
from tests.unit.model_engine import ContinuedError, Run, engine_loop
from tests.unit.model_loop import EngineLoop
from tests.unit.round_stage import chamber
from workflows.chamber import ChamberWorkflow

DAY_S = 86_400


@dataclass
class Unanswered:
    """An activity that nobody carries."""

    done: "asyncio.Future[object]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def cancel(self) -> None:
        """Nobody hears it."""


class Nobody:
    """A queue without workers."""

    def schedule(self, _: str, __: object, ___: type) -> Unanswered:
        """It stays there."""
        return Unanswered()


@pytest.fixture
def loop() -> Iterator[EngineLoop]:
    made = engine_loop()
    yield made
    made.discard()


@pytest.mark.parametrize("paused", [True, False], ids=["in a pause", "between two days"])
@pytest.mark.parametrize("name", [wire.SIGNAL_SET_INTERVAL, None], ids=["known", "unknown"])
def test_a_chamber_that_sleeps_continues_as_new(loop: EngineLoop, name: str | None, *, paused: bool) -> None:
    clock = ModelClock(loop)
    now_ms = clock.now_ms()
    state = ChamberState(chamber(DAY_S), now_ms + 80_000_000, pause=Pause(now_ms) if paused else None)
    run = Run(clock, Nobody(), ChamberWorkflow(state))
    loop.when_idle(run.look)

    def signal() -> None:
        run.signal(name, *(("soon",) if name else ("shout", ())))

    async def play() -> ChamberState:
        living = asyncio.create_task(run.live())
        await asyncio.sleep(10)
        signal()
        await asyncio.sleep(10)
        assert not living.done(), "there is room in the history"
        run.continues = True
        signal()
        with pytest.raises(ContinuedError) as new:
            await asyncio.wait_for(living, 10)
        return new.value.state

    carried = loop.run_until_complete(play())
    assert len(carried.signals.waiting) == 2
    assert (carried.pause is not None) is paused
