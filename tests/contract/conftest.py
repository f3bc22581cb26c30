"""The ledger twice: in memory, and in a real PostgreSQL from its wheel (one server a session, one database a test).

And a Temporal or a Valkey server for each module that asks for one.
"""

import itertools
import secrets
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from adapters.memory import InMemoryLedger
from adapters.postgres.migrate import migrate
from stack.postgres import dsn, start_postgres
from stack.server import Server
from stack.temporal import start_temporal
from tests.contract.ledger_rooms import Rooms, memory_rooms, opened_rooms
from tests.contract.people_rooms import PeopleRooms, memory_people, opened_people
from tests.contract.scripted_api import api, run
from tests.contract.valkey_server import ValkeyServer, WallClock

__all__ = ["api", "run"]

TEMPLATE = "migrated"
_NUMBERS = itertools.count(1)


class TestServer:
    """A running server; each call of `database` answers with the address of a new one, migrated or empty."""

    __test__ = False

    def __init__(self, port: int, password: str) -> None:
        self._port, self._password = port, password
        self._migrated = False

    def address(self, database: str) -> str:
        """The DSN of a database of that name."""
        return dsn(self._port, self._password, database)

    async def database(self, template: str = TEMPLATE) -> str:
        """Make one; `template0` is an empty one."""
        if template == TEMPLATE and not self._migrated:
            await self._create(TEMPLATE, "template0")
            await migrate(self.address(TEMPLATE))
            self._migrated = True
        name = f"test_{next(_NUMBERS)}"
        await self._create(name, template)
        return self.address(name)

    async def _create(self, name: str, template: str) -> None:
        connection = await asyncpg.connect(self.address("postgres"))
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServer]:
    """One server a session (and worker), with a migrated database to copy."""
    password = secrets.token_urlsafe(12)
    data = tmp_path_factory.mktemp("postgres") / "data"
    server = start_postgres(data, 0, password, fsync="off", full_page_writes="off")  # tests throw their data away
    try:
        yield TestServer(server.port, password)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One Temporal server for the module."""
    running = start_temporal(tmp_path_factory.mktemp("temporal") / "data")
    try:
        yield running
    finally:
        running.stop()


@pytest_asyncio.fixture
async def database(postgres_server: TestServer) -> str:
    """The DSN of a migrated database of this test's own."""
    return await postgres_server.database()


@pytest_asyncio.fixture
async def postgres_rooms(database: str) -> AsyncIterator[Rooms]:
    """The ports over PostgreSQL."""
    async with opened_rooms(database) as rooms:
        yield rooms


@pytest_asyncio.fixture(params=["memory", "postgres"])
async def rooms(request: pytest.FixtureRequest) -> AsyncIterator[Rooms]:
    """The ports over the memory twin, then over PostgreSQL."""
    if request.param == "memory":
        yield memory_rooms(InMemoryLedger())
        return
    server: TestServer = request.getfixturevalue("postgres_server")
    async with opened_rooms(await server.database()) as rooms:
        yield rooms


@pytest_asyncio.fixture
async def postgres_people(database: str) -> AsyncIterator[PeopleRooms]:
    """The ports of people over PostgreSQL."""
    async with opened_people(database) as people:
        yield people


@pytest_asyncio.fixture(params=["memory", "postgres"])
async def people(request: pytest.FixtureRequest) -> AsyncIterator[PeopleRooms]:
    """The ports of people over the memory twin, then over PostgreSQL."""
    if request.param == "memory":
        yield memory_people(InMemoryLedger())
        return
    server: TestServer = request.getfixturevalue("postgres_server")
    async with opened_people(await server.database()) as people:
        yield people


@pytest.fixture(scope="module")
def shared_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """One Valkey for the module; tests take `valkey`."""
    running = ValkeyServer(tmp_path_factory.mktemp("valkey") / "data")
    yield running
    running.stop()


@pytest.fixture
def valkey(shared_valkey: ValkeyServer) -> Iterator[ValkeyServer]:
    """A Valkey that runs again after a test that killed or froze it."""
    yield shared_valkey
    shared_valkey.thaw()
    shared_valkey.start()


@pytest_asyncio.fixture
async def valkey_client(valkey: ValkeyServer) -> AsyncIterator[Redis]:
    """Looks at the server beside what is tested; it begins empty."""
    async with Redis.from_url(valkey.url) as client:
        await client.flushall()
        yield client


@pytest.fixture
def wall_clock() -> WallClock:
    """Of this test's own."""
    return WallClock()
