"""`AnswerKeeper` and `AnswerShelf`: the last success and the last failure of a chamber, and never in anybody's way."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from adapters.postgres import answers as adapter
from adapters.postgres.answers import PostgresAnswers
from adapters.postgres.pool import Postgres
from collector.domain.errors import AwayError, NotFoundError
from collector.ports import AnswerKind, ChamberAnswer
from collector.ports.answers import ANSWER_LIMIT
from tests.contract.ledger_rooms import Rooms, enrolled, spec

NOWHERE = "postgresql://nobody:nothing@127.0.0.1:1/none"


def answer(chamber: str = "c1", kind: AnswerKind = AnswerKind.SUCCESS, at_ms: int = 0) -> ChamberAnswer:
    """An answer with something of everything."""
    return ChamberAnswer(
        chamber_id=chamber,
        kind=kind,
        slot_ms=1_772_366_400_000 + at_ms,
        received_ms=1_772_366_400_090 + at_ms,
        body=b'{"t": 21.5, "n": "\xff\x00"}',
        size=ANSWER_LIMIT + 1,
        sha256=bytes(range(32)),
        problem="malformed: \"'\\ ü" if kind is AnswerKind.FAILURE else "",
        remarks=("range: 99 is above 40", 'quote " and \\ and {,}', ""),
        spec_version=7,
        profile_version="0123456789ab",
    )


async def test_the_last_of_each_kind_comes_back_as_it_was_offered(rooms: Rooms) -> None:
    await enrolled(rooms, spec("c1"))
    await enrolled(rooms, spec("c2"))
    failed = answer(kind=AnswerKind.FAILURE, at_ms=500)
    for one in (answer(), answer("c2"), failed, answer(at_ms=1_000)):
        rooms.answers.offer(one)
    await rooms.answers.settled()
    assert await rooms.answers.answers("default", "c1") == [answer(at_ms=1_000), failed]
    assert await rooms.answers.answers("default", "c2") == [answer("c2")]
    assert answer().truncated


async def test_an_older_answer_that_comes_late_changes_nothing(rooms: Rooms) -> None:
    await enrolled(rooms, spec("c1"))
    rooms.answers.offer(answer(at_ms=1_000))
    await rooms.answers.settled()
    rooms.answers.offer(answer())
    await rooms.answers.settled()
    assert await rooms.answers.answers("default", "c1") == [answer(at_ms=1_000)]


async def test_a_chamber_without_answers_has_none_and_a_foreign_one_is_not_there(rooms: Rooms) -> None:
    await rooms.add_section("other", "default")
    await enrolled(rooms, spec("c1"))
    rooms.answers.offer(answer("never-enrolled"))
    await rooms.answers.settled()
    assert await rooms.answers.answers("default", "c1") == []
    for whose, name in (("other", "c1"), ("default", "never-enrolled"), ("default", "nul\x00")):
        with pytest.raises(NotFoundError):
            await rooms.answers.answers(whose, name)


async def test_offering_never_waits_and_what_cannot_be_written_is_counted_and_dropped() -> None:
    dropped: list[int] = []
    nowhere = Postgres(NOWHERE)
    keeper = PostgresAnswers(nowhere, dropped.append, pace_s=0.01)
    began = asyncio.get_running_loop().time()
    for number in range(150):
        keeper.offer(answer(f"c{number}"))
    assert asyncio.get_running_loop().time() - began < 1
    await keeper.settled()
    assert sum(dropped) == 150
    keeper.offer(answer())  # it rests after a failure: dropped at once
    assert sum(dropped) == 151
    with pytest.raises(AwayError):
        await keeper.answers("default", "c1")
    await keeper.close()
    await nowhere.close()


async def test_what_waits_is_bounded() -> None:
    dropped: list[int] = []
    keeper = PostgresAnswers(Postgres(NOWHERE), dropped.append, pace_s=60)
    long = replace(answer(), body=bytes(ANSWER_LIMIT))
    for number in range(adapter.WAITING_BYTES // ANSWER_LIMIT):
        keeper.offer(replace(long, chamber_id=f"c{number}"))
    assert dropped == []
    keeper.offer(replace(long, chamber_id="more"))
    keeper.offer(replace(long, chamber_id="c0"))  # in place of the one that waits: it takes no more room
    assert dropped == [1]
    await keeper.close()


async def test_a_process_that_ends_writes_what_waits(postgres_rooms: Rooms, database: str) -> None:
    await enrolled(postgres_rooms, spec("c1"))
    postgres = Postgres(database, size=1)
    keeper = PostgresAnswers(postgres, pace_s=60)
    keeper.offer(answer())
    await keeper.close()
    await keeper.close()
    await postgres.close()
    assert await postgres_rooms.answers.answers("default", "c1") == [answer()]


async def test_one_statement_writes_what_came_together(postgres_rooms: Rooms, database: str) -> None:
    for number in range(30):
        await enrolled(postgres_rooms, spec(f"c{number}"))
    for number in range(30):
        postgres_rooms.answers.offer(answer(f"c{number}"))
    await postgres_rooms.answers.settled()
    connection = await asyncpg.connect(database)
    try:
        writes = await connection.fetch("SELECT xmin::text, count(*) FROM chamber_answer GROUP BY 1")
    finally:
        await connection.close()
    assert [row["count"] for row in writes] == [30]
