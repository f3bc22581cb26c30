"""`GET /v1/live` over the in-memory world: what people see, who sees it, and how a stream ends."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from api.streams import StreamRules
from collector.domain.outcome import Gap, GapReason
from collector.domain.roles import Role
from collector.ports import DetectorRecord, Origin
from collector.usecases import watching
from tests.unit.api_world import ENROLMENT, NOON_MS, World, a_reading, enrolled
from tests.unit.live_client import Stream, streaming
from tests.unit.people_world import IDS, signed_in, somebody

QUICK = StreamRules(check_s=0.05, keep_alive_s=0.2)
ID = "incubator-3"


def publish(world: World, *at_ms: int, chamber: str = ID, organization: str = "default") -> None:
    spec = replace(world.ledger.chambers[chamber].spec)
    assert world.live is not None
    readings = [a_reading(spec, at) for at in at_ms]
    world.live.publish(Origin(organization, spec.section, chamber), readings)


async def begun(stream: Stream) -> None:
    """The stream is open, and its reader follows the feed."""
    await stream.until_text("retry: 3000")
    await asyncio.sleep(0.03)


async def test_what_is_stored_comes_as_an_event_that_looks_like_a_reading_of_the_list() -> None:
    world = World()
    async with enrolled(world), streaming(world.app) as stream:
        await begun(stream)
        publish(world, NOON_MS)
        [told] = await stream.until(1)
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert stream.headers["cache-control"] == "no-store"
    assert told.name == "reading"
    assert told.id
    assert told.data == {
        "chamber": ID,
        "section": "default",
        "reading": {
            "slot": "2026-03-01T12:00:00.000Z",
            "requested_at": "2026-03-01T12:00:00.002Z",
            "received_at": "2026-03-01T12:00:00.090Z",
            "observed_at": None,
            "stored_at": None,
            "measurements": {"temperature": {"value": 21.5, "unit": "Cel", "quality": "good"}},
        },
    }


async def test_a_gap_says_which_slots_and_why() -> None:
    world = World()
    async with enrolled(world), streaming(world.app) as stream:
        await begun(stream)
        assert world.live is not None
        origin = Origin("default", "default", ID)
        detail = 'two\nlines \u2028 \u00fc "quoted"'
        world.live.publish(origin, [Gap(NOON_MS, NOON_MS + 60_000, GapReason.TIMEOUT, detail)])
        world.live.publish(origin, [Gap(NOON_MS + 120_000, None, GapReason.PAUSED, "door", "key/1")])
        told = await stream.until(2)
    assert [t.name for t in told] == ["gap", "gap"]
    assert told[0].data == {
        "chamber": ID,
        "section": "default",
        "gap": {
            "first_slot": "2026-03-01T12:00:00.000Z",
            "last_slot": "2026-03-01T12:01:00.000Z",
            "reason": "timeout",
            "detail": detail,
        },
    }
    assert (told[1].data["gap"]["last_slot"], told[1].data["gap"]["reason"]) == (None, "paused")


async def test_a_chamber_or_a_section_alone() -> None:
    world = World()
    async with enrolled(world) as client:
        await client.post("/v1/sections", json={"id": "cold"})
        await client.post("/v1/chambers", json={**ENROLMENT, "id": "fridge", "section": "cold"})
        app = world.app
        async with (
            streaming(app) as everything,
            streaming(app, f"chamber={ID}") as one,
            streaming(app, "section=cold") as cold,
            streaming(app, f"section=cold&chamber={ID}") as neither,
        ):
            await begun(neither)
            publish(world, NOON_MS)
            publish(world, NOON_MS + 1, chamber="fridge")
            await everything.until(2)
            await one.until(1)
            await cold.until(1)
            await asyncio.sleep(0.05)
    assert [t.data["chamber"] for t in everything.events] == [ID, "fridge"]
    assert [t.data["chamber"] for t in one.events] == [ID]
    assert [t.data["chamber"] for t in cold.events] == ["fridge"]
    assert neither.events == []


# ---- who sees it


async def test_another_organizations_key_gets_no_event() -> None:
    world = World()
    async with enrolled(world), streaming(world.app) as mine, streaming(world.app, whose="other") as other:
        await begun(mine)
        await begun(other)
        publish(world, NOON_MS)
        await mine.until(1)
        await asyncio.sleep(0.05)
        assert other.events == []
        assert ID not in other.text


@pytest.mark.parametrize("query", ["chamber={}", "section={}"])
async def test_a_foreign_chamber_or_section_is_one_that_is_not_there(query: str) -> None:
    world = World()
    async with enrolled(world) as client, world.client("other") as other:
        await client.post("/v1/sections", json={"id": "their-lab"})
        foreign = await other.get("/v1/live?" + query.format(ID if "chamber" in query else "their-lab"))
        unknown = await other.get("/v1/live?" + query.format("no-such-one"))
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.text.replace(ID, "no-such-one").replace("their-lab", "no-such-one") == unknown.text
    [error] = unknown.json()["errors"]
    field = query.partition("=")[0]
    assert (error["field"], error["remedy"]) == (field, f"GET /v1/{field}s lists what there is")


async def test_what_is_switched_off_is_left_out() -> None:
    world = World()
    async with enrolled(world) as client:
        publish_to_ledger(world)
        path = f"/v1/chambers/{ID}/detectors/temperature"
        assert (await client.patch(path, json={"active": False}, headers={"If-Match": "*"})).status_code == 200
        async with streaming(world.app) as stream:
            await begun(stream)
            publish(world, NOON_MS)
            [told] = await stream.until(1)
        assert told.data["reading"]["measurements"] == {}
        async with streaming(world.app, last_event_id=told.id or "") as again:
            publish(world, NOON_MS + 60_000)
            [later] = await again.until(1)
        assert later.data["reading"]["measurements"] == {}


def publish_to_ledger(world: World) -> None:
    """The chamber has a detector."""
    world.ledger.chambers[ID].detectors["temperature"] = DetectorRecord("temperature", "Cel", None, active=True)


# ---- going on


async def test_last_event_id_goes_on_where_a_client_was() -> None:
    world = World()
    async with enrolled(world):
        async with streaming(world.app) as stream:
            await begun(stream)
            publish(world, *(NOON_MS + n for n in range(4)))
            told = await stream.until(4)
        publish(world, NOON_MS + 4)
        async with streaming(world.app, last_event_id=told[1].id or "") as again:
            publish(world, NOON_MS + 5)
            events = await again.until(4)
        assert [t.data["reading"]["slot"][-4:-1] for t in events] == ["002", "003", "004", "005"]
        assert again.names == ["reading"] * 4
        assert len({t.id for t in (*told, *events)}) == 6


async def test_a_place_that_is_not_kept_any_more_is_a_hole_and_then_it_goes_on() -> None:
    world = World()
    async with enrolled(world), streaming(world.app, last_event_id="99-0") as stream:
        await stream.until(1)
        publish(world, NOON_MS)
        events = await stream.until(2)
    assert (events[0].name, events[0].data, events[1].name) == ("dropped", {"events": None}, "reading")


@pytest.mark.parametrize("place", ["x", "1", "-", "1-", "1-0-0", "9" * 40 + "-0", "\u0661-0"])
async def test_a_place_that_is_none_is_refused(place: str) -> None:
    world = World()
    async with world.client() as client:
        answer = await client.get("/v1/live", headers=[(b"Last-Event-ID", place.encode())])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Last-Event-ID"


async def test_a_slow_client_is_told_how_much_it_missed_and_holds_up_nobody() -> None:
    world = World()
    number = watching.WAITING + 500
    async with enrolled(world), streaming(world.app) as slow, streaming(world.app) as quick:
        await begun(slow)
        await begun(quick)
        slow.reads.clear()
        for first in range(0, number, 100):
            publish(world, *range(NOON_MS + first, NOON_MS + first + 100))
            await quick.until(first + 100)
        assert quick.names == ["reading"] * number
        slow.reads.set()
        publish(world, NOON_MS + number)
        await slow.until_text("2026-03-01T12:00:01.500Z")
    dropped = [told.data["events"] for told in slow.events if told.name == "dropped"]
    assert len(dropped) == 1
    assert dropped[0] + slow.names.count("reading") == number + 1


# ---- the feed is away


async def test_a_feed_that_is_away_is_said_and_that_it_is_back() -> None:
    world = World()
    async with enrolled(world), streaming(world.app) as stream:
        await begun(stream)
        publish(world, NOON_MS)
        await stream.until(1)
        away(world, True)
        await stream.until(2)
        publish(world, NOON_MS + 60_000)
        async with streaming(world.app) as late:
            await late.until(1)
            away(world, False)
            await stream.until(4)
            await late.until(2)
    assert stream.names == ["reading", "interrupted", "resumed", "reading"]
    assert stream.events[1].data == {"reason": "the live feed is away"}
    assert late.names[:2] == ["interrupted", "resumed"]


async def test_who_comes_back_while_it_is_away_gets_what_it_missed_once_it_is_back() -> None:
    world = World()
    async with enrolled(world):
        async with streaming(world.app) as stream:
            await begun(stream)
            publish(world, NOON_MS, NOON_MS + 1)
            told = await stream.until(2)
        away(world, True)
        async with streaming(world.app, last_event_id=told[0].id or "") as again:
            await again.until(1)
            away(world, False)
            await again.until(3)
        assert again.names == ["interrupted", "resumed", "reading"]
        assert again.events[2].id == told[1].id


def away(world: World, is_away: bool) -> None:
    world.live.away = is_away  # type: ignore[union-attr]


async def test_without_a_feed_the_problem_names_the_variable() -> None:
    world = World(watched=False)
    async with world.client() as client:
        answer = await client.get("/v1/live")
    assert answer.status_code == 503
    [error] = answer.json()["errors"]
    assert error["field"] == "CHAMBERLOG_REDIS"
    assert error["remedy"]


# ---- how it ends


async def test_a_revoked_key_ends_the_stream() -> None:
    world = World(rules=QUICK)
    async with enrolled(world), streaming(world.app) as stream:
        await begun(stream)
        await asyncio.sleep(3 * QUICK.check_s)
        assert not stream.ended
        world.ledger.keys.clear()
        await stream.until_ended()
    assert [(t.name, t.data) for t in stream.events] == [
        ("closed", {"reason": "this credential is not valid any more"})
    ]
    assert world.app.state.streams.open == 0


async def test_whoever_runs_the_deployment_no_more_sees_no_other_organization_any_more() -> None:
    world = World(rules=QUICK)
    await somebody(world, "boss", Role.SUPER_ADMINISTRATOR)
    await somebody(world, "eve")
    tokens = await signed_in(world, "boss@example.org")
    bearer = f"Bearer {tokens['access_token']}"
    async with (
        streaming(world.app, authorization=bearer, chamberlog_organization="other") as stream,
        world.client("deployment") as client,
    ):
        await begun(stream)
        await asyncio.sleep(3 * QUICK.check_s)
        assert not stream.ended
        body, any_version = {"role": "administrator"}, {"If-Match": "*"}
        answer = await client.patch(f"/v1/users/{IDS['boss']}", json=body, headers=any_version)
        assert answer.status_code == 200, answer.text
        await stream.until_ended()
    assert stream.events[-1].data == {"reason": "this credential is not valid any more"}


async def test_while_the_key_cannot_be_checked_nothing_is_shown() -> None:
    world = World(rules=QUICK)
    async with enrolled(world), streaming(world.app) as stream:
        await begun(stream)
        world.ledger.away = True
        world.clock.steady_ms += 10_000  # a key that was seen valid is trusted for 5 s
        await stream.until(1)
        publish(world, NOON_MS)
        await asyncio.sleep(4 * QUICK.check_s)
        assert stream.names == ["interrupted"]
        assert "PostgreSQL" in stream.events[0].data["reason"]
        world.ledger.away = False
        await stream.until(3)
    assert stream.names == ["interrupted", "resumed", "reading"]


async def test_stopping_ends_every_stream_at_once_also_one_that_is_withheld() -> None:
    world = World(rules=QUICK)
    live = world.app.state.services.live
    async with enrolled(world) as client, streaming(world.app) as stream, streaming(world.app, whose="other") as other:
        await begun(stream)
        await begun(other)
        world.ledger.away = True
        world.clock.steady_ms += 10_000
        await stream.until(1)
        live.stop()
        await stream.until_ended()
        await other.until_ended()
        world.ledger.away = False
        assert stream.names[-1] == other.names[-1] == "closed"
        assert (await client.get("/v1/live")).status_code == 503


async def test_a_comment_keeps_a_silent_stream_open() -> None:
    world = World(rules=replace(QUICK, check_s=30.0, keep_alive_s=0.05))
    async with enrolled(world), streaming(world.app) as stream:
        await stream.until_text(": nothing new\n\n: nothing new\n\n")
        publish(world, NOON_MS)
        await stream.until(1)


async def test_a_client_that_leaves_leaves_nothing_behind() -> None:
    world = World()
    live = world.app.state.services.live
    async with enrolled(world):
        async with streaming(world.app) as stream:
            await begun(stream)
            assert world.app.state.streams.open == 1
            assert list(live._channels) == ["default"]
        assert world.app.state.streams.open == 0
        assert live._channels == {}
        await asyncio.sleep(0.01)
        assert [t.get_name() for t in asyncio.all_tasks() if "_follow" in repr(t) or "_look" in repr(t)] == []


async def test_more_streams_than_there_may_be_are_refused() -> None:
    world = World(rules=StreamRules(at_most=1))
    async with enrolled(world) as client:
        async with streaming(world.app) as stream:
            await begun(stream)
            answer = await client.get("/v1/live")
            assert answer.status_code == 503
            [error] = answer.json()["errors"]
            assert error["field"] == "CHAMBERLOG_MAX_STREAMS"
            assert answer.headers["retry-after"]
        async with streaming(world.app) as stream:
            await begun(stream)
            assert stream.status == 200


# ---- how it is asked for


@pytest.mark.parametrize("accept", ["text/event-stream", "*/*", "text/*;q=0.3", "application/json, text/event-stream"])
async def test_these_accept_events(accept: str) -> None:
    world = World()
    async with enrolled(world), streaming(world.app, accept=accept) as stream:
        await begun(stream)
        assert stream.status == 200


@pytest.mark.parametrize("accept", ["application/json", "text/html", "text/csv", "nonsense"])
async def test_who_accepts_no_events_is_told_what_to_send(accept: str) -> None:
    world = World()
    async with world.client() as client:
        answer = await client.get("/v1/live", headers={"Accept": accept})
    assert answer.status_code == 406
    assert answer.json()["errors"][0]["remedy"] == "send Accept: text/event-stream, or none"


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
async def test_other_methods_do_not_open_a_stream(method: str) -> None:
    world = World()
    async with world.client() as client:
        answer = await client.request(method, "/v1/live")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(("query", "status"), [("chambre=a", 422), ("chamber=", 404), ("section=nowhere", 404)])
async def test_a_query_that_names_nothing_is_refused(query: str, status: int) -> None:
    world = World()
    async with world.client() as client:
        assert (await client.get(f"/v1/live?{query}")).status_code == status


async def test_without_a_key_there_is_no_stream() -> None:
    world = World()
    async with world.client(None) as client:
        assert (await client.get("/v1/live")).status_code == 401


async def test_a_defect_of_the_feed_closes_its_streams_and_the_next_one_works(caplog: Any) -> None:
    class BrokenError(Exception):
        pass

    world = World()
    live = world.app.state.services.live
    feed = live._feed

    class OnceBroken:
        async def watch(self, organization: str) -> Any:
            live._feed = feed
            raise BrokenError(organization)
            yield

    async with enrolled(world):
        live._feed = OnceBroken()
        async with streaming(world.app) as stream:
            await stream.until_ended()
        assert stream.names == ["closed"]
        assert "defect" in caplog.text
        async with streaming(world.app) as again:
            await begun(again)
            publish(world, NOON_MS)
            await again.until(1)
