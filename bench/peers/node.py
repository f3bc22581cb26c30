"""Node and the packages of the BullMQ peer."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.errors import BenchError

FOLDER = Path(__file__).parent
PACKAGES = ("bullmq", "ioredis", "undici", "pg")
LOWEST = (20, 18, 1)
"""undici 7 asks for it."""
_INSTALLING = asyncio.Lock()
"""Two measurements side by side may both miss the packages."""
REMEDY = f"install Node {'.'.join(map(str, LOWEST))} or newer with npm (https://nodejs.org)"


def program(name: str) -> str:
    """The path of `node` or `npm`.

    Raises:
        BenchError: it is not installed; says what to do.
    """
    found = shutil.which(name)
    if found is None:
        raise BenchError(f"the BullMQ peer needs {name}, which is not on the PATH; {REMEDY}, or leave that peer out")
    return found


def node_version() -> str:
    """Such as `20.20.2`.

    Raises:
        BenchError: there is no Node, or it is too old.
    """
    answer = subprocess.run([program("node"), "--version"], capture_output=True, text=True, check=False).stdout
    version = answer.strip().removeprefix("v")
    if version_numbers(version) < LOWEST:
        raise BenchError(f"the BullMQ peer cannot run on Node {version or 'without a version'}; {REMEDY}")
    return version


def version_numbers(version: str) -> tuple[int, ...]:
    """`20.20.2` in numbers; empty when it is none."""
    parts = version.partition("-")[0].split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


def locked_versions(lock: Path = FOLDER / "package-lock.json") -> dict[str, str]:
    """Of the packages that the pipeline imports, from the lock file."""
    packages = json.loads(lock.read_text())["packages"]
    return {name: packages[f"node_modules/{name}"]["version"] for name in PACKAGES}


def installed(folder: Path = FOLDER) -> bool:
    """Whether node_modules holds what the lock file says; npm keeps a lock of what it installed there."""
    try:
        there = json.loads((folder / "node_modules" / ".package-lock.json").read_text())["packages"]
    except (FileNotFoundError, ValueError, KeyError):
        return False
    wanted = json.loads((folder / "package-lock.json").read_text())["packages"]
    return all(
        path in there and there[path]["version"] == package["version"]
        for path, package in wanted.items()
        if path and not package.get("optional")
    )


async def install(say: Callable[[str], None]) -> None:
    """Install the locked packages beside package.json. Again: nothing happens.

    Raises:
        BenchError: npm is not there, or failed; with the end of what it said.
    """
    async with _INSTALLING:
        if not installed():
            await _install(say)


async def _install(say: Callable[[str], None]) -> None:
    say("installing the BullMQ peer's packages: npm ci")
    options = ["--ignore-scripts", "--no-audit", "--no-fund"]
    output = asyncio.subprocess.PIPE
    npm = await asyncio.create_subprocess_exec(program("npm"), "ci", *options, cwd=FOLDER, stdout=output, stderr=output)
    words = b"".join(await npm.communicate()).decode(errors="replace").strip()
    if npm.returncode != 0:
        raise BenchError(f"`npm ci` in {FOLDER} failed; is the npm registry within reach? {words[-1000:]}")
