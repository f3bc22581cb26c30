"""The chambers that were enrolled, in memory."""

from collections.abc import Sequence, Set
from dataclasses import replace

from adapters.cursors import read_cursor, write_cursor
from adapters.detectors import changed_detector
from adapters.memory.audit import lacks_outcomes
from adapters.memory.ledger import InMemoryLedger, KeptChamber, KeptEpoch
from collector.domain.cadence import Grid
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.errors import ConflictError, StaleVersionError
from collector.domain.health import FAILING_AFTER, Status
from collector.domain.organization import closed_section, no_section
from collector.domain.outcome import Epoch, GapReason
from collector.ports.active import ActiveChamber
from collector.ports.history import CHANGEABLE, DetectorRecord
from collector.ports.paging import Page
from collector.ports.registry import ChamberFilter, ChamberRecord, Standing

STALE_GRACE_MS = 60_000


class InMemoryRegistry:
    """`Registry` and `FleetRows` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def has_section(self, organization: str, section: str) -> bool:
        """Whether chambers can be enrolled there."""
        self._ledger.check_here()
        return self._ledger.has_section(organization, section)

    async def sections(self, organization: str) -> Sequence[str]:
        """Names of the organization's active sections, sorted."""
        self._ledger.check_here()
        return self._ledger.sections_of(organization)

    async def enrol(self, spec: ChamberSpec, epoch: Epoch, now_ms: int, trace: str = "") -> ChamberRecord:
        """Write the row and its first epoch; see `Registry.enrol`."""
        self._ledger.check_here()
        self._check_section(spec)
        kept = self._ledger.chambers.get(spec.id)
        if kept is not None and kept.spec.organization != spec.organization:
            raise ConflictError(f"the id {spec.id!r} is taken", "choose another id", "id")
        if kept is None:
            kept = KeptChamber(spec, now_ms, epoch.first_slot_ms, epoch.first_slot_ms - 1)
            self._ledger.chambers[spec.id] = kept
            _begin(kept, spec, epoch)
            kept.enrolment_trace = trace
        elif kept.retired_ms is not None:
            _begin(kept, replace(spec, version=kept.spec.version + 1), epoch)
            kept.enrolment_trace = trace
        return self._record(kept)

    async def find(self, organization: str, chamber_id: str) -> ChamberRecord:
        """One chamber; see `Registry.find`."""
        return self._record(self._ledger.chamber_of(organization, chamber_id))

    async def page(
        self, organization: str, wanted: ChamberFilter, limit: int, cursor: str | None
    ) -> Page[ChamberRecord]:
        """Chambers by id; see `Registry.page`."""
        self._ledger.check_here()
        place = read_cursor(cursor, str)
        after = str(place[0]) if place else ""
        mine = (self._record(k) for k in self._ledger.chambers.values() if k.spec.organization == organization)
        fitting = sorted((r for r in mine if r.spec.id > after and _fits(r, wanted)), key=lambda r: r.spec.id)
        items = fitting[:limit]
        return Page(items, write_cursor(items[-1].spec.id) if items and len(fitting) > limit else None)

    async def active(self, organization: str, at_most: int) -> Sequence[ActiveChamber]:
        """The first chambers that have not retired; see `Registry.active`."""
        self._ledger.check_here()
        alive = (k for k in self._ledger.chambers.values() if k.retired_ms is None)
        mine = sorted((k for k in alive if k.spec.organization == organization), key=lambda kept: kept.spec.id)
        return [_active(kept) for kept in mine[:at_most]]

    async def standings(self, organization: str, section: str | None, text: str | None) -> Sequence[Standing]:
        """How every chamber stands; see `Registry.standings`."""
        self._ledger.check_here()
        wanted = ChamberFilter(section, None, text)
        mine = sorted(self._ledger.chambers.items())
        records = [(kept, self._record(kept)) for _, kept in mine if kept.spec.organization == organization]
        return [_standing(kept, record) for kept, record in records if _fits(record, wanted)]

    async def change_spec(self, spec: ChamberSpec, expected_version: int) -> ChamberRecord:
        """Write the spec as the next version; see `Registry.change_spec`."""
        kept = self._ledger.chamber_of(spec.organization, spec.id)
        if kept.spec.version != expected_version:
            raise StaleVersionError(kept.spec.version)
        _check_alive(kept)
        if spec.section != kept.spec.section:
            self._check_section(spec)
            kept.stand(self._ledger.now_ms(), spec.section)
        kept.spec = replace(spec, version=expected_version + 1)
        return self._record(kept)

    async def change_pause(self, organization: str, chamber_id: str, pause: Pause | None) -> ChamberRecord:
        """Write or remove the pause; see `Registry.change_pause`. Reason, author and end make a pause the same."""
        kept = self._ledger.chamber_of(organization, chamber_id)
        _check_alive(kept)
        if _essence(kept.pause) != _essence(pause):
            kept.spec = replace(kept.spec, version=kept.spec.version + 1)
            kept.pause, kept.resumed_ms = pause, kept.resumed_ms if pause else self._ledger.now_ms()
        return self._record(kept)

    async def retire(self, organization: str, chamber_id: str) -> ChamberRecord:
        """Mark it `retiring`; see `Registry.retire`."""
        kept = self._ledger.chamber_of(organization, chamber_id)
        kept.retiring = True
        return self._record(kept)

    async def change_detector(
        self, organization: str, chamber_id: str, wanted: DetectorRecord, given: Set[str] = CHANGEABLE
    ) -> DetectorRecord:
        """Write fields of a detector; see `Registry.change_detector`."""
        kept = self._ledger.chamber_of(organization, chamber_id)
        changed = changed_detector(list(kept.detectors.values()), wanted, given)
        kept.detectors[changed.name] = changed
        return changed

    async def all(self) -> Sequence[ChamberRecord]:
        """Every row by id; see `FleetRows.all`."""
        self._ledger.check_here()
        return [self._record(kept) for _, kept in sorted(self._ledger.chambers.items())]

    async def lacks_outcomes(self, chamber_id: str, from_ms: int, to_ms: int) -> bool:
        """Whether a slot in [from, to) has no outcome; see `FleetRows.lacks_outcomes`."""
        self._ledger.check_here()
        kept = self._ledger.chambers.get(chamber_id)
        return kept is not None and lacks_outcomes(kept, from_ms, to_ms)

    async def row(self, chamber_id: str) -> ChamberRecord | None:
        """The row of that id; see `FleetRows.row`."""
        self._ledger.check_here()
        kept = self._ledger.chambers.get(chamber_id)
        return None if kept is None else self._record(kept)

    def _check_section(self, spec: ChamberSpec) -> None:
        kept = self._ledger.sections.get((spec.organization, spec.section))
        if kept is None:
            raise no_section(spec.section)
        if not kept.active:
            raise closed_section(spec.section)

    def _record(self, kept: KeptChamber) -> ChamberRecord:
        epoch = kept.last_epoch()
        return ChamberRecord(
            spec=kept.spec,
            pause=kept.pause,
            status=status_of(kept, self._ledger.now_ms()),
            settled_through_ms=kept.settled_ms,
            first_slot_ms=epoch.first_ms,
            created_ms=kept.created_ms,
            last_reading_ms=max(kept.readings, default=None),
            retired_ms=kept.retired_ms,
            grid=Grid(epoch.interval_ms, epoch.phase_ms),
            enrolment_trace=kept.enrolment_trace,
        )


def _active(kept: KeptChamber) -> ActiveChamber:
    spec, inactive = kept.spec, (d.name for d in kept.detectors.values() if not d.active)
    return ActiveChamber(spec.id, spec.section, spec.name, spec.interval_ms, tuple(sorted(inactive)))


def _standing(kept: KeptChamber, record: ChamberRecord) -> Standing:
    spec, newest_ms = record.spec, record.last_reading_ms
    assert record.grid is not None
    pauses = [g.gap.last_ms for g in kept.gaps if g.opened and g.gap.last_ms is not None]
    lacks = newest_ms is None or newest_ms <= kept.settled_ms - record.grid.interval_ms
    return Standing(
        id=spec.id,
        name=spec.name,
        section=spec.section,
        profile=spec.profile,
        status=record.status,
        interval_ms=spec.interval_ms,
        grid=record.grid,
        first_slot_ms=record.first_slot_ms,
        settled_ms=kept.settled_ms,
        last_reading_ms=newest_ms,
        late_ms=None if newest_ms is None else kept.readings[newest_ms].reading.requested_ms - newest_ms,
        resumed_ms=max(pauses, default=None) if lacks else None,
        paused=kept.pause is not None,
        until_ms=kept.pause.until_ms if kept.pause else None,
    )


def status_of(kept: KeptChamber, now_ms: int) -> Status:
    """What the ledger says of a chamber: the same expression as PostgreSQL's view `chamber_overview`."""
    if kept.retired_ms is not None:
        return Status.RETIRED
    if kept.retiring:
        return Status.RETIRING
    patience_ms = 2 * kept.spec.interval_ms + STALE_GRACE_MS
    until_ms = kept.pause.until_ms if kept.pause else None
    if kept.pause and (until_ms is None or now_ms <= until_ms + patience_ms):
        return Status.PAUSED
    if now_ms > max(kept.settled_ms, kept.resumed_ms or 0, until_ms or 0) + patience_ms:
        return Status.STALE
    if kept.settled_ms < kept.began_ms:
        return Status.STARTING
    return Status.FAILING if _failing(kept) else Status.COLLECTING


def _failing(kept: KeptChamber) -> bool:
    epoch = kept.last_epoch()
    third_ms = Grid(epoch.interval_ms, epoch.phase_ms).at_or_before(kept.settled_ms)
    third_ms -= (FAILING_AFTER - 1) * epoch.interval_ms
    pauses = (g.gap.last_ms for g in kept.gaps if g.opened and g.gap.reason is GapReason.PAUSED)
    resumed_ms = max((last for last in pauses if last is not None), default=-1)
    newest_ms = max(kept.readings, default=-1)
    return third_ms >= epoch.first_ms and third_ms > resumed_ms and newest_ms < third_ms


def _begin(kept: KeptChamber, spec: ChamberSpec, epoch: Epoch) -> None:
    grid = Grid(epoch.interval_ms, epoch.phase_ms)
    ended_ms = max((e.last_ms or 0 for e in kept.epochs), default=None)
    first_ms = epoch.first_slot_ms
    if ended_ms is not None and first_ms <= ended_ms:
        first_ms = grid.after(ended_ms)
    kept.spec, kept.pause, kept.retiring, kept.retired_ms, kept.resumed_ms = spec, None, False, None, None
    kept.began_ms, kept.settled_ms = first_ms, first_ms - 1
    new = KeptEpoch(first_ms, epoch.interval_ms, epoch.phase_ms, spec.version)
    kept.epochs = [*(e for e in kept.epochs if e.first_ms != first_ms), new]
    kept.stand(first_ms, spec.section)


def _check_alive(kept: KeptChamber) -> None:
    if kept.retiring:
        word = "retired" if kept.retired_ms is not None else "is retiring"
        raise ConflictError(f"chamber {kept.spec.id!r} {word}", "enrol it again once it is retired")


def _essence(pause: Pause | None) -> tuple[str, str, int | None] | None:
    return None if pause is None else (pause.reason, pause.by, pause.until_ms)


def _fits(record: ChamberRecord, wanted: ChamberFilter) -> bool:
    text = (wanted.text or "").lower()
    return (
        wanted.section in (None, record.spec.section)
        and (record.status == wanted.status if wanted.status else record.status != Status.RETIRED)
        and (text in record.spec.id.lower() or text in record.spec.name.lower())
    )
