"""The contract of `ActiveChambers`, over the twin and over a real Valkey; then what only a server can do."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from redis.asyncio import Redis

from adapters.memory import InMemoryActive
from adapters.redis.active import RedisActive
from adapters.redis.keys import active_chambers
from adapters.redis.server import REST_MS, CacheServer
from collector.domain.errors import AwayError, InvalidFieldError
from collector.ports.active import ACTIVE_FOR_MS, ACTIVE_LIMIT, ActiveChamber, ActiveChambers, ActivePart
from tests.contract.valkey_server import ValkeyServer, WallClock

ALL = ActivePart(limit=1_000)
FIVE = ("c-1", "c-2", "c-3", "c-4", "c-5")


class TheRegistry:
    """Where the list is true: counts how often it is read, and may hold a reader up."""

    def __init__(self, *ids: str) -> None:
        self.ids = list(ids)
        self.reads = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.was_read = asyncio.Event()

    async def read(self, at_most: int) -> Sequence[ActiveChamber]:
        self.reads += 1
        found = [chamber(chamber_id) for chamber_id in self.ids[:at_most]]
        self.was_read.set()
        await self.go_on.wait()
        return found


def chamber(chamber_id: str) -> ActiveChamber:
    """Odd ones stand in the cold store."""
    section = "cold" if chamber_id[-1] in "13579" else "default"
    inactive = ("co2", "pm2.5") if section == "cold" else ()
    return ActiveChamber(chamber_id, section, f"Schrank {chamber_id} \u00fc", 5_000, inactive)


@pytest.fixture
async def server(valkey: ValkeyServer, valkey_client: Redis, wall_clock: WallClock) -> AsyncIterator[CacheServer]:
    server = CacheServer.at(valkey.url, wall_clock, patience_s=1.0)  # busy cores are no fault here
    yield server
    await server.close()


@pytest.fixture
async def another(valkey: ValkeyServer, server: CacheServer, wall_clock: WallClock) -> AsyncIterator[RedisActive]:
    """Of another process."""
    there = CacheServer.at(valkey.url, wall_clock, patience_s=1.0)
    yield RedisActive(there)
    await there.close()


@pytest.fixture
def redis_active(server: CacheServer) -> RedisActive:
    return RedisActive(server)


@pytest.fixture(params=["memory", "valkey"])
def active(request: pytest.FixtureRequest, wall_clock: WallClock) -> ActiveChambers:
    if request.param == "memory":
        return InMemoryActive(wall_clock.now_ms)
    valkey: ActiveChambers = request.getfixturevalue("redis_active")
    return valkey


async def ids(active: ActiveChambers, registry: TheRegistry, organization: str = "lab") -> list[str] | None:
    page = await active.page(organization, ALL, registry.read)
    return None if page is None else [found.id for found in page.items]


async def eventually_kept(active: RedisActive, registry: TheRegistry) -> None:
    """Ask until an answer comes without reading: on busy cores a first connection may take long."""
    for _ in range(40):
        before = registry.reads
        if await ids(active, registry) is not None and registry.reads == before:
            return
        await asyncio.sleep(0.25)
    pytest.fail("the list is not kept within 10 s")


# ---- the contract


async def test_a_list_is_read_once_and_comes_back_whole(active: ActiveChambers) -> None:
    registry = TheRegistry(*FIVE)
    first = await active.page("lab", ALL, registry.read)
    again = await active.page("lab", ALL, registry.read)
    assert registry.reads == 1
    assert first == again
    assert again is not None
    assert list(again.items) == [chamber(chamber_id) for chamber_id in FIVE]
    assert again.next_cursor is None


async def test_an_empty_list_is_a_list(active: ActiveChambers) -> None:
    registry = TheRegistry()
    assert await ids(active, registry) == []
    assert await ids(active, registry) == []
    assert registry.reads == 1


@pytest.mark.parametrize(
    ("section", "pages"),
    [
        (None, [["c-1", "c-2"], ["c-3", "c-4"], ["c-5"]]),
        ("cold", [["c-1", "c-3"], ["c-5"]]),
        ("default", [["c-2", "c-4"]]),
        ("nowhere", [[]]),
    ],
)
async def test_pages_follow_the_order_in_which_it_was_read(
    active: ActiveChambers, section: str | None, pages: list[list[str]]
) -> None:
    registry = TheRegistry(*FIVE)
    found, cursor = [], None
    while True:
        page = await active.page("lab", ActivePart(2, cursor, section), registry.read)
        assert page is not None
        found.append([c.id for c in page.items])
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == pages


async def test_the_order_is_the_registrys_whatever_its_collation(active: ActiveChambers) -> None:
    registry = TheRegistry("b-1", "a1", "b1", "a-2")
    first = await active.page("lab", ActivePart(2), registry.read)
    assert first is not None
    rest = await active.page("lab", ActivePart(2, first.next_cursor), registry.read)
    assert rest is not None
    assert [c.id for c in (*first.items, *rest.items)] == registry.ids


async def test_a_page_after_a_chamber_that_is_gone_is_the_registrys(active: ActiveChambers) -> None:
    registry = TheRegistry(*FIVE)
    first = await active.page("lab", ActivePart(2), registry.read)
    assert first is not None
    registry.ids.remove("c-2")
    await active.forget("lab")
    assert await active.page("lab", ActivePart(2, first.next_cursor), registry.read) is None


async def test_a_cursor_that_is_none_is_refused_whatever_is_kept(active: ActiveChambers) -> None:
    for cursor in ("", "x", "WzFd", "bnVsbA"):
        with pytest.raises(InvalidFieldError, match="cursor"):
            await active.page("lab", ActivePart(2, cursor), TheRegistry().read)


async def test_forgetting_makes_it_read_again_for_that_organization_only(active: ActiveChambers) -> None:
    lab, clinic = TheRegistry(*FIVE), TheRegistry("theirs")
    assert await ids(active, lab) == list(FIVE)
    assert await ids(active, clinic, "clinic") == ["theirs"]
    lab.ids.append("c-6")
    assert await ids(active, lab) == list(FIVE)
    await active.forget("lab")
    assert await ids(active, lab) == [*FIVE, "c-6"]
    assert await ids(active, clinic, "clinic") == ["theirs"]
    assert (lab.reads, clinic.reads) == (2, 1)


async def test_a_list_that_was_read_before_a_change_is_not_kept_after_it(active: ActiveChambers) -> None:
    registry = TheRegistry(*FIVE)
    registry.go_on.clear()
    slow = asyncio.create_task(ids(active, registry))
    await registry.was_read.wait()
    registry.ids.append("c-6")
    await active.forget("lab")
    registry.go_on.set()
    assert await slow == list(FIVE), "who asked before the change may see the list from before"
    assert await ids(active, registry) == [*FIVE, "c-6"]


async def test_nor_when_somebody_has_read_anew_meanwhile(active: ActiveChambers) -> None:
    registry = TheRegistry(*FIVE)
    registry.go_on.clear()
    slow = asyncio.create_task(ids(active, registry))
    await registry.was_read.wait()
    registry.ids.append("c-6")
    await active.forget("lab")
    registry.go_on.set()
    assert await ids(active, registry) == [*FIVE, "c-6"]
    await slow
    assert await ids(active, registry) == [*FIVE, "c-6"]


async def test_what_the_store_raises_comes_through_and_nothing_is_kept(active: ActiveChambers) -> None:
    async def fails(_: int) -> Sequence[ActiveChamber]:
        raise AwayError("the registry is away")

    with pytest.raises(AwayError):
        await active.page("lab", ALL, fails)
    assert await ids(active, TheRegistry("c-1")) == ["c-1"]


async def test_of_a_list_that_is_too_long_the_registry_answers(active: ActiveChambers) -> None:
    registry = TheRegistry(*(f"c-{n}" for n in range(ACTIVE_LIMIT + 5)))
    assert await ids(active, registry) is None
    assert await ids(active, registry) is None
    assert registry.reads == 1, "that it is too long is kept too"


# ---- Valkey alone


async def test_a_list_ends_10_s_after_it_was_asked_for_however_long_reading_took(
    redis_active: RedisActive, valkey_client: Redis
) -> None:
    registry = TheRegistry(*FIVE)
    registry.go_on.clear()
    slow = asyncio.create_task(ids(redis_active, registry))
    await registry.was_read.wait()
    await asyncio.sleep(0.5)
    registry.go_on.set()
    await slow
    assert await valkey_client.hexists(active_chambers("lab"), "list")
    assert await valkey_client.pttl(active_chambers("lab")) <= ACTIVE_FOR_MS - 500


async def test_a_change_of_another_process_is_seen_at_once(redis_active: RedisActive, another: RedisActive) -> None:
    registry = TheRegistry(*FIVE)
    assert await ids(redis_active, registry) == await ids(another, registry)
    registry.ids.append("c-6")
    await another.forget("lab")
    assert await ids(redis_active, registry) == [*FIVE, "c-6"]
    assert await ids(another, registry) == [*FIVE, "c-6"]
    assert registry.reads == 2


async def test_a_reader_of_another_process_does_not_keep_what_it_read_before(
    redis_active: RedisActive, another: RedisActive
) -> None:
    registry = TheRegistry(*FIVE)
    registry.go_on.clear()
    slow = asyncio.create_task(ids(another, registry))
    await registry.was_read.wait()
    registry.ids.append("c-6")
    await redis_active.forget("lab")
    registry.go_on.set()
    await slow
    assert await ids(redis_active, registry) == [*FIVE, "c-6"]


async def test_nor_after_the_server_was_flushed(
    redis_active: RedisActive, another: RedisActive, valkey_client: Redis
) -> None:
    registry = TheRegistry(*FIVE)
    registry.go_on.clear()
    slow = asyncio.create_task(ids(another, registry))
    await registry.was_read.wait()
    registry.ids.append("c-6")
    await redis_active.forget("lab")
    await valkey_client.flushall()
    registry.go_on.set()
    await slow
    assert await ids(redis_active, registry) == [*FIVE, "c-6"]


async def test_a_server_that_is_away_leaves_pages_to_the_registry_unasked(
    redis_active: RedisActive, valkey: ValkeyServer, wall_clock: WallClock
) -> None:
    registry = TheRegistry(*FIVE)
    await eventually_kept(redis_active, registry)
    valkey.kill()
    before = registry.reads
    for _ in range(20):
        assert await ids(redis_active, registry) is None
    assert registry.reads == before, "a whole list is not read for one page of it"
    valkey.start()
    wall_clock.monotonic_ahead_ms += REST_MS
    await eventually_kept(redis_active, registry)


@pytest.mark.parametrize("fault", ["killed", "frozen"])
async def test_a_deletion_that_failed_is_remembered(
    redis_active: RedisActive, valkey: ValkeyServer, valkey_client: Redis, wall_clock: WallClock, fault: str
) -> None:
    registry = TheRegistry(*FIVE)
    await eventually_kept(redis_active, registry)
    await valkey_client.hset(
        active_chambers("steady"), "list", '{"ids":[],"sections":[],"names":[],"intervals_ms":[],"inactive":{}}'
    )
    if fault == "killed":
        await asyncio.sleep(1.1)  # the append-only file is written each second
        valkey.kill()
    else:
        valkey.freeze()
    registry.ids.append("c-6")
    await redis_active.forget("lab")
    if fault == "killed":
        valkey.start()
        await valkey_client.connection_pool.disconnect()
        assert await valkey_client.hexists(active_chambers("lab"), "list"), "the server kept its file"
    else:
        valkey.thaw()
    wall_clock.monotonic_ahead_ms += REST_MS
    await eventually_kept(redis_active, registry)
    assert await ids(redis_active, registry) == [*FIVE, "c-6"]
    assert await ids(redis_active, TheRegistry("x"), "steady") == [], "other keys stay"


async def test_who_is_cancelled_while_forgetting_has_not_forgotten(
    redis_active: RedisActive, valkey: ValkeyServer, wall_clock: WallClock
) -> None:
    registry = TheRegistry(*FIVE)
    await eventually_kept(redis_active, registry)
    valkey.freeze()
    forgetting = asyncio.create_task(redis_active.forget("lab"))
    await asyncio.sleep(0.01)
    forgetting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await forgetting
    registry.ids.append("c-6")
    valkey.thaw()
    wall_clock.monotonic_ahead_ms += REST_MS
    await eventually_kept(redis_active, registry)
    assert await ids(redis_active, registry) == [*FIVE, "c-6"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"junk",
        b"{}",
        b"[]",
        b'{"ids":["a"],"sections":[]}',
        b'{"ids":[],"sections":[],"names":[],"intervals_ms":[]}',
        b"\xff",
    ],
)
async def test_a_list_of_another_version_is_none(redis_active: RedisActive, valkey_client: Redis, text: bytes) -> None:
    await valkey_client.hset(active_chambers("lab"), "list", text)
    assert await ids(redis_active, TheRegistry(*FIVE)) is None
