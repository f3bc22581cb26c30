"""Changing a chamber: the registry's row first (it is the truth), then the workflow."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.errors import InvalidFieldError, NotFoundError
from collector.domain.health import Status
from collector.messages import ConfigureRequest, PauseRequest, ResumeRequest, RetireRequest
from collector.ports import ActiveChambers, ChamberRecord, Clock, FleetControl, Principal, Registry
from collector.usecases.active import forgetting
from collector.usecases.bounds import refuse_elsewhere, refuse_moving_out
from collector.usecases.enrol import CheckSpec
from collector.usecases.fleet import ChamberView, at_slot, refuse_retired, view_of, while_running
from collector.usecases.versions import as_it_stands, refuse_unread

Alter = Callable[[ChamberSpec], ChamberSpec]
"""Makes the wanted spec from the one that stands; may raise `InvalidFieldError`."""


@dataclass(frozen=True, slots=True)
class PauseWish:
    """Why, and when it ends by itself (None = when somebody resumes it)."""

    reason: str = ""
    until_ms: int | None = None


class ConfigureChamber:
    """Writes the changed spec as the next version, then tells the chamber. It takes the newest version of its profile.

    A second run with the version that stands writes nothing when nothing differs, and tells the chamber again: that
    repairs a change that Temporal did not hear of.
    """

    def __init__(
        self, check: CheckSpec, registry: Registry, fleet: FleetControl, clock: Clock, active: ActiveChambers
    ) -> None:
        self._check, self._registry, self._fleet, self._clock = check, registry, fleet, clock
        self._active = active

    async def __call__(
        self, principal: Principal, chamber_id: str, versions: frozenset[int] | None, alter: Alter
    ) -> ChamberView:
        """Change it; the view's next slot is the first of the new grid.

        Args:
            principal: who asks.
            chamber_id: which chamber.
            versions: versions that the caller read; None = whatever stands.
            alter: the change.

        Raises:
            NotFoundError: not there, or another organization's, or of another section than the principal is bound to.
            StaleVersionError: the row has a version that the caller did not read.
            ForbiddenError: it would leave that section.
            InvalidFieldError: the changed spec cannot work.
            ConflictError: it retires or retired.
            RejectedError, EngineAwayError: the change is written, the chamber did not take it over yet.
        """

        async def change() -> tuple[ChamberRecord, ChamberRecord]:
            before = await self._registry.find(principal.organization, chamber_id)
            refuse_elsewhere(principal, before.spec)  # it may have been moved since the gate looked
            refuse_unread(before.spec.version, versions)
            refuse_retired(before)
            altered = alter(before.spec)
            refuse_moving_out(principal, altered)
            wanted = await self._check(altered, before.spec)
            return before, before if wanted == before.spec else await self._write(wanted, before.spec.version)

        before, record = await as_it_stands(versions, change)
        request = ConfigureRequest(record.spec)
        # started from the row as it was: the epoch that is open has the old grid
        answer = await while_running(self._fleet, before, lambda: self._fleet.configure(chamber_id, request))
        return at_slot(view_of(record, self._clock.now_ms()), answer.first_slot_ms)

    async def _write(self, wanted: ChamberSpec, version: int) -> ChamberRecord:
        async with forgetting(self._active, wanted.organization):
            return await self._registry.change_spec(wanted, version)


class PauseChamber:
    """Pauses a chamber. A second run with the same wish changes nothing."""

    def __init__(self, registry: Registry, fleet: FleetControl, clock: Clock) -> None:
        self._registry, self._fleet, self._clock = registry, fleet, clock

    async def __call__(self, principal: Principal, chamber_id: str, wish: PauseWish) -> ChamberView:
        """Pause it; the view's pause begins at the first slot that is not collected.

        Raises:
            NotFoundError: not there, or another organization's.
            InvalidFieldError: field `until`, when it is not in the future.
            ConflictError: it retires or retired.
            RejectedError, EngineAwayError: the pause is written, the chamber did not take it over yet.
        """
        now_ms = self._clock.now_ms()
        refuse_past(wish.until_ms, now_ms)
        before = await self._registry.find(principal.organization, chamber_id)
        refuse_retired(before)
        pause = Pause(before.spec.grid.after(now_ms), wish.reason, principal.subject, wish.until_ms)
        record = before if _same(before.pause, pause) else await self._write(before, pause)
        request = PauseRequest(wish.reason, principal.subject, wish.until_ms, record.spec.version)
        answer = await while_running(self._fleet, record, lambda: self._fleet.pause(chamber_id, request))
        in_force = replace(pause, since_ms=answer.since_ms)
        return view_of(replace(record, pause=in_force, status=Status.PAUSED), now_ms)

    async def _write(self, before: ChamberRecord, pause: Pause) -> ChamberRecord:
        since_ms = before.pause.since_ms if before.pause else pause.since_ms
        spec = before.spec
        return await self._registry.change_pause(spec.organization, spec.id, replace(pause, since_ms=since_ms))


class ResumeChamber:
    """Ends a pause. A second run changes nothing; it also ends a pause that only a signal has set."""

    def __init__(self, registry: Registry, fleet: FleetControl, clock: Clock) -> None:
        self._registry, self._fleet, self._clock = registry, fleet, clock

    async def __call__(self, principal: Principal, chamber_id: str) -> ChamberView:
        """Resume it; the view's next slot is the first that is collected again.

        Raises:
            NotFoundError: not there, or another organization's.
            ConflictError: it retires or retired.
            RejectedError, EngineAwayError: written, the chamber did not take it over yet.
        """
        before = await self._registry.find(principal.organization, chamber_id)
        refuse_retired(before)
        record = await self._registry.change_pause(principal.organization, chamber_id, None)
        request = ResumeRequest(principal.subject, record.spec.version)
        answer = await while_running(self._fleet, record, lambda: self._fleet.resume(chamber_id, request))
        view = view_of(record, self._clock.now_ms())
        status = Status.COLLECTING if record.last_reading_ms is not None else Status.STARTING
        return at_slot(replace(view, status=status) if view.status == Status.PAUSED else view, answer.first_slot_ms)


class RetireChamber:
    """Ends a chamber; its history stays. A second run changes nothing."""

    def __init__(self, registry: Registry, fleet: FleetControl, clock: Clock, active: ActiveChambers) -> None:
        self._registry, self._fleet, self._clock, self._active = registry, fleet, clock, active

    async def __call__(self, principal: Principal, chamber_id: str, reason: str) -> ChamberView:
        """Retire it: `retiring` until its last outcome is stored, then `retired`.

        Raises:
            NotFoundError: not there, or another organization's.
            RejectedError, EngineAwayError: it is marked, the chamber did not hear of it yet.
        """
        record = await self._registry.find(principal.organization, chamber_id)
        if record.status != Status.RETIRED:
            async with forgetting(self._active, principal.organization):  # it may retire at once: after that
                record = await self._registry.retire(principal.organization, chamber_id)
                await self._end(record, RetireRequest(reason, principal.subject))
            record = await self._registry.find(principal.organization, chamber_id)
        return view_of(record, self._clock.now_ms())

    async def _end(self, record: ChamberRecord, request: RetireRequest) -> None:
        try:
            await self._fleet.retire(record.spec.id, request)
        except NotFoundError:
            await self._fleet.start(record)  # it begins as retiring, stores the end of its epoch and ends


def refuse_past(until_ms: int | None, now_ms: int) -> None:
    """Refuse a pause that would be over already.

    Raises:
        InvalidFieldError: field `until`.
    """
    if until_ms is not None and until_ms <= now_ms:
        raise InvalidFieldError("until", "it is not in the future", "give a later instant, or leave it out")


def _same(before: Pause | None, wanted: Pause) -> bool:
    return before is not None and (before.reason, before.by, before.until_ms) == (
        wanted.reason,
        wanted.by,
        wanted.until_ms,
    )
