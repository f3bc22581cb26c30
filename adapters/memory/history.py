"""Reading what was stored, from memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from adapters.cursors import read_cursor, write_cursor
from adapters.detectors import named_detector
from adapters.memory.audit import Account, account_of, slots_in
from adapters.memory.curves import bin_of, parts_of_curve
from adapters.memory.ledger import InMemoryLedger, KeptChamber, KeptGap, KeptReading
from collector.domain.errors import NotFoundError
from collector.domain.outcome import GapReason
from collector.domain.sealing import first_ms_of, whole_days
from collector.domain.timerange import TimeRange
from collector.ports.history import Audit, BatchPart, Bin, DetectorRecord, GapRun, Lateness, StoredReading
from collector.ports.paging import Page

OFFENDERS = 20


class InMemoryHistory:
    """`LedgerReader` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def readings(
        self, organization: str, chamber_id: str, span: TimeRange, *, limit: int, cursor: str | None = None
    ) -> Page[StoredReading]:
        """Readings of the grid in the order of their slots; see `LedgerReader.readings`."""
        kept = self._ledger.chamber_of(organization, chamber_id)
        place = read_cursor(cursor, int)
        first_ms = max(span.from_ms, int(place[0]) + 1) if place else span.from_ms
        slots = sorted(s for s in kept.readings if first_ms <= s < span.to_ms)
        items = [_stored(chamber_id, kept.readings[s]) for s in slots[:limit]]
        return Page(items, write_cursor(slots[limit - 1]) if len(slots) > limit else None)

    async def bins(
        self, organization: str, chamber_id: str, detector: str, span: TimeRange, points: int
    ) -> Sequence[Bin]:
        """Equal bins of one detector; see `LedgerReader.bins`."""
        kept = self._ledger.chamber_of(organization, chamber_id)
        name = named_detector(list(kept.detectors.values()), detector).name
        width = span.to_ms - span.from_ms
        edges = [span.from_ms - (-i * width) // points for i in range(points + 1)]
        gaps = sorted(kept.gaps, key=lambda g: (g.gap.first_ms, g.number))
        now_ms = self._ledger.now_ms()
        parts = parts_of_curve(self._ledger, kept, name, span, points)
        return [bin_of(parts, TimeRange(a, b), _touching(gaps, a, b, now_ms)) for a, b in pairwise(edges)]

    async def latest(self, organization: str, chamber_id: str) -> StoredReading | None:
        """The newest reading of the grid; see `LedgerReader.latest`."""
        kept = self._ledger.chamber_of(organization, chamber_id)
        return _stored(chamber_id, kept.readings[max(kept.readings)]) if kept.readings else None

    async def latest_of(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, StoredReading]:
        """The newest readings; see `LedgerReader.latest_of`."""
        found = {kept.spec.id: kept.readings for kept in self._some(organization, chamber_ids)}
        return {name: _stored(name, readings[max(readings)]) for name, readings in found.items() if readings}

    async def gaps(
        self, organization: str, chamber_id: str, span: TimeRange, *, limit: int, cursor: str | None = None
    ) -> Page[GapRun]:
        """Gap runs that touch the range; see `LedgerReader.gaps`."""
        kept = self._ledger.chamber_of(organization, chamber_id)
        place = read_cursor(cursor, int, int)
        after = (int(place[0]), int(place[1])) if place else (-1, -1)
        now_ms = self._ledger.now_ms()
        runs = [g for g in kept.gaps if _touches(g, span) and (g.gap.first_ms, g.number) > after]
        runs.sort(key=lambda g: (g.gap.first_ms, g.number))
        items = [_run(kept, g, span, now_ms) for g in runs[:limit]]
        last = runs[limit - 1] if len(runs) > limit else None
        return Page(items, write_cursor(last.gap.first_ms, last.number) if last else None)

    async def detectors(self, organization: str, chamber_id: str) -> Sequence[DetectorRecord]:
        """The chamber's detectors by name; see `LedgerReader.detectors`."""
        kept = self._ledger.chamber_of(organization, chamber_id)
        return [kept.detectors[name] for name in sorted(kept.detectors)]

    async def inactive_detectors(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Names of switched-off detectors; see `LedgerReader.inactive_detectors`."""
        chambers = self._some(organization, chamber_ids)
        off = {kept.spec.id: frozenset(d.name for d in kept.detectors.values() if not d.active) for kept in chambers}
        return {chamber_id: names for chamber_id, names in off.items() if names}

    async def batch_readings(
        self, organization: str, batch_id: str, wanted: BatchPart, *, limit: int, cursor: str | None = None
    ) -> Page[StoredReading]:
        """Readings of slots that lie in the batch; see `LedgerReader.batch_readings`."""
        self._ledger.check_here()
        batch = self._ledger.batches.get((organization, batch_id))
        if batch is None:
            raise NotFoundError(f"no batch {batch_id!r}")
        place = read_cursor(cursor, str, int)
        after = (str(place[0]), int(place[1])) if place else ("", 0)
        own = sorted(
            (kept.spec.id, slot)
            for kept in self._ledger.chambers.values()
            if kept.spec.organization == organization and wanted.chamber_id in (None, kept.spec.id)
            for slot in kept.readings
            if (wanted.span is None or wanted.span.from_ms <= slot < wanted.span.to_ms)
            and batch.holds(slot)
            and kept.section_at(slot) == batch.section
            and (kept.spec.id, slot) > after
        )
        items = [_stored(name, self._ledger.chambers[name].readings[slot]) for name, slot in own[:limit]]
        return Page(items, write_cursor(*own[limit - 1]) if len(own) > limit else None)

    async def audit(self, organization: str, chamber_id: str | None, span: TimeRange, now_ms: int) -> Audit:
        """The proof for one chamber, or for all of the organization; see `LedgerReader.audit`."""
        self._ledger.check_here()
        if chamber_id is None:
            chambers = [k for k in self._ledger.chambers.values() if k.spec.organization == organization]
        else:
            chambers = [self._ledger.chamber_of(organization, chamber_id)]
        retained_ms = self._ledger.retained_from_ms
        cut = whole_days(TimeRange(span.from_ms, min(span.to_ms, now_ms)), retained_ms)
        kept_span = TimeRange(max(cut.from_ms, retained_ms), cut.to_ms)
        accounts = {k.spec.id: account_of(k, kept_span, now_ms) for k in chambers}
        self._add_sealed(accounts, TimeRange(cut.from_ms, min(cut.to_ms, retained_ms)))
        first_ms = min((e.first_ms for k in chambers for e in k.epochs), default=None)
        return _audit(cut, accounts, span.from_ms if first_ms is None else max(first_ms, retained_ms))

    def _some(self, organization: str, chamber_ids: Sequence[str]) -> list[KeptChamber]:
        """Chambers of the organization with these ids."""
        self._ledger.check_here()
        found = (self._ledger.chambers.get(chamber_id) for chamber_id in dict.fromkeys(chamber_ids))
        return [kept for kept in found if kept is not None and kept.spec.organization == organization]

    def _add_sealed(self, accounts: dict[str, Account], span: TimeRange) -> None:
        for day, sealed in self._ledger.sealed.items():
            if span.from_ms <= first_ms_of(day) < span.to_ms:
                for name in accounts.keys() & sealed.keys():
                    accounts[name].expected += sealed[name].expected
                    accounts[name].stored += sealed[name].stored
                    accounts[name].gaps.update(sealed[name].gaps)

    async def lateness(self, organization: str, span: TimeRange) -> Lateness | None:
        """Lateness of the organization's readings; see `LedgerReader.lateness`."""
        self._ledger.check_here()
        chambers = [k for k in self._ledger.chambers.values() if k.spec.organization == organization]
        late = sorted(
            r.reading.requested_ms - slot
            for k in chambers
            for slot, r in k.readings.items()
            if span.from_ms <= slot < span.to_ms
        )
        return Lateness(_percentile(late, 0.5), _percentile(late, 0.99)) if late else None


def _audit(cut: TimeRange, accounts: dict[str, Account], retained_ms: int) -> Audit:
    gaps: Counter[GapReason] = Counter()
    for account in accounts.values():
        gaps.update(account.gaps)
    bad = [(name, a.unaccounted, a.overdue) for name, a in accounts.items() if a.unaccounted or a.overdue]
    return Audit(
        from_ms=cut.from_ms,
        to_ms=cut.to_ms,
        chambers=sum(1 for a in accounts.values() if a.expected),
        expected=sum(a.expected for a in accounts.values()),
        stored=sum(a.stored for a in accounts.values()),
        gaps=dict(gaps),
        unaccounted=sum(a.unaccounted for a in accounts.values()),
        overdue=sum(a.overdue for a in accounts.values()),
        pending=sum(a.pending for a in accounts.values()),
        retained_from_ms=retained_ms,
        offenders=tuple(sorted(bad, key=lambda b: (-b[1], -b[2], b[0]))[:OFFENDERS]),
    )


def _stored(chamber_id: str, kept: KeptReading) -> StoredReading:
    return StoredReading(chamber_id, kept.reading, kept.stored_ms)


def _touches(kept: KeptGap, span: TimeRange) -> bool:
    gap = kept.gap
    if gap.first_ms >= span.to_ms:
        return False
    return gap.last_ms is None or (gap.last_ms >= span.from_ms and gap.last_ms >= gap.first_ms)


def _touching(gaps: Sequence[KeptGap], from_ms: int, to_ms: int, now_ms: int) -> GapReason | None:
    for kept in gaps:
        not_yet = kept.gap.last_ms is None and max(from_ms, kept.gap.first_ms) >= now_ms
        if not not_yet and from_ms < to_ms and _touches(kept, TimeRange(from_ms, to_ms)):
            return kept.gap.reason
    return None


def _run(kept: KeptChamber, run: KeptGap, span: TimeRange, now_ms: int) -> GapRun:
    gap = run.gap
    end_ms = min(span.to_ms, now_ms if gap.last_ms is None else gap.last_ms + 1)
    slots = sum(slots_in(e, max(span.from_ms, gap.first_ms), end_ms) for e in kept.epochs)
    texts = (gap.reason, gap.detail, gap.by, gap.until_ms)
    return GapRun(kept.spec.id, gap.first_ms, gap.last_ms, *texts, slots, run.recorded_ms)


def _percentile(ordered: Sequence[int], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
