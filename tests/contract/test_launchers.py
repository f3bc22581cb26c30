"""The launchers over the real servers: start, stop, crash, orphans, stale files, loopback only."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from temporalio.client import Client

from simulator.listener import FREE_FIRST, FREE_LAST
from stack.errors import AlreadyRunningError, DataError, StartFailedError
from stack.ports import FREE_RANGE, PortBook, free_port, is_free
from stack.postgres import start_postgres
from stack.process import runs
from stack.server import Server
from stack.temporal import TemporalPorts, start_temporal
from stack.unprivileged import FORBID
from stack.valkey import start_valkey

PASSWORD = "a b/c'%\"\\"  # has to survive files, URLs and shells
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@dataclass(frozen=True)
class Kind:
    """A server under test: how it is started, and something that it keeps."""

    name: str
    start: Callable[[Path, int], Server]

    def __str__(self) -> str:
        return self.name

    def write(self, server: Server) -> None:
        asyncio.run(self._write(server))

    def read(self, server: Server) -> bool:
        return asyncio.run(self._read(server))

    async def _write(self, server: Server) -> None:
        if self.name == "postgres":
            connection = await asyncpg.connect(server.address)
            await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('kept')")
            await connection.close()
        elif self.name == "valkey":
            async with Redis.from_url(server.address) as redis:
                await redis.set("word", "kept")
        else:
            client = await Client.connect(server.address)
            await client.start_workflow("Any", id="kept", task_queue="nobody")

    async def _read(self, server: Server) -> bool:
        if self.name == "postgres":
            connection = await asyncpg.connect(server.address)
            word = await connection.fetchval("SELECT word FROM kept")
            await connection.close()
            return bool(word == "kept")
        if self.name == "valkey":
            async with Redis.from_url(server.address) as redis:
                return bool(await redis.get("word") == b"kept")
        client = await Client.connect(server.address)
        description = await client.get_workflow_handle("kept").describe()
        return description.id == "kept"


KINDS = [
    Kind("postgres", lambda data, port: start_postgres(data, port, PASSWORD)),
    Kind("valkey", lambda data, port: start_valkey(data, port, PASSWORD)),
    Kind("temporal", lambda data, port: start_temporal(data, TemporalPorts(port))),
]
PARENT = """
import sys, time
from pathlib import Path
from stack.postgres import start_postgres
from stack.temporal import start_temporal
from stack.valkey import start_valkey
start = {
    "postgres": lambda data: start_postgres(data, 0, "x"),
    "valkey": lambda data: start_valkey(data, 0, "x"),
    "temporal": start_temporal,
}[sys.argv[1]]
server = start(Path(sys.argv[2]))
print(server.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    assert isinstance(request.param, Kind)
    return request.param


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "data"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that every user may enter, unlike tmp_path."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_it_starts_keeps_its_data_and_stops(kind: Kind, data: Path) -> None:
    server = kind.start(data, 0)
    port = server.port
    kind.write(server)
    assert server.alive()
    assert server.stop() == 0
    assert server.stop() == 0
    assert not server.alive()
    assert is_free(port)

    again = kind.start(data, port)
    try:
        assert again.address == server.address
        assert kind.read(again)
    finally:
        again.stop()


def test_a_killed_server_is_seen_and_comes_back_with_what_it_confirmed(kind: Kind, data: Path) -> None:
    server = kind.start(data, 0)
    kind.write(server)
    if kind.name == "valkey":
        time.sleep(1.2)  # its file is written each second
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: not server.alive())
    assert server.stop() == 128 + signal.SIGKILL

    again = kind.start(data, server.port)
    try:
        assert kind.read(again)
    finally:
        again.stop()


def test_it_ends_when_its_starter_is_killed(kind: Kind, data: Path) -> None:
    arguments = [sys.executable, "-c", PARENT, kind.name, str(data)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert runs(pid)
        parent.send_signal(signal.SIGKILL)
    eventually(lambda: not runs(pid))


@LINUX
def test_an_orphan_of_a_killed_watchdog_does_not_hinder_the_next_start(kind: Kind, data: Path) -> None:
    server = kind.start(data, 0)
    kind.write(server)
    watchdog = int(Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(server.pid, signal.SIGSTOP)  # it cannot follow the kernel's signal: a true orphan
    os.kill(watchdog, signal.SIGKILL)
    assert server._lock is not None
    server._lock.release()  # as it is when the starter is killed too
    os.kill(server.pid, signal.SIGCONT)

    again = kind.start(data, server.port)
    try:
        assert not runs(server.pid)
        assert kind.read(again)
    finally:
        again.stop()
        server.stop()


def test_a_stale_pid_file_that_names_another_process_harms_nobody(kind: Kind, data: Path) -> None:
    server = kind.start(data, 0)
    kind.write(server)
    file = data / "postmaster.pid" if kind.name == "postgres" else data.with_name("data.pid")
    stale = file.read_text()
    server.stop()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as bystander:
        file.write_text(stale.replace(str(server.pid), str(bystander.pid), 1))
        again = kind.start(data, server.port)
        try:
            assert kind.read(again)
            assert bystander.poll() is None, "it ended a process that is not its server"
        finally:
            again.stop()
            bystander.kill()


@LINUX
def test_it_listens_on_loopback_only(kind: Kind, data: Path) -> None:
    server = kind.start(data, 0)
    try:
        addresses = listening(server.pid)
    finally:
        server.stop()
    assert server.port in {port for _, port in addresses}
    assert {address for address, _ in addresses} == {"127.0.0.1"}


def test_two_starts_on_one_directory_are_refused(kind: Kind, data: Path) -> None:
    server = kind.start(data, 0)
    try:
        with pytest.raises(AlreadyRunningError, match=f"in use by process {os.getpid()}"):
            kind.start(data, 0)
        assert server.alive()
    finally:
        server.stop()


def test_a_taken_port_is_an_error_though_somebody_answers_there(kind: Kind, data: Path, tmp_path: Path) -> None:
    server = start_valkey(tmp_path / "first", 0, PASSWORD)
    try:
        with pytest.raises(StartFailedError, match=f"port {server.port} is taken"):
            kind.start(data, server.port)
    finally:
        server.stop()


@LINUX
def test_no_password_stands_on_a_command_line_or_in_a_file_that_others_may_read(kind: Kind, data: Path) -> None:
    server = kind.start(data, 0)
    try:
        assert PASSWORD not in Path(f"/proc/{server.pid}/cmdline").read_text()
        loose = [path for path in data.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
        assert [path for path in loose if PASSWORD.encode() in path.read_bytes()] == []
        assert data.stat().st_mode & 0o077 == 0
    finally:
        server.stop()


def test_a_wrong_password_is_refused(data: Path) -> None:
    server = start_postgres(data, 0, PASSWORD)
    try:
        with pytest.raises(asyncpg.InvalidPasswordError):
            asyncio.run(ask(server.address.replace("%20", "x"), "SELECT 1"))
    finally:
        server.stop()


def test_settings_of_the_caller_win(data: Path) -> None:
    server = start_postgres(data, 0, PASSWORD, max_connections="17", fsync="off")
    try:
        assert asyncio.run(ask(server.address, "SHOW max_connections")) == "17"
        assert asyncio.run(ask(server.address, "SHOW timezone")) == "UTC"
    finally:
        server.stop()


def test_a_cluster_of_another_version_is_not_touched(data: Path) -> None:
    start_postgres(data, 0, PASSWORD).stop()
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(DataError, match=r"made by PostgreSQL 15, this is 18; dump it"):
        start_postgres(data, 0, PASSWORD)


def test_an_interrupted_first_start_leaves_nothing_half_made(data: Path) -> None:
    making = data.with_name("data.making")
    making.mkdir(parents=True)
    (making / "PG_VERSION").write_text("18\n")
    server = start_postgres(data, 0, PASSWORD)
    server.stop()
    assert not making.exists()


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root must step down")
def test_root_without_user_namespaces_becomes_nobody_and_root_again(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres = KINDS[0]
    data = open_folder / "data"
    monkeypatch.setenv(FORBID, "1")
    server = postgres.start(data, 0)
    try:
        postgres.write(server)
        assert Path(f"/proc/{server.pid}").stat().st_uid == 65_534
    finally:
        server.stop()
    monkeypatch.delenv(FORBID)
    again = postgres.start(data, 0)
    try:
        assert postgres.read(again)
        assert data.stat().st_uid == 0
    finally:
        again.stop()


def test_ports_stay_over_restarts_and_are_never_given_twice(tmp_path: Path) -> None:
    standard = free_port()
    first = PortBook(tmp_path / "a.json", tmp_path / "reserved")
    port = first.take("api", standard)
    second = PortBook(tmp_path / "b.json", tmp_path / "reserved")
    assert port == first.take("api", standard) == standard
    assert second.take("api", standard) != standard, "nobody listens yet, but it is reserved"
    first.close()
    second.close()

    again = PortBook(tmp_path / "a.json", tmp_path / "reserved")
    assert again.take("api", free_port()) == standard
    again.close()


def test_a_remembered_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    book = PortBook(tmp_path / "a.json", tmp_path / "reserved")
    port = book.take("valkey")
    book.close()
    server = start_valkey(tmp_path / "x", port, PASSWORD)
    try:
        again = PortBook(tmp_path / "a.json", tmp_path / "reserved")
        assert again.take("valkey", port) != port
        again.close()
    finally:
        server.stop()


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def eventually(what: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def listening(pid: int) -> list[tuple[str, int]]:
    """Address and port of every listening TCP socket of a process."""
    links = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a file that was closed meanwhile
            links.append(str(link.readlink()))
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and columns[9] in inodes:
                address, _, port = columns[1].partition(":")
                found.append((_dotted(address), int(port, 16)))
    return found


def _dotted(address: str) -> str:
    if len(address) > 8:
        return f"[{address}]"
    return ".".join(str(byte) for byte in reversed(bytes.fromhex(address)))


def test_ports_that_are_asked_for_together_are_different_ones() -> None:
    assert len({free_port() for _ in range(800)}) == 800


def test_ports_do_not_follow_a_seed() -> None:
    """Two processes whose chance was seeded alike, as those of the tests are, would take the same ones."""
    random.seed(7)
    seeded = [random.randrange(*FREE_RANGE) for _ in range(5)]
    random.seed(7)
    assert [free_port() for _ in range(5)] != seeded


def test_a_port_that_one_process_was_given_is_given_to_no_other(tmp_path: Path) -> None:
    """Whoever was given it listens seconds later only."""
    given = free_port()
    script = "import sys; from pathlib import Path; from stack.ports import PortBook\n"
    script += "print(PortBook(Path(sys.argv[1])).take('api', int(sys.argv[2])))"
    command = [sys.executable, "-c", script, str(tmp_path / "ports.json"), str(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert FREE_RANGE[0] <= int(done.stdout) < FREE_RANGE[1]
    assert int(done.stdout) != given


def test_servers_and_simulated_devices_take_ports_from_different_ranges() -> None:
    """The devices of a stack listen between the moment its gateway is given a port and the moment that it uses it."""
    assert FREE_RANGE[1] <= FREE_FIRST < FREE_LAST
