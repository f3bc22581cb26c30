"""The fleet's control over the model's engine: starts runs from the row and carries them over continue-as-new."""

import asyncio
from typing import cast

from adapters.temporal_control import initial_state
from collector import wire
from collector.domain.errors import EngineAwayError, NotFoundError, RejectedError
from collector.domain.health import Status
from collector.messages import (
    AdhocOutcome,
    BeginAgainRequest,
    ChamberState,
    ChamberStatus,
    CollectRequest,
    ConfigureRequest,
    PauseAnswer,
    PauseRequest,
    ResumeRequest,
    RetireAnswer,
    RetireRequest,
    SlotAnswer,
)
from collector.ports import ChamberRecord
from tests.unit.jumping_time import JumpingClock
from tests.unit.model_engine import ContinuedError, GoneError, Run, SpinningError
from tests.unit.model_loop import EngineLoop, travelled
from tests.unit.model_workers import Workers
from workflows import presentation
from workflows.chamber import ChamberWorkflow

ENDING_S = 0.1


class ModelFleet:
    """`FleetControl` for one chamber whose workflow runs in this loop.

    Attributes:
        away: the engine cannot be reached by the API.
        run: the run that runs now.
        closed_ms: when the last life ended.
        spun: the workflow went on without waiting, for ever.
    """

    def __init__(
        self, loop: EngineLoop, clock: JumpingClock, workers: Workers, kind: type[ChamberWorkflow] = ChamberWorkflow
    ) -> None:
        self._clock, self._workers, self._kind = clock, workers, kind
        self.away = self.spun = False
        self.run: Run | None = None
        self.closed_ms: int | None = None
        self._carrier: asyncio.Task[None] | None = None
        loop.when_idle(lambda: self.run is not None and self.run.look())

    async def start(self, record: ChamberRecord) -> None:
        """As `TemporalFleet.start`."""
        await self.ping()
        while not self._started(record) and record.status != Status.RETIRING:
            if self.run is not None and (await self.status(record.spec.id)).status != Status.RETIRING:
                return
            await asyncio.sleep(ENDING_S)

    async def pause(self, chamber_id: str, request: PauseRequest) -> PauseAnswer:  # noqa: ARG002 - the port has it
        return cast("PauseAnswer", await self._update(wire.UPDATE_PAUSE, travelled(request, PauseRequest)))

    async def resume(self, chamber_id: str, request: ResumeRequest) -> SlotAnswer:  # noqa: ARG002 - the port has it
        return cast("SlotAnswer", await self._update(wire.UPDATE_RESUME, travelled(request, ResumeRequest)))

    async def configure(self, chamber_id: str, request: ConfigureRequest) -> SlotAnswer:  # noqa: ARG002 - the port has it
        return cast("SlotAnswer", await self._update(wire.UPDATE_CONFIGURE, travelled(request, ConfigureRequest)))

    async def retire(self, chamber_id: str, request: RetireRequest) -> RetireAnswer:  # noqa: ARG002 - the port has it
        return cast("RetireAnswer", await self._update(wire.UPDATE_RETIRE, travelled(request, RetireRequest)))

    async def begin_again(self, record: ChamberRecord) -> SlotAnswer:
        request = BeginAgainRequest(initial_state(record))
        return cast("SlotAnswer", await self._update(wire.UPDATE_BEGIN_AGAIN, travelled(request, BeginAgainRequest)))

    async def collect(self, chamber_id: str, request: CollectRequest, within_ms: int) -> AdhocOutcome:  # noqa: ARG002 - the port has it
        raise RejectedError("the model collects on its grid only", wire.CONFLICT)

    async def status(self, chamber_id: str) -> ChamberStatus:  # noqa: ARG002 - the port has it
        await self.ping()
        return presentation.status_answer(self._here().chamber.s)

    async def ping(self) -> None:
        if self.away:
            raise EngineAwayError("Temporal is away")

    def terminate(self) -> None:
        """The workflow vanishes with all that it carried, and its activities with it."""
        assert self._carrier is not None
        if self.run is not None:
            self.run.vanish()
            self._workers.forget()
            self._closed()

    async def _update(self, name: str, request: object) -> object:
        await self.ping()
        return await self._here().update(name, request)

    def _here(self) -> Run:
        if self.run is None:
            raise NotFoundError("no such workflow runs")
        return self.run

    def _started(self, record: ChamberRecord) -> bool:
        if self.run is not None:
            return False
        state = initial_state(record)
        if state.next_ms <= self._clock.now_ms():
            state.lost_through_ms = self.closed_ms
        self._begin(travelled(state, ChamberState))
        self._carrier = asyncio.create_task(self._carry())
        self._carrier.add_done_callback(self._workers.failures.take)
        return True

    def _begin(self, state: ChamberState) -> None:
        self.run = Run(self._clock, self._workers, self._kind(state))

    async def _carry(self) -> None:
        while (run := self.run) is not None:
            try:
                await run.live()
            except ContinuedError as new:
                self._workers.leave()
                if self.run is run:
                    self._begin(new.state)
            except GoneError:
                return
            except SpinningError:
                self.spun = True
                return
            else:
                self._closed()

    def _closed(self) -> None:
        self.run, self.closed_ms = None, self._clock.now_ms()
