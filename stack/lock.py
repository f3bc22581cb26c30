"""Who holds a directory: a lock that ends with its process, and servers that outlived theirs."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import AlreadyRunningError, DataError
from stack.process import runs

ORPHAN_GRACE_S = 20.0


class DirectoryLock:
    """An exclusive lock on `path` (flock): the kernel frees it when the process ends, however that happens.

    Args:
        path: the lock file; it holds the id of the process that has the lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def acquire(self, wait_s: float = 0.3) -> "DirectoryLock":
        """Take the lock.

        Args:
            wait_s: patience with a process that only looks (`held`).

        Raises:
            AlreadyRunningError: another process has it; `holder` says which.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + wait_s
        while not _try_lock(fd):
            if time.monotonic() > deadline:
                os.close(fd)
                raise AlreadyRunningError(f"{self._path.parent} is in use by process {self.holder() or 'unknown'}")
            time.sleep(0.02)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd
        return self

    def release(self) -> None:
        """Give it back. Again: nothing happens."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def held(self) -> bool:
        """Whether any process, this one included, has the lock now."""
        try:
            fd = os.open(self._path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _try_lock(fd)
        finally:
            os.close(fd)

    def holder(self) -> int | None:
        """The id written by the process that took the lock last."""
        try:
            return int(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return None


@contextmanager
def claimed(data: Path) -> Iterator[DirectoryLock]:
    """The lock of a data directory, `<data>.lock`; kept when the block ends well, given back when it does not.

    Raises:
        AlreadyRunningError: another process has it.
    """
    lock = DirectoryLock(data.with_name(data.name + ".lock")).acquire()
    try:
        yield lock
    except BaseException:
        lock.release()
        raise


def command_line(pid: int) -> str:
    """The arguments of a process, empty when there is none."""
    proc = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():  # slim images have no ps
        try:
            return proc.read_text(errors="replace").replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout


def end_orphan(pid_file: Path, words: tuple[str, ...], stop_signal: signal.Signals) -> bool:
    """Stop the server of an earlier start that outlived its watchdog, and remove its pid file.

    A killed server leaves its pid file behind, and the id may belong to any other process by now: only a process
    whose command line has all of `words` is touched.

    Args:
        pid_file: first line is the id; nothing happens when it is absent.
        words: what its command line must contain.
        stop_signal: asks it to end; SIGKILL follows after `ORPHAN_GRACE_S`.

    Returns:
        Whether one was found and stopped.

    Raises:
        DataError: it does not end even so.
    """
    try:
        pid = int(pid_file.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        pid = 0
    found = pid > 0 and all(word in command_line(pid) for word in words)
    if found:
        _end(pid, stop_signal)
    pid_file.unlink(missing_ok=True)
    return found


def _end(pid: int, stop_signal: signal.Signals) -> None:
    start = time.monotonic()
    number = stop_signal
    os.kill(pid, number)
    while runs(pid):
        waited = time.monotonic() - start
        if waited > ORPHAN_GRACE_S and number is not signal.SIGKILL:
            number = signal.SIGKILL
            os.kill(pid, number)
        if waited > 2 * ORPHAN_GRACE_S:
            raise DataError(f"process {pid} of an earlier start does not end; end it by hand: kill -9 {pid}")
        time.sleep(0.02)


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
