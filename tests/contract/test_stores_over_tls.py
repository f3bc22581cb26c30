"""PostgreSQL and Valkey over TLS: real servers behind a relay that ends it, because neither wheel has TLS built in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from adapters.postgres.pool import Postgres
from adapters.redis.latest import RedisLatest
from adapters.redis.server import REST_MS, CacheServer
from collector.domain.chamber import ChamberSpec
from collector.domain.errors import AwayError
from collector.domain.outcome import Measurement, Reading
from tests.contract.temporal_gate import Papers, issue
from tests.contract.tls_relay import relayed, serving
from tests.contract.valkey_server import ValkeyServer, WallClock

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Wire:
    """Papers, and the address of a server behind each kind of relay."""

    mine: Papers
    strangers: Papers
    at: dict[str, str]


async def wire_of(address: str, folder: Path, stack: AsyncExitStack, *, asked_first: bool) -> Wire:
    """The server of the address behind one relay that is as it should be, one of another name, one that asks back."""
    authority, stranger = trustme.CA(), trustme.CA()
    own, named = issue(folder, "own", authority, HOST), issue(folder, "named", authority, "store.example")
    contexts = {"tls": serving(own), "named": serving(named), "client": serving(own, clients=True)}
    head, _, tail = address.rpartition(f"@{HOST}:")
    port, _, path = tail.partition("/")
    ports = {
        name: await stack.enter_async_context(relayed(int(port), context, asked_first=asked_first))
        for name, context in contexts.items()
    }
    at = {name: f"{head}@{HOST}:{there}/{path}" for name, there in ports.items()}
    return Wire(issue(folder, "mine", authority, "worker@lab"), issue(folder, "theirs", stranger, HOST), at)


@pytest_asyncio.fixture
async def postgres_wire(database: str, tmp_path: Path) -> AsyncIterator[Wire]:
    async with AsyncExitStack() as stack:
        yield await wire_of(database, tmp_path, stack, asked_first=True)


@pytest_asyncio.fixture
async def valkey_wire(valkey: ValkeyServer, tmp_path: Path) -> AsyncIterator[Wire]:
    async with AsyncExitStack() as stack:
        yield await wire_of(valkey.url.replace("redis://", "rediss://"), tmp_path, stack, asked_first=False)


@pytest.fixture
def nobodys_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the driver looks for an authority that nobody named."""
    monkeypatch.setenv("HOME", str(tmp_path))


async def speaks(dsn: str) -> bool:
    """By the probe, and by the pool."""
    postgres = Postgres(dsn, size=1)
    try:
        await postgres.ping()
        async with postgres.connection() as connection:
            return bool(await connection.fetchval("SELECT true"))
    finally:
        await postgres.close()


async def test_postgresql_is_verified_in_full(postgres_wire: Wire) -> None:
    authority = f"sslrootcert={postgres_wire.mine.authority}"
    assert await speaks(f"{postgres_wire.at['tls']}?sslmode=verify-full&{authority}")
    assert await speaks(f"{postgres_wire.at['named']}?sslmode=verify-ca&{authority}")
    assert await speaks(f"{postgres_wire.at['named']}?sslmode=require")


async def test_postgresql_may_ask_for_a_client_certificate(postgres_wire: Wire) -> None:
    mine = postgres_wire.mine
    papers = f"sslrootcert={mine.authority}&sslcert={mine.certificate}&sslkey={mine.key}"
    assert await speaks(f"{postgres_wire.at['client']}?sslmode=verify-full&{papers}")


@pytest.mark.parametrize(
    ("relay", "options", "said"),
    [
        ("tls", "sslmode=verify-full&sslrootcert={strangers}", "certificate verify failed"),
        ("named", "sslmode=verify-full&sslrootcert={mine}", "not valid for '127.0.0.1'"),
        ("client", "sslmode=verify-full&sslrootcert={mine}", "connection was closed|peer|reset"),
        ("tls", "sslmode=verify-full", "root certificate file"),
        ("tls", "sslmode=maybe", "sslmode"),
    ],
)
async def test_a_postgresql_that_does_not_fit_is_away_and_never_the_fault_of_what_is_stored(
    postgres_wire: Wire, relay: str, options: str, said: str, nobodys_home: None
) -> None:
    authorities = {"mine": postgres_wire.mine.authority, "strangers": postgres_wire.strangers.authority}
    postgres = Postgres(f"{postgres_wire.at[relay]}?{options.format(**authorities)}", size=1)
    asks: list[Callable[[], Awaitable[object]]] = [postgres.ping, lambda: taken(postgres)]
    for ask in asks:
        with pytest.raises(AwayError, match=said):
            await ask()
    await postgres.close()


async def taken(postgres: Postgres) -> None:
    async with postgres.connection():
        pass


def spec() -> ChamberSpec:
    return ChamberSpec(
        id="c", organization="o", section="s", url="http://h", profile="p", interval_ms=60_000, timeout_ms=10_000
    )


def reading(now_ms: int) -> Reading:
    return Reading(now_ms, now_ms, now_ms, (Measurement("temperature", 21.5, "Cel"),), 1)


async def remembers(url: str, clock: WallClock, attempts: int = 5) -> bool:
    """Whether a reading that is put there comes back, with a worker's patience; a busy machine has some attempts."""
    server = CacheServer.at(url, clock)
    cache = RedisLatest(server, clock)
    try:
        for _ in range(attempts):
            await cache.put("o", spec(), reading(clock.now_ms()))
            if await cache.get("o", "c") is not None:
                return True
            clock.monotonic_ahead_ms += REST_MS
            await asyncio.sleep(0.1)
        return False
    finally:
        await cache.close()
        await server.close()


async def test_valkey_by_tls_keeps_the_latest_readings(valkey_wire: Wire, wall_clock: WallClock) -> None:
    mine = valkey_wire.mine
    authority = f"ssl_ca_certs={mine.authority}"
    papers = f"{authority}&ssl_certfile={mine.certificate}&ssl_keyfile={mine.key}"
    assert await remembers(f"{valkey_wire.at['tls']}?{authority}", wall_clock)
    assert await remembers(f"{valkey_wire.at['client']}?{papers}", wall_clock)


@pytest.mark.parametrize(
    ("relay", "options"),
    [
        ("tls", ""),
        ("tls", "ssl_ca_certs={strangers}"),
        ("named", "ssl_ca_certs={mine}"),
        ("client", "ssl_ca_certs={mine}"),
    ],
)
async def test_a_valkey_that_does_not_fit_only_caches_nothing(
    valkey_wire: Wire, wall_clock: WallClock, relay: str, options: str
) -> None:
    authorities = {"mine": valkey_wire.mine.authority, "strangers": valkey_wire.strangers.authority}
    assert not await remembers(f"{valkey_wire.at[relay]}?{options.format(**authorities)}", wall_clock, 2)
