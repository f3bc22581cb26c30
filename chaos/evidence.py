"""What is kept when a row is broken: histories of the chambers, logs of the workers, what was complained of."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from temporalio.service import RPCError

from chaos.rounds import save_history
from chaos.running import RunningFleet
from collector.domain.timerange import TimeRange
from stack.api_client import rfc3339

HISTORIES = 5
LOGS = ("worker", "worker-2", "temporal", "postgres", "api")


async def save_evidence(
    fleet: RunningFleet,
    folder: Path,
    suspects: Sequence[tuple[str, int]],
    complaints: Sequence[str],
    span: TimeRange,
) -> None:
    """Write it, replacing what an earlier run left there.

    Args:
        fleet: still running.
        folder: of this fault.
        suspects: (chamber, slot) pairs; histories of the first few chambers are kept.
        complaints: of the row.
        span: the slots that were counted.
    """
    await asyncio.to_thread(_write, fleet, folder, suspects, complaints, span)
    for chamber in list(dict.fromkeys(chamber for chamber, _ in suspects))[:HISTORIES]:
        try:
            await save_history(fleet.layout.temporal, chamber, folder / f"history-{chamber}.json")
        except (RuntimeError, RPCError) as error:
            fleet.say(f"the history of {chamber} cannot be kept: {error}")
    fleet.say(f"evidence is in {folder}")


def _write(
    fleet: RunningFleet,
    folder: Path,
    suspects: Sequence[tuple[str, int]],
    complaints: Sequence[str],
    span: TimeRange,
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in LOGS:
        if fleet.layout.home.log(name).exists():
            shutil.copy(fleet.layout.home.log(name), folder)
    document = {
        "from": rfc3339(span.from_ms),
        "to": rfc3339(span.to_ms),
        "complaints": list(complaints),
        "slots": [{"chamber": chamber, "slot": rfc3339(slot_ms), "slot_ms": slot_ms} for chamber, slot_ms in suspects],
    }
    (folder / "complaints.json").write_text(json.dumps(document, indent=1) + "\n")
