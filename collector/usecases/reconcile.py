"""Who is right, registry or workflow: repairs what runs so that it is what the rows say.

| found | word | done | the chamber records |
|---|---|---|---|
| a row, and nothing runs: terminated, never started | `started` | started at `settled_through` | `lost`, `missed` |
| a row of a later version than its chamber's | `told` | sent to the chamber | |
| a row marked as retiring whose chamber does not | `retired` | the chamber is retired | the end of its epoch |
| a row or ledger that is older than its chamber | `begun_again` | taken back to the row | `lost` |
| a chamber without a row | `orphan` | nothing | nothing |
| a chamber that was paused in Temporal itself | `held` | nothing | `missed`, when it goes on |
| a chamber whose workflow tasks fail | `wedged` | nothing | `missed`, when it goes on |
| a stale chamber that none of this explains | `stale` | nothing | |

A row is later than its chamber when Temporal was away while the API wrote it, or a signal's change lost against it; a
ledger is older when it was restored from a dump. Slots up to the end of the run before become `lost`, later ones
`missed`.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from collector.domain.errors import ChamberlogError, NotFoundError
from collector.domain.health import Status
from collector.domain.instants import iso
from collector.domain.reconciling import ReconcileOutcome, ReconcileRequest
from collector.messages import (
    ChamberStatus,
    ConfigureRequest,
    PauseRequest,
    ResumeRequest,
    RetireRequest,
)
from collector.ports import ChamberRecord, ChamberRun, Clock, FleetControl, FleetRows, FleetRuns

STARTED, TOLD, RETIRED, BEGUN_AGAIN = "started", "told", "retired", "begun_again"
ORPHAN, HELD, WEDGED, STALE, FAILED = "orphan", "held", "wedged", "stale", "failed"
FEW, SHARE = 5, 0.1
"""More chambers than both of these (the second a share of the fleet) are not repaired: then rather the database or
Temporal is the wrong one, and a repair would make it worse."""
EXAMPLES, SENTENCE_LIMIT = 20, 300
BY = "reconcile"


AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Repair:
    """What is to be done with one chamber, and why."""

    kind: str
    record: ChamberRecord
    why: str


class _Findings:
    """What was done or found so far."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, kind: str, chamber_id: str, why: str) -> None:
        self.counts[kind] += 1
        if len(self.examples[kind]) < EXAMPLES:
            self.examples[kind].append(f"{chamber_id}: {why}"[:SENTENCE_LIMIT])


class ReconcileFleet:
    """Makes what runs be what the registry says. Running it again repairs what is left, and nothing twice.

    Workflows are listed first, then the rows: a chamber that is enrolled between is seen as not started, and asked
    itself, as every other suspect is, before anything is done.
    """

    def __init__(self, rows: FleetRows, runs: FleetRuns, fleet: FleetControl, clock: Clock) -> None:
        self._rows, self._runs, self._fleet, self._clock = rows, runs, fleet, clock

    async def __call__(self, request: ReconcileRequest) -> ReconcileOutcome:
        """Compare, and repair what is not as it should be, unless that is too much for chance.

        Raises:
            AwayError: the registry or Temporal cannot be reached.
        """
        runs = {run.chamber_id: run for run in await self._runs.open()}
        rows = {record.spec.id: record for record in await self._rows.all()}
        found = _Findings()
        for chamber_id in runs.keys() - rows.keys():
            found.add(ORPHAN, chamber_id, "it runs, and the registry has no such chamber")
        gate = asyncio.Semaphore(AT_ONCE)

        async def look(record: ChamberRecord) -> Repair | None:
            async with gate:
                return await self._look(record, runs.get(record.spec.id), found)

        suspects = [r for r in rows.values() if _suspicious(r, runs.get(r.spec.id))]
        repairs = [repair for repair in await asyncio.gather(*map(look, suspects)) if repair is not None]
        live = sum(record.status != Status.RETIRED for record in rows.values())
        alarm = "" if request.all else _alarm(repairs, live)
        for repair in [] if alarm else repairs:
            if request.dry_run:
                found.add(repair.kind, repair.record.spec.id, repair.why)
            else:
                await self._repair(repair, found)
        return ReconcileOutcome(live, len(runs), dict(found.counts), dict(found.examples), alarm)

    # ---- looking

    async def _look(self, record: ChamberRecord, run: ChamberRun | None, found: _Findings) -> Repair | None:
        chamber_id = record.spec.id
        if run is None:
            return await self._unstarted(chamber_id)
        if run.held:
            found.add(HELD, chamber_id, "it is paused in Temporal itself")
        elif run.problem:
            found.add(WEDGED, chamber_id, run.problem)
        else:
            return await self._compare(record, found)
        return None

    async def _unstarted(self, chamber_id: str) -> Repair | None:
        record = await self._rows.row(chamber_id)
        if record is None or record.status == Status.RETIRED or await self._runs.trouble(chamber_id) is not None:
            return None
        return Repair(STARTED, record, "its workflow did not run")

    async def _compare(self, before: ChamberRecord, found: _Findings) -> Repair | None:
        """Ask the chamber, then read its row again: the row may only be further than the chamber then."""
        chamber_id = before.spec.id
        try:
            status = await self._fleet.status(chamber_id)
        except NotFoundError:
            return None  # it ended meanwhile: the next run starts it if it is to run
        except ChamberlogError as error:
            found.add(STALE if before.status == Status.STALE else FAILED, chamber_id, str(error))
            return None
        record = await self._rows.row(chamber_id)
        if record is None or status.status == Status.RETIRING:
            return None
        if record.status == Status.RETIRED:
            found.add(ORPHAN, chamber_id, "it runs, though its row is retired")
            return None
        repair = difference(record, status) or await self._forgotten(record, status)
        if repair is None and record.status == Status.STALE:
            found.add(STALE, chamber_id, await self._why_stale(status))
        return repair

    async def _forgotten(self, record: ChamberRecord, status: ChamberStatus) -> Repair | None:
        """A ledger that lacks what its chamber has stored was restored from a dump.

        That it is not settled as far is no proof: what was drained beside a round is settled by the next one.
        """
        from_ms, known_ms = record.settled_through_ms + 1, status.settled_ms
        if record.status != Status.STALE or known_ms is None or known_ms < from_ms:
            return None
        if not await self._rows.lacks_outcomes(record.spec.id, from_ms, known_ms + 1):
            return None
        why = f"the ledger ends at {iso(from_ms - 1)}, it had stored everything up to {iso(known_ms)}"
        return Repair(BEGUN_AGAIN, record, why)

    async def _why_stale(self, status: ChamberStatus) -> str:
        if status.unsaved:
            return f"{status.unsaved} outcomes wait for the store"
        return await self._runs.trouble(status.id) or "nothing is seen in Temporal: look at its workers"

    # ---- repairing

    async def _repair(self, seen: Repair, found: _Findings) -> None:
        """Look once more, and act if it is still so: others may have been repaired for a minute meanwhile."""
        repair = await (
            self._unstarted(seen.record.spec.id) if seen.kind == STARTED else self._compare(seen.record, found)
        )
        if repair is None or repair.kind != seen.kind:
            return
        act: dict[str, Callable[[ChamberRecord], Awaitable[object]]] = {
            STARTED: self._fleet.start,
            BEGUN_AGAIN: self._fleet.begin_again,
            TOLD: self._tell,
            RETIRED: self._retire,
        }
        try:
            await act[repair.kind](repair.record)
        except ChamberlogError as error:
            found.add(FAILED, repair.record.spec.id, f"not {repair.kind}: {error}")
        else:
            found.add(repair.kind, repair.record.spec.id, repair.why)

    async def _tell(self, record: ChamberRecord) -> None:
        """The spec first: it takes the row's version, whatever signals changed meanwhile."""
        chamber_id, version, pause = record.spec.id, record.spec.version, record.pause
        await self._fleet.configure(chamber_id, ConfigureRequest(record.spec))
        if pause is None or (pause.until_ms is not None and pause.until_ms <= self._clock.now_ms()):
            await self._fleet.resume(chamber_id, ResumeRequest(BY, version))
        else:
            await self._fleet.pause(chamber_id, PauseRequest(pause.reason, pause.by, pause.until_ms, version))

    async def _retire(self, record: ChamberRecord) -> None:
        await self._fleet.retire(record.spec.id, RetireRequest("marked as retiring in the registry", BY))


def difference(record: ChamberRecord, status: ChamberStatus) -> Repair | None:
    """What makes a chamber that runs be what its row says; None when it is.

    Args:
        record: the row, read after the chamber was asked.
        status: of a chamber that does not retire.
    """
    version, knows = record.spec.version, status.version
    if record.status == Status.RETIRING:
        return Repair(RETIRED, record, "its row is marked as retiring")
    if version > knows + status.unconfirmed:
        return Repair(TOLD, record, f"its row is at version {version}, it was at {knows}")
    if version < knows:
        return Repair(BEGUN_AGAIN, record, f"its row is at version {version} only, it was at {knows}")
    return None


def _suspicious(record: ChamberRecord, run: ChamberRun | None) -> bool:
    """Whether the chamber is worth a question, as far as the lists say."""
    if record.status == Status.RETIRED:
        return run is not None
    if run is None or run.held or run.problem:
        return True
    return record.status in (Status.RETIRING, Status.STALE) or run.version != record.spec.version


def _alarm(repairs: Sequence[Repair], live: int) -> str:
    if len(repairs) <= max(FEW, live * SHARE):
        return ""
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(repair.kind for repair in repairs).items())
    return (
        f"{len(repairs)} of {live} chambers would have to be repaired ({kinds}), such as {repairs[0].record.spec.id}: "
        f"{repairs[0].why}; see that registry and Temporal belong together, then run it by hand with all = true"
    )
