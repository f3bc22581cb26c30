"""Programs under their watchdog: they end gently, and never outlive who started them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.process import LOG_LIMIT_BYTES, Command, describe_exit, open_log, runs, spawn

GENTLE = """
import signal, sys, time
def leave(*_):
    print("leaving", flush=True)
    sys.exit(7)
signal.signal(signal.SIGTERM, leave)
print("there", flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("there", child.pid, flush=True)
time.sleep(60)
"""
PARENT = """
import sys, time
from pathlib import Path
from stack.process import Command, spawn
child = spawn(Command([sys.executable, "-c", sys.argv[1]], Path(sys.argv[2]), linger_s=float(sys.argv[3])))
print(child.pid, flush=True)
time.sleep(60)
"""


def eventually(what: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def says_there(log: Path) -> bool:
    return log.exists() and "there" in log.read_text()


def test_a_stop_is_gentle_and_answers_the_programs_code(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "x.log"
    child = spawn(Command([sys.executable, "-c", GENTLE], log))
    eventually(lambda: says_there(log))
    assert child.alive()

    assert child.stop() == 7
    assert child.stop() == 7
    assert not child.alive()
    assert log.read_text().splitlines() == ["there", "leaving"]
    assert log.stat().st_mode & 0o077 == 0


def test_a_stubborn_program_is_killed_with_all_it_started(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    child = spawn(Command([sys.executable, "-c", STUBBORN], log, grace_s=0.3))
    eventually(lambda: says_there(log))
    grandchild = int(log.read_text().split()[1])

    assert describe_exit(child.stop()) == "killed by signal 9"
    eventually(lambda: not runs(grandchild))


@pytest.mark.parametrize("linger_s", [0.0, 0.7])
def test_the_program_ends_when_its_starter_is_killed(tmp_path: Path, linger_s: float) -> None:
    log = tmp_path / "x.log"
    command = [sys.executable, "-c", PARENT, GENTLE, str(log), str(linger_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        eventually(lambda: says_there(log))
        parent.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    eventually(lambda: not runs(pid))
    assert time.monotonic() - killed >= linger_s - 0.1
    assert log.read_text().splitlines() == ["there", "leaving"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals the children of a dead process")
def test_the_program_ends_when_its_watchdog_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    child = spawn(Command([sys.executable, "-c", GENTLE], log))
    eventually(lambda: says_there(log))
    watchdog = int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[1])

    os.kill(watchdog, signal.SIGKILL)

    eventually(lambda: not child.alive())
    child.stop()
    assert log.read_text().splitlines() == ["there", "leaving"]


def test_ctrl_c_in_the_terminal_does_not_reach_the_program(tmp_path: Path) -> None:
    child = spawn(Command([sys.executable, "-c", GENTLE], tmp_path / "x.log"))
    assert os.getpgid(child.pid) == child.pid
    assert os.getsid(child.pid) != os.getsid(0)
    child.stop()


def test_an_overgrown_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with open_log(log) as file:
        file.truncate(LOG_LIMIT_BYTES + 1)
    with open_log(log) as file:
        file.write(b"new")
    assert log.read_text() == "new"
    assert (tmp_path / "x.log.1").stat().st_size == LOG_LIMIT_BYTES + 1


TALKING = """
import sys, time
for number in range(400):
    print(f"{number:08d}", "x" * 90, flush=True)
    time.sleep(0.005)
print("there", flush=True)
time.sleep(60)
"""


def test_a_log_is_bounded_while_its_program_runs(tmp_path: Path) -> None:
    log, old = tmp_path / "x.log", tmp_path / "x.log.1"
    child = spawn(Command([sys.executable, "-c", TALKING], log, log_limit_bytes=10_000))
    eventually(lambda: says_there(log), 20)
    eventually(lambda: log.stat().st_size < 10_000 and old.exists())
    assert {path.name for path in tmp_path.iterdir()} == {"x.log", "x.log.1"}
    kept = (old.read_text() + log.read_text()).splitlines()
    numbers = [int(line[:8]) for line in kept if line[:8].isdecimal()]
    assert numbers == list(range(numbers[0], 400)), "nothing but the oldest lines is gone"
    assert len(kept) * 100 < 10_000 + 2 * 25_000, "the limit, and what is written between two looks"
    assert old.stat().st_mode & 0o077 == 0
    child.stop()


def test_a_log_whose_folder_is_gone_keeps_nothing_from_running(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "x.log"
    child = spawn(Command([sys.executable, "-c", GENTLE], log, log_limit_bytes=1))
    eventually(lambda: says_there(log))
    log.unlink()
    log.parent.rmdir()
    time.sleep(1.5)
    assert child.alive()
    assert child.stop() == 7
