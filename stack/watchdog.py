"""The parent of one program: ends it when its own standard input closes, that is when whoever started it is gone.

Run as a script: `watchdog.py REPORT_FD STOP_SIGNAL GRACE_S LINGER_S LOG LOG_LIMIT PROGRAM [ARGUMENT ...]`.
Standard library only, and no import from this project: it is started with an empty search path, so that it costs 20 ms
and few megabytes.

It writes the program's process id to REPORT_FD. When standard input says something, or on SIGINT, SIGTERM or SIGHUP,
it sends STOP_SIGNAL and, GRACE_S seconds later, SIGKILL to the program's process group. When standard input closes
without a word its starter was killed: it does the same LINGER_S seconds later. If the watchdog itself is
killed the kernel sends STOP_SIGNAL (Linux). It ends with the program's code, 128 + n after signal n.

Its standard output is LOG, opened for appending, which the program shares. Once LOG has more than LOG_LIMIT bytes it is
copied to `LOG.1`, over the one before, and emptied: the program goes on writing to the same file, and needs to know
nothing of it.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

LOOK_S = 1.0
"""Between two looks at the size of the log."""
LOG_FD, COPIED_BYTES = 1, 1 << 20
PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal that a process gets when its parent dies."""


def die_with_parent(stop_signal: int) -> Callable[[], None]:
    """What the program's process runs before it becomes the program."""
    watchdog = os.getpid()

    def prepare() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != watchdog:  # it died between fork and prctl
            os._exit(1)

    return prepare


class Guard:
    """Ends one program, gently first.

    Args:
        program: what runs.
        stop_signal: asks it to end.
        grace_s: how long it may take to end.
        linger_s: how long it goes on without its starter.
    """

    def __init__(self, program: "subprocess.Popen[bytes]", stop_signal: int, grace_s: float, linger_s: float) -> None:
        self._program = program
        self._stop_signal = stop_signal
        self._grace_s = grace_s
        self._linger_s = linger_s

    def stop(self) -> None:
        """Ask the program to end; after the grace kill it with all it started. Again: it is asked again."""
        self._program.send_signal(self._stop_signal)
        timer = threading.Timer(self._grace_s, self._kill)
        timer.daemon = True
        timer.start()

    def stop_when_told(self) -> None:
        """Wait for a word on standard input, or its end, then stop the program."""
        if not os.read(0, 1):
            time.sleep(self._linger_s)
        self.stop()

    def _kill(self) -> None:
        if self._program.poll() is None:
            os.killpg(self._program.pid, signal.SIGKILL)


def keep_small(log: str, limit_bytes: int) -> None:
    """Look after the log for ever."""
    while True:
        time.sleep(LOOK_S)
        try:
            if os.fstat(LOG_FD).st_size > limit_bytes:
                set_aside(log)
        except OSError as error:  # a full disk, a folder that was removed: the program matters more than its log
            with contextlib.suppress(OSError):  # where the disk is full there is no room for this either
                os.write(LOG_FD, f"the log cannot be set aside: {error.strerror}\n".encode())
            time.sleep(60 * LOOK_S)


def set_aside(log: str) -> None:
    """Copy what is there to `LOG.1` and empty the file; what is written between the two, in microseconds, is lost."""
    copy = Path(f"{log}.1.new")
    copy.touch(0o600)
    with Path(log).open("rb") as source, copy.open("wb") as kept:
        shutil.copyfileobj(source, kept, COPIED_BYTES)
        kept.flush()
        shutil.copyfileobj(source, kept)  # what came while it was copied
        os.ftruncate(LOG_FD, 0)
    copy.replace(f"{log}.1")


def main(arguments: list[str]) -> int:
    """Run the program until it ends.

    Args:
        arguments: see the module.

    Returns:
        The program's exit code, 128 + n after signal n.
    """
    report_fd, stop_signal = int(arguments[0]), int(arguments[1])
    grace_s, linger_s = float(arguments[2]), float(arguments[3])
    log, limit_bytes, command = arguments[4], int(arguments[5]), arguments[6:]
    program = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent(stop_signal),  # noqa: PLW1509 (no thread runs yet)
    )
    guard = Guard(program, stop_signal, grace_s, linger_s)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: guard.stop())
    os.write(report_fd, f"{program.pid}\n".encode())
    os.close(report_fd)
    threading.Thread(target=guard.stop_when_told, daemon=True).start()
    threading.Thread(target=keep_small, args=(log, limit_bytes), daemon=True).start()
    code = program.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
