"""Enrolling a chamber: the row first, then the workflow."""

from dataclasses import dataclass, fields, replace

from collector.domain.chamber import ChamberSpec, check_spec
from collector.domain.errors import ConflictError, InvalidFieldError, NotFoundError
from collector.domain.health import Status
from collector.domain.outcome import Epoch
from collector.ports import NO_TRACING, ActiveChambers, ChamberRecord, Clock, FleetControl, Registry, Tracing
from collector.usecases.active import forgetting
from collector.usecases.fleet import ChamberView, view_of
from collector.usecases.profiles import OfferedProfiles
from collector.usecases.versions import refuse_different

FIELD_NAMES = {"interval_ms": "interval_s", "timeout_ms": "timeout_s", "round_span_ms": "round_span_s"}
"""Fields of a spec that people know by another name."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`created` is False when the chamber was there already with the same spec."""

    view: ChamberView
    created: bool


class CheckSpec:
    """Refuses a spec that cannot work in this deployment."""

    def __init__(self, registry: Registry, profiles: OfferedProfiles) -> None:
        self._registry, self._profiles = registry, profiles

    async def __call__(self, spec: ChamberSpec, before: ChamberSpec | None = None) -> ChamberSpec:
        """Check its fields, its profile and its section; answers it with the newest version of its profile.

        Args:
            spec: that is wanted.
            before: that stands; None = the chamber is new.

        Raises:
            InvalidFieldError: names the field, and the remedy lists what there is.
            AwayError: the registry cannot be reached.
        """
        check_spec(spec)
        if not await self._registry.has_section(spec.organization, spec.section):
            known = ", ".join(await self._registry.sections(spec.organization)) or "none is open, make one"
            problem = f"there is no section {spec.section[:80]!r} that takes chambers"
            raise InvalidFieldError("section", problem, f"use one of: {known}")
        return await self._profiles.pinned(spec, before)


class EnrolChamber:
    """Writes the row with its first epoch, commits, and starts the chamber.

    A second run with the same spec starts what is missing and changes nothing else. The trace in which it happens stays
    with the row, so that the chamber's rounds can name it.
    """

    def __init__(
        self,
        check: CheckSpec,
        registry: Registry,
        fleet: FleetControl,
        clock: Clock,
        active: ActiveChambers,
        *,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._check, self._registry, self._fleet, self._clock = check, registry, fleet, clock
        self._active, self._tracing = active, tracing

    async def __call__(self, spec: ChamberSpec) -> Enrolled:
        """Enrol; the first slot is the first of its grid strictly after now.

        Raises:
            InvalidFieldError: the spec cannot work.
            ConflictError: the id is taken, enrolled with another spec, or retiring.
            EngineAwayError: the row stays; the same call again starts the chamber.
            AwayError: the registry cannot be reached; nothing was started.
        """
        check_spec(spec)
        now_ms = self._clock.now_ms()
        there = await self._there(spec)
        spec = await self._check(spec, there.spec if there else None)
        record = await self._enrol(spec, now_ms) if there is None else there
        _refuse_other(record, spec)
        await self._fleet.start(record)
        return Enrolled(view_of(record, now_ms), created=there is None)

    async def _there(self, spec: ChamberSpec) -> ChamberRecord | None:
        try:
            record = await self._registry.find(spec.organization, spec.id)
        except NotFoundError:
            return None
        return None if record.status == Status.RETIRED else record

    async def _enrol(self, spec: ChamberSpec, now_ms: int) -> ChamberRecord:
        grid = spec.grid
        epoch = Epoch(grid.after(now_ms), grid.interval_ms, grid.phase_ms, spec.version)
        try:
            async with forgetting(self._active, spec.organization):
                return await self._registry.enrol(spec, epoch, now_ms, self._tracing.here())
        except ConflictError:
            raise ConflictError(f"the id {spec.id} is taken", "choose another id", "id") from None


def _refuse_other(record: ChamberRecord, spec: ChamberSpec) -> None:
    if record.status == Status.RETIRING:
        raise ConflictError(f"chamber {spec.id} is retiring", "enrol it again once it is retired", "id")
    # the version of its profile that it has is as good: only a change takes the newest one
    wanted = replace(spec, version=record.spec.version, profile_version=record.spec.profile_version)
    different = (f.name for f in fields(spec) if getattr(wanted, f.name) != getattr(record.spec, f.name))
    refuse_different(f"chamber {spec.id} is enrolled already", [FIELD_NAMES.get(name, name) for name in different])
