"""A fleet by the command line: how long its import takes, and what is asked of all of it."""

import asyncio
import csv
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from bench.errors import BenchError
from bench.measure import bodies
from bench.running import RunningStack, running_stack
from bench.workloads import SETTLE_S, Workload
from stack.environment import part_environment
from stack.scratch import Say

Json = dict[str, Any]
FLEET = "fleet"
CHAMBERS, QUICK_CHAMBERS, INTERVAL_S = 1_000, 200, 60
REQUESTS = 10
"""Of each kind: enough for a median."""
COMMAND_S = 600.0
"""A command that takes longer has failed."""
PATHS: Mapping[str, str] = {
    "list": "/v1/chambers?limit=1000",
    "latest": "/v1/latest?limit=1000",
    "audit": "/v1/audit",
}
"""What is asked of a whole fleet, a page of 1,000 each."""


async def measure_fleet(chambers: int, folder: Path, say: Say) -> Json:
    """Import so many chambers from a CSV file by the real command, twice, then ask for all of them.

    Args:
        chambers: how many, a device each, all of them in one section.
        folder: of the stack; what is in it is thrown away.
        say: told what is going on.

    Returns:
        An object of the report.

    Raises:
        BenchError: a command failed, or a slot is unaccounted for.
        StackError: a part does not start.
    """
    async with running_stack(folder, chambers, 1, say) as stack:
        file = folder / "fleet.csv"
        _write(file, Workload(FLEET, chambers, INTERVAL_S, 0.0), stack.device_port)
        say(f"importing {chambers} chambers")
        first_s, first = await _command(stack, "import", str(file), "--yes", "--json")
        again_s, again = await _command(stack, "import", str(file), "--yes", "--json")
        if (first["created"], again["unchanged"]) != (chambers, chambers):
            raise BenchError(f"{first['created']} chambers were enrolled, {again['unchanged']} are there unchanged")
        say(f"collecting for {INTERVAL_S + SETTLE_S:g} s")
        await asyncio.sleep(INTERVAL_S + SETTLE_S)
        say("asking")
        requests = await _requests(stack)
        commands = {name: (await _command(stack, name, "--json"))[0] for name in ("list", "audit")}
        audit = (await _command(stack, "audit", "--json"))[1]
    imported = {"seconds": first_s, "per_second": chambers / first_s, "again_seconds": again_s}
    return {
        "name": FLEET,
        "chambers": chambers,
        "interval_s": INTERVAL_S,
        "import": {name: round(value, 2) for name, value in imported.items()},
        "requests_ms": requests,
        "commands_s": {name: round(value, 2) for name, value in commands.items()},
        "audit": {name: audit[name] for name in ("chambers", "expected", "stored", "unaccounted", "overdue")},
        "complaints": [f"{audit['unaccounted']} slots are unaccounted"] if audit["unaccounted"] else [],
    }


def _write(file: Path, fleet: Workload, port: int) -> None:
    names = ("id", "url", "profile", "interval_s", "section")
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, names)
        writer.writeheader()
        writer.writerows({name: body[name] for name in names} for body in bodies(fleet, port))


async def _command(stack: RunningStack, *arguments: str) -> tuple[float, Json]:
    """Seconds that the command took, start of the program included, and the JSON that it printed."""
    found = part_environment({"CHAMBERLOG_HOME": str(stack.layout.home.path)})
    environment = {name: value for name, value in found.items() if not name.startswith("CHAMBERLOG_API")}
    command = (sys.executable, "-P", "-m", "cli", *arguments)
    began_s, pipe = time.monotonic(), asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=pipe)
    try:
        output, errors = await asyncio.wait_for(running.communicate(), COMMAND_S)
    except BaseException:
        running.kill()
        raise
    if running.returncode:
        said = errors.decode(errors="replace")[-500:]
        raise BenchError(f"{' '.join(arguments[:1])} ended with {running.returncode}: {said}")
    return time.monotonic() - began_s, json.loads(output)


async def _requests(stack: RunningStack) -> dict[str, dict[str, float]]:
    """Median and longest time of a request for the whole fleet, one after another, in milliseconds."""
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    async with httpx.AsyncClient(
        base_url=stack.layout.api, headers=headers, trust_env=False, timeout=COMMAND_S
    ) as client:
        return {name: await _timed(client, path) for name, path in PATHS.items()}


async def _timed(client: httpx.AsyncClient, path: str) -> dict[str, float]:
    taken: list[float] = []
    for _ in range(REQUESTS):
        began_s = time.monotonic()
        (await client.get(path)).raise_for_status()
        taken.append((time.monotonic() - began_s) * 1000)
    taken.sort()
    return {"p50": round(taken[len(taken) // 2], 1), "max": round(taken[-1], 1)}
