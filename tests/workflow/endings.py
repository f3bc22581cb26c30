"""The end of a test that has to come: a server that answers no more is killed, and the test says so.

The time-skipping server knows no answer to a cancel that meets an activity which has just finished; whoever waits for
it then waits for ever, and the time limit of a test is over once it has struck.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 10.0
"""Each step of an end takes milliseconds."""


@dataclass
class ServerProcess:
    """A server that this process has started.

    Attributes:
        pid: of it; None where the system does not tell (it has no /proc).
        limit_s: how long each step of an end may take.
        killed: because something that needed it did not end.
    """

    pid: int | None
    limit_s: float = LIMIT_S
    killed: bool = False

    def kill(self) -> None:
        """End it, and with it whatever waits for it. Again, or when it has ended: nothing."""
        if self.pid is not None and self.pid in children():
            os.kill(self.pid, signal.SIGKILL)
            self.killed = True


def children() -> set[int]:
    """Processes that this one has started and that run; none where the system does not tell."""
    found = set[int]()
    for path in Path("/proc/self/task").glob("*/children"):
        try:
            found.update(int(pid) for pid in path.read_text().split())
        except OSError:
            continue  # a thread that has just ended
    return {pid for pid in found if _runs(pid)}


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1] not in ("Z", "X")
    except OSError:
        return False


async def in_time(what: str, ending: Awaitable[None], server: ServerProcess) -> None:
    """Wait for an end; kill the server when it does not come.

    Raises:
        AssertionError: it did not come in time.
    """
    waiting = asyncio.ensure_future(ending)
    done, _ = await asyncio.wait(
        [waiting], timeout=server.limit_s
    )  # unlike `timeout`, this never waits for a cancel to work
    if done:
        waiting.result()
        return
    server.kill()
    await asyncio.wait([waiting], timeout=server.limit_s)
    waiting.cancel()
    raise AssertionError(f"{what} did not end within {server.limit_s:g} s; the time-skipping server was killed")
