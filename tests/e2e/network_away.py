"""A network of its own for one program, and the wires between it and this machine, which a test may cut."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.e2e.lonely_machine import pump

HOST = "127.0.0.1"
NODE = Path(__file__).with_name("lonely_machine.py")
Carry = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
WAYS = (("unshare", "--net"), ("unshare", "--user", "--map-root-user", "--net"))
"""As root, and as anybody where the kernel lets users have namespaces."""


def into_a_network_of_its_own() -> tuple[tuple[str, ...] | None, str]:
    """The words before a command that give it one; None and the reason where this machine does not."""
    why = []
    for way in WAYS:
        try:
            done = subprocess.run([*way, "true"], capture_output=True, text=True, check=False, timeout=10)
        except OSError as error:
            why.append(f"{way[0]}: {error.strerror}")
            continue
        if done.returncode == 0:
            return way, ""
        why.append(f"{' '.join(way)}: {done.stderr.strip()}")
    return None, "; ".join(dict.fromkeys(why))


class Wires:
    """Ports of this machine's loopback, each behind a Unix socket of its number: sockets by path cross namespaces."""

    def __init__(self, folder: Path, ports: Iterable[int]) -> None:
        self.folder, self.ports = folder, sorted(set(ports))
        self._servers: list[asyncio.AbstractServer] = []
        self._carrying: set[asyncio.Task[Any]] = set()

    async def mend(self) -> None:
        """Serve them."""
        for port in self.ports:
            carry = self._carry_to(port)
            self._servers.append(await asyncio.start_unix_server(carry, self.folder / str(port)))

    async def cut(self) -> None:
        """Tear every connection, and take no more."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        for port in self.ports:
            (self.folder / str(port)).unlink(missing_ok=True)
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def _carry_to(self, port: int) -> Carry:
        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._carrying.add(task)
            ends = [writer]
            try:
                there = await asyncio.open_connection(HOST, port)
                ends.append(there[1])
                await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))
            except (OSError, asyncio.CancelledError):
                pass  # nobody listens there, or the wire is cut: the other end sees that it broke
            finally:
                self._carrying.discard(task)
                for end in ends:
                    end.transport.abort()

        return carry


@asynccontextmanager
async def wired(folder: Path, ports: Iterable[int]) -> AsyncIterator[Wires]:
    """Wires that are mended; cut afterwards."""
    wires = Wires(folder, ports)
    await wires.mend()
    try:
        yield wires
    finally:
        await wires.cut()
