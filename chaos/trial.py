"""One fault on the running fleet: peace, the fault, recovery, the count."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.allowance import Happened
from chaos.evidence import save_evidence
from chaos.faults import Fault
from chaos.ledger import found_in
from chaos.running import RunningFleet, settle
from chaos.verdict import BROKEN, SETTLE_LIMIT_S, Case, Row, Settled, judge
from collector.domain.errors import ChamberlogError
from collector.domain.timerange import TimeRange
from stack.fleet import now_ms

BEFORE_S = 2.0
LAST_LIMIT_S = 75.0
"""At the end every slot has its outcome after its deadline, which is 60 s away at most, and a save."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of a fault before anything is counted: when, the counted slots, and how they settled."""

    happened: Happened
    span: TimeRange
    settled: Settled
    notes: Sequence[str]


async def try_fault(fleet: RunningFleet, fault: Fault, evidence: Path) -> Row:
    """Make a fault, wait until everything has settled, count.

    A fault that could not be made, or after which a part stays down, is a broken row that says why.

    Args:
        fleet: it is up, and is started again where it is not afterwards.
        fault: what is done.
        evidence: folder of what is kept when the row is broken.

    Raises:
        StartFailedError: afterwards a part does not start again: nothing more can be tried.
    """
    began_ms = now_ms()
    try:
        watched = await _watch(fleet, fault)
        found = await found_in(fleet.layout.postgres, fleet.served, watched.span)
    except ChamberlogError as error:
        await fleet.all_up()
        now = now_ms()
        await save_evidence(fleet, evidence, [], [str(error)], TimeRange(began_ms, now))
        return Row(fault.name, round((now - began_ms) / 1000, 1), verdict=BROKEN, complaints=[str(error)])
    case = Case(fault.name, fault.rule, fleet.chambers, watched.happened, watched.span, watched.settled, watched.notes)
    judged = judge(case, found)
    if judged.row.verdict == BROKEN:
        await save_evidence(fleet, evidence, judged.suspects, judged.row.complaints, watched.span)
    return judged.row


async def _watch(fleet: RunningFleet, fault: Fault) -> Watched:
    from_ms = now_ms()
    await asyncio.sleep(BEFORE_S)
    fleet.say(f"{fault.name}: {fault.about}")
    began_ms = now_ms()
    notes = await fault.deed(fleet)
    recovered_ms, recovered_s = now_ms(), time.monotonic()
    async with fleet.api() as api:
        fleet.say(f"{fault.name}: everything is up again after {(recovered_ms - began_ms) / 1000:.1f} s")
        after_s = await settle(api, from_ms, recovered_ms, SETTLE_LIMIT_S)
        left_s = max(0.0, recovered_s + fault.watch_s - time.monotonic())
        fleet.say(f"{fault.name}: settled after {after_s} s, watching for {left_s:.0f} s")
        await asyncio.sleep(left_s)
        to_ms = now_ms()
        await settle(api, from_ms, to_ms, LAST_LIMIT_S)
        audit = await api.audit(from_ms, to_ms)
    return Watched(Happened(began_ms, recovered_ms), TimeRange(from_ms, to_ms), Settled(after_s, audit), notes)
