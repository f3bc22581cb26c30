"""`EventLog`: each event stays as it was recorded, once by its key, and is found by what it was about."""

from dataclasses import replace

import asyncpg
import pytest

from adapters.postgres.events import PostgresEvents
from adapters.postgres.pool import Postgres
from collector.domain.errors import AwayError, InvalidFieldError, NotFoundError
from collector.ports import AuditEvent, EventFilter
from collector.ports.events import Outcome, Source
from tests.contract.ledger_rooms import Rooms, now

NOON_MS = 1_772_366_400_123
ODD = "nul\x00 \ud800 🌡 \"'\\ {,}"


def event(**changes: object) -> AuditEvent:
    """An event with something of everything."""
    fields: dict[str, object] = {
        "organization": "default",
        "subject": "key/0123456789ab",
        "action": "chambers.pause",
        "source": Source.API,
        "outcome": Outcome.REFUSED,
        "target": "chamber/c1",
        "reason": "door \"'\\ ü 🌡",
        "detail": {"status": 409, "fields": ["interval_s", "name"], "operation": "drill"},
        "address": "192.0.2.17",
        "at_ms": NOON_MS,
    }
    return AuditEvent(**(fields | changes))  # type: ignore[arg-type]


async def kept(rooms: Rooms, wanted: EventFilter | None = None, organization: str = "default") -> list[AuditEvent]:
    """All events that fit, without the store's numbers."""
    page = await rooms.events.page(organization, wanted or EventFilter(), 1_000, None)
    return [replace(one, id=0) for one in page.items]


async def test_an_event_comes_back_as_it_was_recorded(rooms: Rooms) -> None:
    wanted = event(claimed=True, source=Source.SIGNAL, key="signal/run/1/2")
    await rooms.events.add(wanted)
    assert await kept(rooms) == [wanted]
    (found,) = (await rooms.events.page("default", EventFilter(), 10, None)).items
    assert found.id > 0


async def test_without_an_instant_it_is_now_by_the_stores_clock(rooms: Rooms) -> None:
    before_ms = now()
    await rooms.events.add(event(at_ms=0))
    (found,) = await kept(rooms)
    assert before_ms - 1 <= found.at_ms <= now() + 1


async def test_the_second_event_of_a_key_is_not_kept_and_others_are(rooms: Rooms) -> None:
    await rooms.events.add(event(key="one"))
    await rooms.events.add(event(key="one", reason="another"))
    await rooms.events.add(event(key="two"))
    for _ in range(2):
        await rooms.events.add(event())
    assert [one.key for one in await kept(rooms)] == [None, None, "two", "one"]
    assert {one.reason for one in await kept(rooms)} == {event().reason}


async def test_what_cannot_be_kept_as_it_is_is_cleaned(rooms: Rooms) -> None:
    texts: dict[str, object] = dict.fromkeys(("subject", "target", "reason", "address"), ODD)
    await rooms.events.add(event(**texts, detail={"said": ODD, "fields": [ODD, {ODD: 1}]}))
    (found,) = await kept(rooms)
    shown = "nul\ufffd ? 🌡 \"'\\ {,}"
    assert (found.subject, found.target, found.reason, found.address) == (shown,) * 4
    assert found.detail == {"said": shown, "fields": [shown, {shown: 1}]}
    assert await kept(rooms, EventFilter(target=ODD)) == [found]


async def test_events_are_found_by_what_they_were_about(rooms: Rooms) -> None:
    await rooms.events.add(event())
    await rooms.events.add(event(target="chamber/c2"))
    await rooms.events.add(event(subject="user/1"))
    await rooms.events.add(event(action="chambers.resume", at_ms=NOON_MS + 1_000))
    by = {
        "target": (EventFilter(target="chamber/c2"), 1),
        "subject": (EventFilter(subject="key/0123456789ab"), 3),
        "action": (EventFilter(action="chambers.pause"), 3),
        "from": (EventFilter(from_ms=NOON_MS + 1_000), 1),
        "to": (EventFilter(to_ms=NOON_MS + 1_000), 3),
        "nobody": (EventFilter(subject="user/2"), 0),
        "all of it": (EventFilter(target="chamber/c1", subject="user/1", action="chambers.pause", from_ms=NOON_MS), 1),
    }
    assert {name: len(await kept(rooms, wanted)) for name, (wanted, _) in by.items()} == {
        name: count for name, (_, count) in by.items()
    }


async def test_pages_follow_each_other_the_newest_first_though_some_are_recorded_late(rooms: Rooms) -> None:
    for number in (3, 1, 1, 5, 2, 4):
        await rooms.events.add(event(reason=str(number), at_ms=NOON_MS + number))
    seen: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor is not None:
        page = await rooms.events.page("default", EventFilter(), 2, cursor)
        seen += [one.reason for one in page.items]
        cursor, pages = page.next_cursor, pages + 1
    assert (seen, pages) == (["5", "4", "3", "2", "1", "1"], 3)
    with pytest.raises(InvalidFieldError, match="cursor"):
        await rooms.events.page("default", EventFilter(), 2, "nonsense")


async def test_another_organization_sees_none_and_an_unknown_one_has_none(rooms: Rooms) -> None:
    await rooms.add_section("other", "default")
    await rooms.events.add(event())
    assert await kept(rooms, organization="other") == []
    with pytest.raises(NotFoundError):
        await rooms.events.add(event(organization="nowhere"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET reason = 'nothing'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "TRUNCATE organization CASCADE",
        """INSERT INTO audit_event (at, organization, subject, action, source, outcome, key)
        VALUES (now(), 'default', '', '', 'api', 'done', 'one') ON CONFLICT (key) DO UPDATE SET reason = 'nothing'""",
    ],
)
async def test_the_table_refuses_to_change_or_lose_an_event(database: str, statement: str) -> None:
    postgres = Postgres(database, size=1)
    try:
        events = PostgresEvents(postgres)
        await events.add(event(key="one"))
        with pytest.raises((AwayError, asyncpg.PostgresError), match="append-only"):
            async with postgres.connection() as connection:
                await connection.execute(statement)
        (found,) = (await events.page("default", EventFilter(), 10, None)).items
        assert found.reason == event().reason
    finally:
        await postgres.close()
