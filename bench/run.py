"""One run: each batch when the machine is quiet; what fails is said and the others go on."""

import asyncio
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.accounting import machine_cpu
from bench.figures import Json
from bench.trials import Batch, Group, Trial
from collector.domain.errors import ChamberlogError
from stack.scratch import Say

LOOK_S, QUIET_CORES, PATIENCE_S = 1.0, 0.2, 20.0
"""The machine is quiet when less than this is used for a second; a shared one may never be."""


@dataclass(slots=True)
class Results:
    """What came of a run.

    Attributes:
        asked: names of the trials that were to be carried out.
        found: group to the objects of its trials, in their order.
        failed: name of a trial to why it was not measured.
        restless: batches that began on a machine that was busy.
    """

    asked: Sequence[str]
    found: dict[Group, list[Json]] = field(default_factory=lambda: {group: [] for group in Group})
    failed: dict[str, str] = field(default_factory=dict)
    restless: list[str] = field(default_factory=list)


async def run_all(batches: Sequence[Batch], home: Path, write: Callable[[str], object], patience_s: float) -> Results:
    """Carry out the batches one after another.

    Args:
        batches: what is to be measured.
        home: each trial has a directory of its own name there.
        write: takes the lines of progress.
        patience_s: how long each batch waits for a quiet machine.
    """
    results, began_s = Results([trial.name for batch in batches for trial in batch]), time.monotonic()
    for number, batch in enumerate(batches, 1):
        title = ", ".join(trial.name for trial in batch)
        minutes = (time.monotonic() - began_s) / 60
        write(f"part {number} of {len(batches)}: {title} ({minutes:.1f} min into the run)\n")
        if not await _quiet(patience_s):
            results.restless.append(title)
            write(f"the machine is busy with something else; {title} begins all the same\n")
        for trial, outcome in zip(batch, await _side_by_side(batch, home, write), strict=True):
            if isinstance(outcome, str):
                results.failed[trial.name] = outcome
            else:
                results.found[trial.group].append(outcome)
    return results


async def _side_by_side(batch: Batch, home: Path, write: Callable[[str], object]) -> list[Json | str]:
    """An interrupted run ends them all: a task group waits until each has stopped its servers."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_attempt(trial, home, _say(trial, write))) for trial in batch]
    return [task.result() for task in tasks]


async def _attempt(trial: Trial, home: Path, say: Say) -> Json | str:
    """Its object of the report, or why there is none."""
    try:
        return await trial.run(home / trial.name, say)
    except ChamberlogError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 (an hour's other figures must not be lost with one)
        traceback.print_exc(file=sys.stderr)
        reason = f"{type(error).__name__}: {error}"
    say(f"not measured: {reason}")
    return reason


def _say(trial: Trial, write: Callable[[str], object]) -> Say:
    began_s = time.monotonic()

    def say(text: str) -> None:
        write(f"{trial.name:<19} {time.monotonic() - began_s:6.1f} s  {text}\n")

    return say


async def _quiet(patience_s: float) -> bool:
    """Wait until nobody else uses the machine; False when that does not come in time."""
    give_up = time.monotonic() + patience_s
    while time.monotonic() < give_up:
        before = machine_cpu().busy_s
        await asyncio.sleep(LOOK_S)
        if (machine_cpu().busy_s - before) / LOOK_S < QUIET_CORES:
            return True
    return False
