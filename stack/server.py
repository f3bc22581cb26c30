"""A server of the local stack, and how one is started: lock, orphan, spawn, ready."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from stack.errors import StartFailedError
from stack.lock import DirectoryLock
from stack.ports import is_free
from stack.process import Child, describe_exit

HOST = "127.0.0.1"
POLL_S = 0.02


@dataclass(slots=True)
class Server:
    """A running server, bound to loopback only.

    Attributes:
        name: what it is: `postgres`, `valkey`, `temporal`.
        address: what a client needs: DSN, URL or host:port.
        port: of that address.
        child: its process.
        ui_address: URL of its Web UI, if it has one.
    """

    name: str
    address: str = field(repr=False)
    port: int
    child: Child
    _lock: DirectoryLock | None = field(default=None, repr=False)
    ui_address: str | None = None

    @property
    def pid(self) -> int:
        """Of the server itself, not of its watchdog."""
        return self.child.pid

    def alive(self) -> bool:
        """Whether it runs."""
        return self.child.alive()

    def stop(self) -> int:
        """End it cleanly, kill it after its grace, free its directory. Again: the same answer.

        Returns:
            Its exit code, 128 + n after signal n.
        """
        code = self.child.stop()
        if self._lock is not None:
            self._lock.release()
        return code

    def log_tail(self) -> str:
        """The end of its log."""
        return self.child.log_tail()


def require_free(port: int, what: str) -> None:
    """Refuse a taken port before the start: whoever listens there would answer for the server that cannot.

    Raises:
        StartFailedError: the port is taken.
    """
    if not is_free(port):
        raise StartFailedError(f"{what}: port {port} is taken by another program on 127.0.0.1; end that, or start anew")


def await_ready(child: Child, ready: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Wait until a program says it is ready; a program that does not is stopped.

    Args:
        child: the program.
        ready: asked 50 times a second.
        timeout_s: how long it may take.
        what: its name, for the error.

    Raises:
        StartFailedError: it ended, or the time is over; with the end of its log.
    """
    deadline = time.monotonic() + timeout_s
    while not ready():
        if not child.alive():
            problem = describe_exit(child.stop())
        elif time.monotonic() > deadline:
            child.stop()
            problem = f"was not ready within {timeout_s:g} s"
        else:
            time.sleep(POLL_S)
            continue
        raise StartFailedError(f"{what} {problem}; the end of {child.command.log}:\n{child.log_tail()}")


def remember_pid(data: Path, child: Child) -> None:
    """Write the server's id beside its data, for `end_orphan`."""
    pid_file(data).write_text(f"{child.pid}\n")


def log_of(data: Path) -> Path:
    """The log of a server whose starter names none."""
    return data.with_name(data.name + ".log")


def pid_file(data: Path) -> Path:
    """Where `remember_pid` writes."""
    return data.with_name(data.name + ".pid")
