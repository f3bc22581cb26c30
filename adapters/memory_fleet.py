"""The in-memory twin of the fleet's control: chambers that obey at once and collect nothing by themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collector import wire
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.errors import DeviceTimeoutError, EngineAwayError, NotFoundError, RejectedError
from collector.domain.health import Health, Status
from collector.domain.outcome import Outcome, Reading
from collector.messages import (
    AdhocOutcome,
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
from collector.packing import pack
from collector.ports import ChamberRecord, ChamberRun, Clock

ReadDevice = Callable[[ChamberSpec], Outcome | None]
"""What a chamber's device answers: a reading, a gap, or None for no answer within any budget."""


@dataclass(slots=True)
class _Running:
    spec: ChamberSpec
    next_ms: int
    pause: Pause | None
    retiring: bool = False
    settled_ms: int | None = None
    held: bool = False
    problem: str = ""


class InMemoryFleet:
    """Implements `collector.ports.FleetControl` and `FleetRuns` without Temporal.

    Attributes:
        away: while True every method raises `EngineAwayError`, as with Temporal down.
        running: chambers that run, by id; removing one is what `temporal workflow terminate` does. `held` ones were
            paused in Temporal itself, those with a `problem` have failing workflow tasks: neither answers.
    """

    def __init__(self, clock: Clock, read: ReadDevice) -> None:
        self.away = False
        self.running: dict[str, _Running] = {}
        self._clock, self._read = clock, read
        self._collected: dict[tuple[str, str], AdhocOutcome] = {}

    async def start(self, record: ChamberRecord) -> None:
        """Start it from the row; one that runs is left alone."""
        await self.ping()
        self.running.setdefault(record.spec.id, _fresh(record))

    async def pause(self, chamber_id: str, request: PauseRequest) -> PauseAnswer:
        """In force at once; a chamber that is paused keeps the first slot of its pause."""
        chamber = await self._willing(chamber_id)
        since = chamber.pause.since_ms if chamber.pause else self._next_slot(chamber)
        chamber.pause = Pause(since, request.reason, request.by, request.until_ms)
        return PauseAnswer(since)

    async def resume(self, chamber_id: str, request: ResumeRequest) -> SlotAnswer:  # noqa: ARG002  the port's shape
        """In force at once."""
        chamber = await self._willing(chamber_id)
        chamber.pause, chamber.next_ms = None, self._next_slot(chamber)
        return SlotAnswer(chamber.next_ms)

    async def configure(self, chamber_id: str, request: ConfigureRequest) -> SlotAnswer:
        """In force at once; a version that is not above the chamber's changes nothing."""
        chamber = await self._willing(chamber_id)
        if request.spec.id != chamber.spec.id:
            raise RejectedError("the spec belongs to another chamber", wire.INVALID)
        if request.spec.version > chamber.spec.version:
            chamber.spec = request.spec
            chamber.next_ms = self._next_slot(chamber)
        return SlotAnswer(chamber.next_ms)

    async def begin_again(self, record: ChamberRecord) -> SlotAnswer:
        """In force at once."""
        await self._willing(record.spec.id)
        fresh = self.running[record.spec.id] = _fresh(record)
        return SlotAnswer(fresh.next_ms)

    async def collect(self, chamber_id: str, request: CollectRequest, within_ms: int) -> AdhocOutcome:
        """Asks the device once per request id."""
        chamber = await self._willing(chamber_id)
        if (chamber_id, request.request_id) in self._collected:
            return self._collected[chamber_id, request.request_id]
        if chamber.pause and not request.force:
            raise RejectedError("the chamber is paused", wire.CONFLICT)
        outcome = self._read(chamber.spec)
        if outcome is None:
            raise DeviceTimeoutError(f"no reading within {within_ms / 1000:g} s")
        answer = AdhocOutcome(pack(outcome), isinstance(outcome, Reading))
        self._collected[chamber_id, request.request_id] = answer
        return answer

    async def retire(self, chamber_id: str, request: RetireRequest) -> RetireAnswer:  # noqa: ARG002  the port's shape
        """In force at once; it has nothing unsaved, so it ends as well."""
        chamber = await self._find(chamber_id)
        del self.running[chamber_id]
        return RetireAnswer(chamber.spec.grid.at_or_before(self._next_slot(chamber) - 1))

    async def status(self, chamber_id: str) -> ChamberStatus:
        """What it was told so far."""
        chamber = await self._find(chamber_id)
        spec, health = chamber.spec, Health()
        status = Status.RETIRING if chamber.retiring else Status.PAUSED if chamber.pause else health.status
        upcoming = None if chamber.pause or chamber.retiring else self._next_slot(chamber)
        counts = (health.failures, health.last_reading_ms, health.last_failure, 0, 0)
        known = (spec.id, status, upcoming, chamber.pause, *counts, spec.version, spec.interval_ms)
        return ChamberStatus(*known, settled_ms=chamber.settled_ms)

    async def open(self) -> Sequence[ChamberRun]:
        """Those that run, each with its version."""
        await self.ping()
        return [ChamberRun(i, c.spec.version, c.held, c.problem) for i, c in self.running.items()]

    async def trouble(self, chamber_id: str) -> str | None:
        """None is ever seen."""
        await self.ping()
        return "" if chamber_id in self.running else None

    async def ping(self) -> None:
        """Raises while `away`."""
        if self.away:
            raise EngineAwayError("Temporal cannot be reached")

    async def _find(self, chamber_id: str) -> _Running:
        await self.ping()
        if chamber_id not in self.running:
            raise NotFoundError(f"chamber {chamber_id} does not run in Temporal")
        chamber = self.running[chamber_id]
        if chamber.held or chamber.problem:
            raise RejectedError("the chamber does not answer", wire.CONFLICT)
        return chamber

    async def _willing(self, chamber_id: str) -> _Running:
        chamber = await self._find(chamber_id)
        if chamber.retiring:
            raise RejectedError("the chamber is retiring", wire.CONFLICT)
        return chamber

    def _next_slot(self, chamber: _Running) -> int:
        grid = chamber.spec.grid
        return max(grid.at_or_after(chamber.next_ms), grid.after(self._clock.now_ms()))


def _fresh(record: ChamberRecord) -> _Running:
    grid, settled_ms = record.spec.grid, record.settled_through_ms
    first = max(grid.after(settled_ms), grid.at_or_after(record.first_slot_ms))
    return _Running(record.spec, first, record.pause, record.status == Status.RETIRING, settled_ms)
