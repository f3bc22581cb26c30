"""Everything around the model's chamber: loop, clock, device, workers, ports and the use cases of the API."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from adapters.memory import (
    InMemoryActive,
    InMemoryHistory,
    InMemoryLedger,
    InMemoryOutcomes,
    InMemoryProfiles,
    InMemoryRegistry,
)
from collector.domain.chamber import ChamberSpec
from collector.domain.errors import AwayError, ConflictError, NotFoundError, RejectedError
from collector.domain.roles import Role
from collector.domain.timerange import TimeRange
from collector.messages import ChamberState
from collector.ports import Audit, OutcomeStore, Principal, Registry
from collector.usecases.change import ConfigureChamber, PauseChamber, PauseWish, ResumeChamber, RetireChamber
from collector.usecases.enrol import CheckSpec, EnrolChamber
from collector.usecases.profiles import OfferedProfiles
from tests.unit.jumping_time import JumpingClock
from tests.unit.model_engine import Run, engine_loop
from tests.unit.model_fleet import ModelFleet
from tests.unit.model_loop import EngineLoop
from tests.unit.model_workers import PROFILES, ModelDevice, ModelStore, WatchedFetch, Workers
from workflows.chamber import ChamberWorkflow

T = TypeVar("T")
LONG_AGO_MS = 3_000 * 86_400_000
"""The model lives in the past, so that no outcome of it is in the future of a real server."""
OWNER = Principal("default", "key/1", Role.ADMINISTRATOR)


class Proof(Protocol):
    """The part of `LedgerReader` that the model reads."""

    async def audit(self, organization: str, chamber_id: str | None, span: TimeRange, now_ms: int) -> Audit: ...


@dataclass(frozen=True, slots=True)
class ModelPorts:
    """The ports over one ledger."""

    outcomes: OutcomeStore
    registry: Registry
    history: Proof


def memory_ports(ledger: InMemoryLedger) -> ModelPorts:
    """The ports over the memory twins."""
    return ModelPorts(InMemoryOutcomes(ledger), InMemoryRegistry(ledger), InMemoryHistory(ledger))


class ModelClock(JumpingClock):
    """The clock of a loop, also while that does not run."""

    def __init__(self, loop: EngineLoop) -> None:
        super().__init__()
        self._loop, self.set_back_ms = loop, LONG_AGO_MS

    def monotonic_ms(self) -> int:
        return round(self._loop.time() * 1000)


class ModelWorld:
    """One chamber and all that it needs.

    Attributes:
        spec: as it is enrolled next.
        broken: what happened that may not happen.
    """

    def __init__(
        self, spec: ChamberSpec, ports: Callable[[InMemoryLedger], ModelPorts], workflow: type[ChamberWorkflow]
    ) -> None:
        self.spec, self.loop = spec, engine_loop()
        self.clock = ModelClock(self.loop)
        self.ledger = InMemoryLedger(self.clock.now_ms)
        self.ports = ports(self.ledger)
        self.device, self.store = ModelDevice(), ModelStore(self.ports.outcomes)
        self.fetch = WatchedFetch(self.device, self.clock, self._watch)
        self.workers = Workers(self.clock, self.store, self.fetch)
        self.fleet = ModelFleet(self.loop, self.clock, self.workers, workflow)
        self.broken: list[str] = []
        self.enrolments = 0
        self._spoken = (self.ports.registry, self.fleet, self.clock)
        self._active = InMemoryActive(self.clock.now_ms)

    # ---- the clock

    def play(self, step: Coroutine[Any, Any, T]) -> T:
        """Run the step, and everything beside it."""
        return self.loop.run_until_complete(step)

    def let_pass(self, ms: int, most_reads: int | None = None) -> None:
        """Time passes; not all of it, once the device was asked so often."""
        self.play(self.fetch.until_asked(most_reads, ms))

    def stand_still(self, ms: int) -> None:
        """Nobody is alive for so long; whoever was killed before ends first."""
        self.let_pass(0)
        self.loop.stand_still(ms)
        self.let_pass(1)

    def close(self) -> None:
        """End everything."""
        if self.run is not None:
            self.terminate()
        self.loop.discard()

    # ---- the chamber

    @property
    def run(self) -> Run | None:
        return self.fleet.run

    @property
    def state(self) -> ChamberState | None:
        """What the chamber knows, if it runs."""
        return None if self.run is None else self.run.chamber.s

    @property
    def idle(self) -> bool:
        """Whether no slot will be read before somebody says something."""
        state = self.state
        return state is None or (state.pause is not None and state.pause.until_ms is None)

    def terminate(self) -> None:
        """The workflow is gone, and with it what nobody has stored."""

        async def end() -> None:
            self.fleet.terminate()

        self.play(end())
        self.let_pass(1)
        for asked in self.fetch.asked:
            asked.attempt.torn = True

    def _watch(self, slot_ms: int) -> None:
        state = self.state
        if state is None:
            self.broken.append(f"slot {slot_ms} was read, but no chamber runs")
        elif state.pause is not None:
            self.broken.append(f"slot {slot_ms} was read in a pause since {state.pause.since_ms}")

    # ---- what people say

    def signal(self, name: str, *args: object) -> None:
        """A signal, if the chamber runs."""

        async def send() -> None:
            if self.run is not None:
                self.run.signal(name, *args)

        self.play(send())
        self.let_pass(1)

    def enrol(self, spec: ChamberSpec) -> str:
        enrol = EnrolChamber(self._check, *self._spoken, self._active)
        before = self.ledger.chambers.get(spec.id)
        retired = before is None or before.retired_ms is not None
        problem = self._ask(enrol(spec))
        self.enrolments += retired and self.ledger.chambers[spec.id].retired_ms is None
        return problem

    def pause(self, wish: PauseWish) -> str:
        return self._ask(PauseChamber(*self._spoken)(OWNER, self.spec.id, wish))

    def resume(self) -> str:
        return self._ask(ResumeChamber(*self._spoken)(OWNER, self.spec.id))

    def configure(self, **changes: Any) -> str:
        change = ConfigureChamber(self._check, *self._spoken, self._active)
        return self._ask(change(OWNER, self.spec.id, None, lambda spec: replace(spec, **changes)))

    @property
    def _check(self) -> CheckSpec:
        return CheckSpec(self.ports.registry, OfferedProfiles(PROFILES, InMemoryProfiles(self.ledger)))

    def retire(self) -> str:
        return self._ask(RetireChamber(*self._spoken, self._active)(OWNER, self.spec.id, "moved"))

    def _ask(self, request: Coroutine[Any, Any, object]) -> str:
        """The problem, or nothing."""

        async def ask() -> str:
            try:
                await request
            except (AwayError, ConflictError, NotFoundError, RejectedError) as error:
                return f"{type(error).__name__}: {error}"
            return ""

        return self.play(ask())
