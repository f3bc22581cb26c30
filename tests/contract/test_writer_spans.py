"""What a trace shows of the writer: outcomes of many chambers share a transaction, and so they share its span."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from opentelemetry.trace import get_current_span

from adapters.postgres.pool import Postgres
from adapters.postgres.writer import PostgresOutcomes
from collector.domain.errors import StoreRefusedError
from collector.domain.outcome import GapReason
from collector.ports import SaveBatch, SaveResult, Tracing
from collector.ports.tracing import ROOT
from stack.ports import free_port
from tests.contract.ledger_rooms import Enrolled, Rooms, enrolled, gap, opened_rooms, reading, spec
from tests.unit.span_rooms import SpanRoom, otel_spans

LIVE = {
    "db.system.name": "postgresql",
    "db.operation.name": "INSERT",
    "db.collection.name": "reading",
    "db.query.summary": "INSERT reading",
}
WHOLE = LIVE | {"db.query.summary": "INSERT reading gap"}
NOBODYS = f"00-{'a' * 32}-{'b' * 16}-00"


class Watched(PostgresOutcomes):
    """A writer that notes whether anything is its current span between two groups."""

    def __init__(self, postgres: Postgres, tracing: Tracing) -> None:
        super().__init__(postgres, tracing=tracing)
        self.around: set[bool] = set()

    async def _pace(self) -> None:
        self.around.add(get_current_span().get_span_context().is_valid)
        await super()._pace()


class Desk:
    """A writer whose spans are seen, and chambers that hand outcomes over to it."""

    def __init__(self, postgres: Postgres, spans: SpanRoom, rooms: Rooms) -> None:
        self.outcomes, self.spans, self.rooms = Watched(postgres, spans.tracing), spans, rooms

    async def chambers(self, count: int) -> list[Enrolled]:
        """So many, whose detectors the writer knows: what they save next goes the short way."""
        found = [await enrolled(self.rooms, spec(f"c{n}")) for n in range(count)]
        await asyncio.gather(*(self.save(chamber, 0) for chamber in found))
        return found

    async def save(self, chamber: Enrolled, number: int) -> SaveResult:
        """One reading, in whatever span is the current one."""
        return await self.outcomes.save(SaveBatch(chamber.spec.id, (reading(chamber.slot(number)),)))

    async def in_span(self, chamber: Enrolled, number: int, parent: str = ROOT) -> str:
        """One reading, in a trace of its own; answers with its context."""
        with self.spans.tracing.span("store outcomes", parent=parent):
            await self.save(chamber, number)
            return self.spans.tracing.here()


@pytest_asyncio.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    postgres = Postgres(database)
    async with opened_rooms(database) as rooms:
        desk = Desk(postgres, otel_spans(), rooms)
        yield desk
        await desk.outcomes.close()
    await postgres.close()


async def test_a_reading_that_is_alone_is_one_statement_of_its_trace(desk: Desk) -> None:
    [chamber] = await desk.chambers(1)
    context = await desk.in_span(chamber, 1)
    span = desk.spans.only("INSERT reading")
    assert (span.parent, span.links, span.kind, span.error) == (context, (), "client", "")
    assert span.attributes == LIVE, "one is no batch"


async def test_a_shared_transaction_is_the_firsts_child_and_names_the_others(desk: Desk) -> None:
    chambers = await desk.chambers(4)
    contexts = await asyncio.gather(*(desk.in_span(chamber, 1) for chamber in chambers))
    span = desk.spans.only("INSERT reading")
    assert (span.parent, span.links) == (contexts[0], tuple(contexts[1:]))
    assert span.attributes == LIVE | {"db.operation.batch.size": 4}
    assert len({context[3:35] for context in contexts}) == 4


async def test_the_first_that_is_kept_is_the_parent(desk: Desk) -> None:
    chambers = await desk.chambers(4)
    parents = (NOBODYS, ROOT, NOBODYS, ROOT)
    pairs = zip(chambers, parents, strict=True)
    contexts = await asyncio.gather(*(desk.in_span(chamber, 1, parent) for chamber, parent in pairs))
    span = desk.spans.only("INSERT reading")
    assert (span.parent, span.links) == (contexts[1], (contexts[3],))
    assert span.attributes["db.operation.batch.size"] == 4, "all of them were stored"


async def test_outcomes_that_nobody_traces_open_no_span(desk: Desk) -> None:
    chambers = await desk.chambers(2)
    await asyncio.gather(desk.in_span(chambers[0], 1, NOBODYS), desk.save(chambers[1], 1))
    assert desk.spans.seen() == []


async def test_the_writer_does_not_stay_in_the_trace_that_woke_it(desk: Desk) -> None:
    first, second = await desk.chambers(2)

    async def look(chamber: Enrolled, number: int) -> None:
        await desk.in_span(chamber, number)
        await desk.save(second, number)  # while the writer that was woken in that span may still run

    await asyncio.gather(*(look(first, number) for number in range(1, 5)))
    assert desk.outcomes.around == {False}
    spans = desk.spans.named("INSERT reading")
    parents = {span.context for span in desk.spans.named("store outcomes")}
    assert {span.parent for span in spans} <= parents


async def test_what_is_not_plain_is_a_transaction_of_its_own_name(desk: Desk) -> None:
    chamber = await enrolled(desk.rooms, spec("mixed"))
    first, last = chamber.slot(1), chamber.slot(3)
    with desk.spans.tracing.span("store outcomes"):
        context = desk.spans.tracing.here()
        batch = SaveBatch("mixed", (reading(chamber.slot(0)), gap(first, last, GapReason.MISSED)))
        await desk.outcomes.save(batch)
    span = desk.spans.only("INSERT reading gap")
    assert (span.parent, span.attributes) == (context, WHOLE)


async def test_an_outcome_that_the_database_refuses_fails_its_transaction_and_is_looked_for(desk: Desk) -> None:
    chamber = await enrolled(desk.rooms, spec("poison"))
    with desk.spans.tracing.span("store outcomes"):
        await desk.outcomes.save(SaveBatch("poison", (reading(chamber.slot(0), 1e999), reading(chamber.slot(1)))))
    assert [span.name for span in desk.spans.seen()][-1] == "store outcomes"
    assert {span.error for span in desk.spans.named("INSERT reading gap")} <= {"", "NumericValueOutOfRangeError"}


async def test_a_collection_off_the_grid_and_a_question_are_statements_too(desk: Desk) -> None:
    [chamber] = await desk.chambers(1)
    with desk.spans.tracing.span("collect adhoc"):
        context = desk.spans.tracing.here()
        await desk.outcomes.save_adhoc(chamber.spec.id, "r1", reading(chamber.slot(1)))
        assert await desk.outcomes.decided_slots(chamber.spec.id, chamber.slot(0), chamber.slot(5)) == {chamber.slot(0)}
    adhoc, asked = desk.spans.only("INSERT reading_adhoc"), desk.spans.only("SELECT reading gap")
    assert {adhoc.parent, asked.parent} == {context}
    assert adhoc.attributes == {
        "db.system.name": "postgresql",
        "db.operation.name": "INSERT",
        "db.collection.name": "reading_adhoc",
        "db.query.summary": "INSERT reading_adhoc",
    }


async def test_a_store_that_is_away_is_an_error_of_its_statement() -> None:
    spans = otel_spans()
    postgres = Postgres(f"postgresql://nobody:hunter2@127.0.0.1:{free_port()}/none", timeout_s=1.0)
    outcomes = PostgresOutcomes(postgres, pace_s=0.0, tracing=spans.tracing)
    with pytest.raises(StoreRefusedError), spans.tracing.span("store outcomes"):
        await outcomes.save(SaveBatch("c0", (reading(60_000),)))
    await outcomes.close()
    await postgres.close()
    assert [(span.name, span.error) for span in spans.seen()] == [
        ("INSERT reading gap", "AwayError"),
        ("store outcomes", "StoreRefusedError"),
    ]
    assert "hunter2" not in repr(spans.seen())
