"""Which batch a reading belongs to, against a model that looks at nothing but the rule: both twins, and the view."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.memory import InMemoryLedger
from collector.domain.errors import ConflictError
from collector.domain.organization import Batch
from collector.domain.outcome import Epoch
from collector.domain.timerange import TimeRange
from collector.ports import BatchPart, SaveBatch
from tests.contract.conftest import TestServer
from tests.contract.ledger_mirror import RealTime
from tests.contract.ledger_rooms import HOUR, MINUTE, Rooms, memory_rooms, now, opened_rooms, reading, spec

SECTIONS = ("a", "b")
MOST = 24
"""Instants of a story; slots, moves and ends of batches fall together often."""
PLACE = """
INSERT INTO chamber_section SELECT key, instant_of($2), organization, $3 FROM chamber WHERE id = $1
ON CONFLICT (chamber, first_slot) DO UPDATE SET section = excluded.section
"""
SEEN = "SELECT chamber, ms_of(scheduled_at) AS slot_ms, section, batch FROM reading_value WHERE organization = $1"

instants = st.integers(0, MOST)
stays = st.dictionaries(instants, st.sampled_from(SECTIONS), max_size=5)
lots = st.tuples(st.sampled_from(SECTIONS), instants, st.none() | st.integers(1, MOST))


@dataclass(frozen=True)
class Story:
    """What happened, in instants from 0 to `MOST`.

    Attributes:
        stays: of each chamber: from which instant on it stood where; at 0 it stands in `a` unless this says otherwise.
        lots: batches that are asked for: section, begin, length (None = it goes on).
        slots: of each chamber, in the order in which they are stored.
    """

    stays: list[dict[int, str]]
    lots: list[tuple[str, int, int | None]]
    slots: list[list[int]]


stories = st.builds(
    Story,
    st.lists(stays, min_size=2, max_size=2),
    st.lists(lots, max_size=6),
    st.lists(st.lists(instants, unique=True, max_size=MOST), min_size=2, max_size=2),
)


class Telling:
    """A story that is told to both stores, in an organization of its own."""

    def __init__(self, number: int, story: Story, begin_ms: int) -> None:
        self.story, self.begin_ms = story, begin_ms
        self.organization = f"o{number}"
        self.chambers = [f"c{number}-{place}" for place in range(len(story.stays))]
        self.batches: list[Batch] = []

    def ms(self, instant: int) -> int:
        return self.begin_ms + instant * 1_000

    async def tell(self, rooms: Rooms) -> None:
        """Everything but where chambers moved: stores take that by their own clocks only."""
        for section in SECTIONS:
            await rooms.add_section(self.organization, section)
        for chamber in self.chambers:
            wanted = spec(chamber, 1_000, self.organization, "a")
            await rooms.registry.enrol(wanted, Epoch(self.begin_ms, 1_000, 0, 1), self.begin_ms)
        self.batches = await self._observe(rooms)

    async def store(self, rooms: Rooms) -> None:
        """Store the readings, after all the rest."""
        stored = zip(self.chambers, self.story.slots, strict=True)
        portions = [(chamber, portion) for chamber, slots in stored for portion in (slots[::2], slots[1::2])]
        saved = (SaveBatch(chamber, [reading(self.ms(slot)) for slot in portion]) for chamber, portion in portions)
        await asyncio.gather(*(rooms.outcomes.save(batch) for batch in saved))

    async def _observe(self, rooms: Rooms) -> list[Batch]:
        made: list[Batch] = []
        for number, (section, begin, length) in enumerate(self.story.lots):
            batch = Batch(
                organization=self.organization,
                id=f"lot-{number}",
                section=section,
                started_ms=self.ms(begin),
                ended_ms=None if length is None else self.ms(begin + length),
            )
            try:
                made.append((await rooms.batches.add(batch))[0])
            except ConflictError:
                assert any(b.overlaps(batch) for b in made if b.section == section)
            else:
                assert not any(b.overlaps(batch) for b in made[:-1] if b.section == section)
        return made

    def section_at(self, place: int, instant: int) -> str:
        """By the rule, looking at everything."""
        section = "a"
        for at in range(instant + 1):
            section = self.story.stays[place].get(at, section)
        return section

    def batch_at(self, place: int, instant: int) -> str | None:
        """By the rule, looking at everything."""
        section, slot_ms = self.section_at(place, instant), self.ms(instant)
        found = [
            b.id
            for b in self.batches
            if b.section == section and b.started_ms <= slot_ms and (b.ended_ms is None or slot_ms < b.ended_ms)
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def own(self, batch: Batch, wanted: BatchPart) -> list[tuple[str, int]]:
        """The readings that belong to a batch."""
        span = wanted.span or TimeRange(0, self.begin_ms * 2)
        return sorted(
            (chamber, self.ms(slot))
            for place, chamber in enumerate(self.chambers)
            for slot in self.story.slots[place]
            if self.batch_at(place, slot) == batch.id
            and wanted.chamber_id in (None, chamber)
            and span.from_ms <= self.ms(slot) < span.to_ms
        )


@dataclass
class Stores:
    """Both twins, and a connection beside the one."""

    real: RealTime
    postgres: Rooms
    memory: Rooms
    ledger: InMemoryLedger
    connection: "asyncpg.Connection[asyncpg.Record]"


@pytest.fixture(scope="module")
def stores(postgres_server: TestServer) -> Iterator[Stores]:
    """A database for all stories."""
    real, ledger = RealTime(), InMemoryLedger()
    address = real.call(postgres_server.database())
    opened = opened_rooms(address)
    rooms = real.call(opened.__aenter__())
    connection = real.call(asyncpg.connect(address))
    try:
        yield Stores(real, rooms, memory_rooms(ledger), ledger, connection)
    finally:
        real.call(connection.close())
        real.call(opened.__aexit__(None, None, None))
        real.close()


async def owned(rooms: Rooms, telling: Telling, batch: Batch, wanted: BatchPart, limit: int) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    cursor = None
    while True:
        page = await rooms.history.batch_readings(telling.organization, batch.id, wanted, limit=limit, cursor=cursor)
        assert len(page.items) == limit or page.next_cursor is None
        found += [(stored.chamber_id, stored.reading.slot_ms) for stored in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def tell(stores: Stores, telling: Telling) -> None:
    for rooms in (stores.memory, stores.postgres):
        await telling.tell(rooms)
    for chamber, stayed in zip(telling.chambers, telling.story.stays, strict=True):
        for instant, section in sorted(stayed.items()):
            stores.ledger.chambers[chamber].stand(telling.ms(instant), section)
            await stores.connection.execute(PLACE, chamber, telling.ms(instant), section)
    for rooms in (stores.memory, stores.postgres):
        await telling.store(rooms)


async def seen(stores: Stores, telling: Telling) -> dict[tuple[str, int], tuple[str, str | None]]:
    rows = await stores.connection.fetch(SEEN, telling.organization)
    return {(row["chamber"], row["slot_ms"]): (row["section"], row["batch"]) for row in rows}


NUMBERS = count()


@pytest.mark.timeout(120)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(story=stories, limit=st.integers(1, 5), part=st.tuples(st.none() | st.integers(0, 1), instants, instants))
def test_a_reading_belongs_to_the_batch_of_its_slot(
    stores: Stores, story: Story, limit: int, part: tuple[int | None, int, int]
) -> None:
    telling = Telling(next(NUMBERS), story, (now() - HOUR) // MINUTE * MINUTE)
    stores.real.call(tell(stores, telling))
    chamber, first, last = part
    span = TimeRange(telling.ms(first), telling.ms(last))
    parts = (BatchPart(), BatchPart(None if chamber is None else telling.chambers[chamber], span))
    for batch in telling.batches:
        for wanted in parts:
            expected = telling.own(batch, wanted)
            for rooms in (stores.memory, stores.postgres):
                assert stores.real.call(owned(rooms, telling, batch, wanted, limit)) == expected, rooms.kind
    assert stores.real.call(seen(stores, telling)) == {
        (telling.chambers[place], telling.ms(slot)): (telling.section_at(place, slot), telling.batch_at(place, slot))
        for place in range(2)
        for slot in story.slots[place]
    }
