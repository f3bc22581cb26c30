"""The settings under which was measured: those of the stack, as this run has them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bench.errors import BenchError
from bench.workloads import Workload
from collector.domain.cadence import DEFAULT_ROUND_SPAN_MS, LONG_INTERVAL_MS
from stack.postgres import SETTINGS
from stack.temporal import DYNAMIC_CONFIG, PRAGMAS
from workers.chamber_worker import STICKY
from workers.failover import BEAT, LOST_AFTER_S
from workers.settings import PREFIX, WorkerSettings
from workflows.policies import FAILOVER

HEADROOM = 100
"""Activities beside the rounds of all chambers."""
TUNABLE = ("max_activities", "max_cached_workflows", "max_workflow_tasks")


@dataclass(frozen=True, slots=True)
class Tuning:
    """A setting of the worker that decides its cost: its `variable`, and the `value` that this run has."""

    variable: str
    value: int


def tuning(name: str) -> Tuning:
    """A setting of the worker: the environment's, which the bench's worker inherits, or its default."""
    variable = f"{PREFIX}{name.upper()}"
    value = os.environ.get(variable) or WorkerSettings.model_fields[name].default
    try:
        return Tuning(variable, int(value))
    except ValueError:
        raise BenchError(f"{variable}: {value!r} is not a number; correct it, or take it away") from None


def settings() -> dict[str, str | int | float]:
    """Name to value."""
    return {
        **{t.variable: t.value for t in map(tuning, TUNABLE)},
        "round span": f"{DEFAULT_ROUND_SPAN_MS / 1000:g} s below {LONG_INTERVAL_MS / 1000:g} s, else one slot",
        "heartbeat time-out of a long round": f"{FAILOVER.total_seconds():g} s",
        "sign of life of a worker, and its end": f"{BEAT.total_seconds():g} s, {LOST_AFTER_S:g} s",
        "sticky queue": f"{STICKY.total_seconds():g} s",
        "Temporal's SQLite": ", ".join(PRAGMAS),
        "Temporal's dynamic configuration": ", ".join(DYNAMIC_CONFIG),
        "PostgreSQL": ", ".join(f"{name}={value}" for name, value in SETTINGS.items()),
    }


@contextmanager
def room_for(workload: Workload) -> Iterator[Mapping[str, int]]:
    """Give the workers that are started meanwhile a slot for every chamber at once.

    A fleet whose rounds do not fit into its workers would measure its own queue. One that fits changes nothing.

    Returns:
        The variable that was raised, and its value; empty when none was.
    """
    tuned, needed = tuning("max_activities"), workload.chambers // workload.workers + HEADROOM
    if workload.interval_s * 1000 >= LONG_INTERVAL_MS or needed <= tuned.value:
        yield {}
        return
    before = os.environ.get(tuned.variable)
    os.environ[tuned.variable] = str(needed)
    try:
        yield {tuned.variable: needed}
    finally:
        if before is None:
            del os.environ[tuned.variable]
        else:
            os.environ[tuned.variable] = before
