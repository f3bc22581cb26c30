"""One program under its watchdog."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from stack.errors import StartFailedError

WATCHDOG = Path(__file__).with_name("watchdog.py")
LOG_LIMIT_BYTES = 10_000_000
"""A log that has grown over this is set aside: one old file is kept, so that a program's logs have twice this at most,
and what it writes in a second."""
TAIL_BYTES = 2_000
KILLED = 128


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    Attributes:
        arguments: program and arguments.
        log: file to which standard output and error are appended.
        environment: the whole environment, secrets included; None = this process's.
        stop_signal: asks the program to end.
        grace_s: how long it may take before it is killed.
        linger_s: how long it goes on when this process is killed: a server that others need while they end.
        log_limit_bytes: see `LOG_LIMIT_BYTES`.
    """

    arguments: Sequence[str | Path]
    log: Path
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    linger_s: float = 0.0
    log_limit_bytes: int = LOG_LIMIT_BYTES


@dataclass(slots=True)
class Child:
    """A running program. It ends when this process ends, however that happens.

    Attributes:
        pid: of the program itself, not of its watchdog.
        command: what was started.
    """

    pid: int
    command: Command
    _watchdog: "subprocess.Popen[bytes]" = field(repr=False)

    def alive(self) -> bool:
        """Whether the program runs."""
        return self._watchdog.poll() is None or runs(self.pid)

    def stop(self) -> int:
        """Ask the program to end, kill it after its grace, wait for it. Again: the same answer.

        Returns:
            Its exit code, 128 + n after signal n.
        """
        _tell(self._watchdog)
        code = self._watchdog.wait()
        self._end_orphan()
        return code if code >= 0 else KILLED - code

    def log_tail(self) -> str:
        """The end of its log."""
        return tail(self.command.log)

    def _end_orphan(self) -> None:
        """The watchdog was killed from outside: its program has the kernel's signal, and may need the stronger one."""
        deadline = time.monotonic() + self.command.grace_s
        while runs(self.pid):
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.02)


def spawn(command: Command) -> Child:
    """Start a program under a watchdog.

    Args:
        command: what to run; its log's directory is made.

    Returns:
        The running program; it may not be ready yet.

    Raises:
        StartFailedError: it could not be executed; with the end of its log.
    """
    read_fd, write_fd = os.pipe()
    try:
        with open_log(command.log) as log:
            watchdog = _start_watchdog(command, write_fd, log)
    finally:
        os.close(write_fd)
    with os.fdopen(read_fd) as report:
        pid = report.readline().strip()
    if not pid:
        _tell(watchdog)
        watchdog.wait()
        raise StartFailedError(f"{command.arguments[0]} could not be executed\n{tail(command.log)}")
    return Child(int(pid), command, watchdog)


def describe_exit(code: int | None) -> str:
    """An exit code in words."""
    if code is None:
        return "runs"
    return f"killed by signal {code - KILLED}" if code > KILLED else f"ended with code {code}"


def runs(pid: int) -> bool:
    """Whether a process has this id and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def tail(log: Path) -> str:
    """The last lines of a log, empty when there is none."""
    try:
        return log.read_bytes()[-TAIL_BYTES:].decode(errors="replace").strip()
    except FileNotFoundError:
        return ""


def open_log(log: Path) -> IO[bytes]:
    """Open a log for appending, readable to its owner only; an overgrown one is set aside first."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_name(log.name + ".1"))
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _start_watchdog(command: Command, report_fd: int, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    interpreter = [sys.executable, "-I", "-S", str(WATCHDOG)]
    settings = [str(report_fd), str(int(command.stop_signal)), str(command.grace_s), str(command.linger_s)]
    log_settings = [str(command.log.absolute()), str(command.log_limit_bytes)]
    return subprocess.Popen(
        [*interpreter, *settings, *log_settings, *(str(part) for part in command.arguments)],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        env=None if command.environment is None else dict(command.environment),
        pass_fds=(report_fd,),
        start_new_session=True,
    )


def _tell(watchdog: "subprocess.Popen[bytes]") -> None:
    """Tell the watchdog to stop its program; it may have ended."""
    if watchdog.stdin is not None and not watchdog.stdin.closed:
        with contextlib.suppress(BrokenPipeError), watchdog.stdin as stdin:
            stdin.write(b"s")
