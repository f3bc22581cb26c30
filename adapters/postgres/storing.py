"""One transaction for the outcomes of many chambers."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import asyncpg

from adapters.postgres import outcome_queries as q
from adapters.postgres.pool import Connection
from adapters.postgres.rows import Row, SetKey, array_of_texts, names_and_units, pause_from, reading_values, spec_from
from adapters.postgres.schedule import store_change
from collector.domain.outcome import Epoch, EpochEnd, Gap, Outcome, Reading, decides_slots
from collector.domain.settling import (
    Window,
    claimed_from,
    clean,
    forgotten_run,
    still_to_apply,
    storable,
    window_of,
)
from collector.ports.outcomes import SaveBatch, SaveResult

log = logging.getLogger(__name__)


class PartitionMissingError(Exception):
    """Readings belong to days that have no partition yet.

    Attributes:
        days: those of every reading that was handed over, in order.
    """

    def __init__(self, days: Sequence[date]) -> None:
        super().__init__(", ".join(str(day) for day in days))
        self.days = days


@dataclass(slots=True)
class Part:
    """What is stored of one chamber.

    Attributes:
        row: the chamber's locked row.
        outcomes: as they were handed over.
        window: the instants of the chamber that are kept.
        settled_ms: moves `settled_through`, if set.
        new: readings that were not there before.
        lost: sentences about changes that lost.
        behind: slots before it were forgotten.
    """

    row: Row
    outcomes: Sequence[Outcome]
    window: Window
    settled_ms: int | None = None
    new: int = 0
    lost: list[str] = field(default_factory=list)
    behind: bool = False

    def result(self) -> SaveResult:
        """What its chamber is told."""
        return SaveResult(self.new, tuple(self.lost), self.behind)


def part_of(row: Row, batch: SaveBatch, now_ms: int, retained_ms: int) -> Part:
    """The batch of the chamber whose locked row this is; nothing is kept from before `retained_ms`."""
    first_slots = [o.first_slot_ms for o in batch.outcomes if isinstance(o, Epoch)]
    window = window_of(max(retained_ms, min([row["retained_from_ms"], *first_slots])), spec_from(row), now_ms)
    return Part(row, batch.outcomes, window, batch.settled_through_ms)


async def lock_chambers(connection: Connection, ids: Iterable[str]) -> dict[str, Row]:
    """Lock the rows of these chambers, in one order; ids that are not in the registry are left out."""
    return {row["id"]: row for row in await connection.fetch(q.LOCK_CHAMBERS, [clean(i) for i in ids])}


async def store_parts(connection: Connection, parts: Sequence[Part]) -> None:
    """Store what became of the slots of several chambers, whose rows are locked; tells each part what was new.

    Raises:
        PartitionMissingError: nothing is stored; make the partitions and try again.
        asyncpg.PostgresError: nothing is stored.
    """
    fates: list[tuple[Part, Reading | Gap]] = []
    for part in parts:
        fates += [(part, fate) for fate in await _store_changes(connection, part)]
    readings = [(part, fate) for part, fate in fates if isinstance(fate, Reading)]
    gaps = [(part, fate) for part, fate in fates if isinstance(fate, Gap)]
    settled = [(p.row["key"], p.settled_ms) for p in parts if await _settles(connection, p, gaps)]
    columns = [*await _reading_columns(connection, readings), *_gap_columns(gaps), *_columns(settled, 2)]
    try:
        counts = await connection.fetch(q.STORE, *columns)
    except asyncpg.CheckViolationError as error:
        if error.constraint_name is not None:
            raise
        raise PartitionMissingError(sorted({_day(r.slot_ms) for _, r in readings})) from error
    new = {row["chamber"]: row["new"] for row in counts}
    for part in parts:
        part.new += new.get(part.row["key"], 0)


async def _settles(connection: Connection, part: Part, gaps: list[tuple[Part, Gap]]) -> bool:
    """Whether `settled_through` may move: nothing that the batch takes for stored has been forgotten.

    After the end of an epoch nobody comes any more who could find out: what was forgotten becomes `lost` then.
    """
    if part.settled_ms is None:
        return False
    after_ms = max(part.row["settled_ms"] + 1, part.window.from_ms)  # readings before that may have been dropped
    from_ms = claimed_from(part.outcomes, part.settled_ms)
    if from_ms <= after_ms or not await connection.fetchval(q.FORGOTTEN, part.row["key"], after_ms, from_ms):
        return True
    log.warning("chamber %s: no outcome is known of slots between %d and %d", part.row["id"], after_ms, from_ms)
    part.behind = not any(isinstance(outcome, EpochEnd) for outcome in part.outcomes)
    if not part.behind:
        gaps.append((part, forgotten_run(after_ms, from_ms - 1)))
    return not part.behind


async def find_sets(connection: Connection, readings: Iterable[Reading]) -> dict[SetKey, int]:
    """The detector sets of these readings; those that are not there yet are made."""
    wanted = {names_and_units(reading) for reading in readings}
    found = await _known_sets(connection, wanted)
    missing = wanted - found.keys()
    if missing:
        await connection.execute(q.ADD_SETS, *_set_columns(missing))
        found |= await _known_sets(connection, missing)
    return found


async def _store_changes(connection: Connection, part: Part) -> list[Reading | Gap]:
    """Store what changes the schedule, in its order; answers with the fates of slots, which are stored together."""
    fates: list[Reading | Gap] = []
    outcomes = [storable(outcome, part.window) for outcome in part.outcomes]
    for kept in still_to_apply(spec_from(part.row), pause_from(part.row), outcomes):
        if decides_slots(kept):
            fates.append(kept)
        else:
            lost = await store_change(connection, part.row["key"], kept)
            part.lost += [lost] if lost else []
    return fates


async def _reading_columns(connection: Connection, readings: Sequence[tuple[Part, Reading]]) -> list[list[object]]:
    if not readings:
        return _columns([], 9)
    sets = await find_sets(connection, (reading for _, reading in readings))
    rows: list[tuple[object, ...]] = []
    seen: dict[tuple[int, int], None] = {}
    for part, reading in readings:
        detector_set = sets[names_and_units(reading)]
        seen[(part.row["key"], detector_set)] = None
        rows.append((part.row["key"], *reading_values(reading, detector_set)))
    await connection.execute(q.ADD_DETECTORS, *_columns(list(seen), 2))
    return _columns(rows, 9)


def _gap_columns(gaps: Sequence[tuple[Part, Gap]]) -> list[list[object]]:
    rows = [(part.row["key"], g.first_ms, g.last_ms, g.reason.value, g.detail, g.by, g.until_ms) for part, g in gaps]
    return _columns(rows, 7)


async def _known_sets(connection: Connection, wanted: Iterable[SetKey]) -> dict[SetKey, int]:
    rows = await connection.fetch(q.FIND_SETS, *_set_columns(wanted))
    return {(tuple(row["names"]), tuple(row["units"])): row["id"] for row in rows}


def _set_columns(sets: Iterable[SetKey]) -> list[list[object]]:
    return _columns([(array_of_texts(names), array_of_texts(units)) for names, units in sets], 2)


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [[row[place] for row in rows] for place in range(width)]


def _day(slot_ms: int) -> date:
    return datetime.fromtimestamp(slot_ms // 1000, UTC).date()
