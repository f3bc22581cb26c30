"""Readings/WatchReadings over gRPC: what comes, for whom, and how it ends."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from api.grpc.server import LEAVE_S, GrpcApi
from api.streams import StreamRules
from collector.domain.outcome import Gap, GapReason, Measurement
from collector.ports import Origin
from tests.contract.grpc_client import Client, Told, sent_by, serving, told
from tests.unit.api_world import NOON_MS, World, a_reading

QUICK = StreamRules(check_s=0.05, keep_alive_s=0.2)
ID = "incubator-3"
ENROLMENT = {"id": ID, "url": "http://192.168.1.20", "profile": "airgradient", "interval": "60s"}
WATCH = "Readings/WatchReadings"


class Stream:
    """One call of WatchReadings."""

    def __init__(self, call: Any) -> None:
        self.call = call

    async def next(self, within_s: float = 5) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(within_s):
            answer = await self.call.read()
        assert answer is not grpc.aio.EOF
        found: dict[str, Any] = MessageToDict(answer, preserving_proto_field_name=True)
        return found

    async def end(self, within_s: float = 8) -> tuple[list[dict[str, Any]], Told]:
        """What came before the end, and the end."""
        came = []
        try:
            while True:
                came.append(await self.next(within_s))
        except grpc.aio.AioRpcError as error:
            return came, told(error)


@asynccontextmanager
async def watching(
    client: Client, query: dict[str, Any] | None = None, whose: str = "default"
) -> AsyncIterator[Stream]:
    """A stream that has begun and follows the feed; the client leaves at the end of the block."""
    call = client.method(WATCH)(client.message(WATCH, query or {}), metadata=sent_by(whose))
    await asyncio.wait_for(call.initial_metadata(), 5)
    await asyncio.sleep(0.03)
    try:
        yield Stream(call)
    finally:
        call.cancel()


@asynccontextmanager
async def narrow(client: Client) -> AsyncIterator[Client]:
    """The same server by a connection that holds 64 KiB of what nobody reads."""
    options = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_536)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{client.port}", options=options) as channel:
        yield Client(channel, client.api, client.port)


def publish(world: World, *at_ms: int, chamber: str = ID, measurements: int = 0) -> None:
    spec = world.ledger.chambers[chamber].spec
    readings = [a_reading(spec, at) for at in at_ms]
    if measurements:
        wide = tuple(Measurement(f"temperature_{n}", 21.5, "Cel") for n in range(measurements))
        readings = [replace(reading, measurements=wide) for reading in readings]
    assert world.live is not None
    world.live.publish(Origin(spec.organization, spec.section, chamber), readings)


@asynccontextmanager
async def ready(world: World) -> AsyncIterator[Client]:
    async with serving(world) as client:
        await client.ask("Chambers/EnrolChamber", ENROLMENT)
        yield client


async def test_what_is_stored_comes_as_a_message() -> None:
    world = World()
    async with ready(world) as client, watching(client) as stream:
        publish(world, NOON_MS)
        assert world.live is not None
        gaps = [Gap(NOON_MS, NOON_MS + 60_000, GapReason.TIMEOUT, "slow"), Gap(NOON_MS, None, GapReason.PAUSED, "door")]
        world.live.publish(Origin("default", "default", ID), gaps)
        reading, gap, paused = [await stream.next() for _ in range(3)]
    assert reading.pop("event_id")
    assert reading == {
        "reading": {
            "chamber": ID,
            "section": "default",
            "reading": {
                "slot": "2026-03-01T12:00:00Z",
                "requested_at": "2026-03-01T12:00:00.002Z",
                "received_at": "2026-03-01T12:00:00.090Z",
                "measurements": {"temperature": {"value": 21.5, "unit": "Cel", "quality": "QUALITY_GOOD"}},
            },
        }
    }
    assert gap["gap"]["gap"] == {
        "first_slot": "2026-03-01T12:00:00Z",
        "last_slot": "2026-03-01T12:01:00Z",
        "reason": "GAP_REASON_TIMEOUT",
        "detail": "slow",
    }
    assert "last_slot" not in paused["gap"]["gap"]


async def test_a_chamber_or_a_section_alone() -> None:
    world = World()
    async with ready(world) as client:
        await client.ask("Sections/CreateSection", {"id": "cold"})
        await client.ask("Chambers/EnrolChamber", ENROLMENT | {"id": "fridge", "section": "cold"})
        async with watching(client, {"chamber": ID}) as one, watching(client, {"section": "cold"}) as cold:
            publish(world, NOON_MS, chamber="fridge")
            publish(world, NOON_MS + 1)
            assert (await one.next())["reading"]["chamber"] == ID
            assert (await cold.next())["reading"]["chamber"] == "fridge"
            with pytest.raises(TimeoutError):
                await cold.next(0.1)


async def test_what_cannot_be_watched_is_refused() -> None:
    async with ready(World()) as client:
        for query, code, field in (
            ({"chamber": "nobody"}, "NOT_FOUND", "chamber"),
            ({"section": "nowhere"}, "NOT_FOUND", "section"),
            ({"after": "yesterday"}, "INVALID_ARGUMENT", "after"),
        ):
            refusal = await refused(client, query)
            assert (refusal.code, list(refusal.violations)) == (code, [field])
        foreign = await refused(client, {"chamber": ID}, whose="other")
        unknown = await refused(client, {"chamber": "nobody"}, whose="other")
        assert foreign.message.replace(ID, "nobody") == unknown.message
        assert (await refused(client, {}, whose=None)).code == "UNAUTHENTICATED"
    async with serving(World(watched=False)) as client:
        none = await refused(client, {})
    assert (none.code, list(none.violations)) == ("UNAVAILABLE", ["CHAMBERLOG_REDIS"])


async def refused(client: Client, query: dict[str, Any], whose: str | None = "default") -> Told:
    call = client.method(WATCH)(client.message(WATCH, query), metadata=sent_by(whose), timeout=10)
    came, end = await Stream(call).end()
    assert came == []
    return end


async def test_another_organization_sees_nothing() -> None:
    world = World()
    async with ready(world) as client, watching(client) as mine, watching(client, whose="other") as theirs:
        publish(world, NOON_MS)
        await mine.next()
        with pytest.raises(TimeoutError):
            await theirs.next(0.1)


async def test_a_key_of_a_section_sees_that_section_only() -> None:
    world = World()
    async with ready(world) as client:
        await client.ask("Sections/CreateSection", {"id": "attic"})
        await client.ask("Chambers/EnrolChamber", ENROLMENT | {"id": "fridge", "section": "attic"})
        async with watching(client, whose="bound") as stream, watching(client) as every:
            publish(world, NOON_MS)
            publish(world, NOON_MS, chamber="fridge")
            assert (await every.next())["reading"]["chamber"] == ID
            assert (await stream.next())["reading"]["chamber"] == "fridge"
        assert (await refused(client, {"chamber": ID}, whose="bound")).code == "NOT_FOUND"
        assert (await refused(client, {"section": "default"}, whose="bound")).code == "PERMISSION_DENIED"


async def test_whoever_comes_back_goes_on_where_he_was() -> None:
    world = World()
    async with ready(world) as client:
        async with watching(client) as stream, watching(client):
            publish(world, NOON_MS)
            seen = await stream.next()
        async with watching(client):
            publish(world, NOON_MS + 60_000, NOON_MS + 120_000)
            async with watching(client, {"after": seen["event_id"]}) as again:
                slots = [(await again.next())["reading"]["reading"]["slot"] for _ in range(2)]
    assert slots == ["2026-03-01T12:01:00Z", "2026-03-01T12:02:00Z"]


@pytest.mark.parametrize("check_s", [0.05, StreamRules().check_s])
async def test_a_revoked_key_ends_its_stream_within_5_s(check_s: float) -> None:
    world = World(rules=StreamRules(check_s=check_s))
    async with ready(world) as client, watching(client) as stream, watching(client, whose="deployment") as other:
        started = time.monotonic()
        world.ledger.keys.pop("0" * 11 + "a")
        came, end = await stream.end()
        took_s = time.monotonic() - started
        assert took_s < check_s + 0.5
        publish(world, NOON_MS)
        assert "reading" in await other.next()
    assert (came, end.code, list(end.violations)) == ([], "UNAUTHENTICATED", ["authorization"])
    assert world.app.state.streams.open == 0


async def test_while_the_key_cannot_be_checked_nothing_is_shown() -> None:
    world = World(rules=QUICK)
    async with ready(world) as client, watching(client) as stream:
        world.ledger.away = True
        world.clock.steady_ms += 60_000
        interrupted = await stream.next()
        publish(world, NOON_MS)
        assert "nothing_new" in await stream.next()
        world.ledger.away = False
        came = [await stream.next() for _ in range(2)]
    assert interrupted["interrupted"]["reason"].endswith("cannot be checked: PostgreSQL is away")
    assert "resumed" in came[-2] or "nothing_new" in came[-2]


async def test_a_silent_stream_says_that_it_is_there() -> None:
    async with ready(World(rules=QUICK)) as client, watching(client) as stream:
        assert await stream.next() == {"nothing_new": {}}


async def test_there_is_room_for_so_many() -> None:
    world = World(rules=replace(QUICK, at_most=1))
    async with ready(world) as client:
        async with watching(client):
            full = await refused(client, {})
        await until(lambda: world.app.state.streams.open == 0)
        async with watching(client) as stream:
            assert "nothing_new" in await stream.next()
    assert (full.code, full.retry_s, list(full.violations)) == ("UNAVAILABLE", 5, ["CHAMBERLOG_MAX_STREAMS"])


async def until(true: Any, within_s: float = 5) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110  # the server says it to nobody
            await asyncio.sleep(0.01)


async def test_whoever_leaves_is_not_waited_for() -> None:
    world = World()
    async with ready(world) as client:
        async with watching(client):
            assert world.app.state.streams.open == 1
        await until(lambda: world.app.state.streams.open == 0)
        call = client.method(WATCH)(client.message(WATCH, {}), metadata=sent_by("default"), timeout=0.3)
        _, late = await Stream(call).end()
        assert late.code == "DEADLINE_EXCEEDED"
        await until(lambda: world.app.state.streams.open == 0)


@pytest.mark.parametrize("stalled", [False, True])
async def test_a_stop_ends_every_stream(stalled: bool) -> None:
    world = World()
    services = world.app.state.services
    made = GrpcApi(services, world.app.state.streams)
    port = made.listen("127.0.0.1", 0)
    await made.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        client = Client(channel, made, port)
        await client.ask("Chambers/EnrolChamber", ENROLMENT)
        async with narrow(client) as other, watching(client) as reads, watching(other):
            if stalled:
                await fill(world, reads)
            started = time.monotonic()
            services.live.stop()
            await made.stop()
            took_s = time.monotonic() - started
            _, end = await reads.end()
    assert end.code == "UNAVAILABLE"
    assert end.retry_s == 5
    assert (LEAVE_S if stalled else 0) <= took_s < LEAVE_S + 2
    assert world.app.state.streams.open == 0


async def fill(world: World, reads: Stream) -> None:
    """More than the buffers on the way to a client that does not read hold."""
    for number in range(50):
        publish(world, NOON_MS + number, measurements=300)
        await reads.next()


async def test_a_client_that_does_not_read_holds_up_nobody_and_hears_of_a_hole() -> None:
    world = World()
    async with (
        ready(world) as client,
        narrow(client) as other,
        watching(other) as silent,
        watching(client) as reads,
    ):
        for number in range(2_000):
            publish(world, NOON_MS + number, measurements=10)
            await reads.next()
        came = 0
        while True:
            told_ = await silent.next()
            if "dropped" in told_:
                break
            came += 1
        assert 0 < came < 1_999
        assert int(told_["dropped"]["events"]) + came <= 2_000
