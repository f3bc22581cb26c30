"""Every time-out and retry of the chamber's activities, each with the fault it is for."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy

from collector.domain.cadence import LEAD_MS, RoundPlan
from collector.domain.chamber import ChamberSpec

SAVE_MS = 5_000
"""The store's own limit for one statement."""
MARGIN_MS = 5_000
"""A worker that is busy, not dead."""
FAILOVER = timedelta(seconds=400)
"""A worker that died in a long round is noticed by the other workers within seconds (workers/failover.py). This is for
servers that cannot tell them who lives, and longer than a default round: each beat that reaches the server costs it as
much as ten readings."""
STORE_BEAT = timedelta(seconds=60)
"""A worker that died while it waited for the store."""
STORE_TIME = timedelta(hours=1)
"""A store that stays away: the wait starts afresh, so that an attempt never outlives an upgrade of workers."""
ADHOC_ATTEMPTS = 2
"""A worker that died while somebody waits for the answer: one more read, then the caller is told."""


RECONCILE_TIME = timedelta(minutes=10)
"""Asking thousands of chambers: when a registry was restored all of them differ."""
RECONCILE_SOON = timedelta(seconds=110)
"""A run of the schedule: it ends before the one after the next, and two never repair side by side."""
RECONCILE_BEAT = timedelta(seconds=30)
"""A worker that died; and by a heartbeat a run that is over its time hears that it is."""
RECONCILE_ATTEMPTS = 3
"""A server that is just starting again; after that the next minute's run has its turn."""


MAINTAIN_TIME, MAINTAIN_BEAT = timedelta(minutes=50), timedelta(seconds=60)
"""Days of a large fleet are read whole; the next hour's run carries on. A worker that died is noticed by the beat."""
MAINTAIN_ATTEMPTS = 3
"""A store that was away for a moment; after that the run fails, where people see it, until the next hour's."""


class ActivityPolicy(TypedDict, total=False):
    """Arguments of `workflow.start_activity`."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


def collect_policy(spec: ChamberSpec, plan: RoundPlan, now_ms: int) -> ActivityPolicy:
    """Of `collect`: no limit of attempts and no schedule-to-close, because every slot must get its outcome.

    One slot: start-to-close finds a dead worker (an attempt cannot last longer), and a failed fetch brings its own
    delay. A longer round: heartbeats find it.
    """
    wait = max(LEAD_MS, plan.first_ms - now_ms)
    again = RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=1.0)
    if plan.count == 1:
        length = wait + spec.timeout_ms + SAVE_MS + MARGIN_MS
        return {"start_to_close_timeout": timedelta(milliseconds=length), "retry_policy": again}
    length = wait + plan.count * spec.interval_ms + spec.timeout_ms + SAVE_MS + FAILOVER // timedelta(milliseconds=1)
    return {
        "start_to_close_timeout": timedelta(milliseconds=length),
        "heartbeat_timeout": FAILOVER,
        "retry_policy": again,
    }


def store_policy() -> ActivityPolicy:
    """Of `store`: it waits inside for a store that is away; what fails otherwise is tried again, ever more slowly."""
    return {
        "start_to_close_timeout": STORE_TIME,
        "heartbeat_timeout": STORE_BEAT,
        "retry_policy": RetryPolicy(
            initial_interval=timedelta(seconds=1), backoff_coefficient=2.0, maximum_interval=timedelta(seconds=30)
        ),
    }


def adhoc_policy(spec: ChamberSpec) -> ActivityPolicy:
    """Of `collect_adhoc`: somebody waits for the answer."""
    length = timedelta(milliseconds=spec.timeout_ms + SAVE_MS + MARGIN_MS)
    return {
        "start_to_close_timeout": length,
        "schedule_to_close_timeout": length * ADHOC_ATTEMPTS,
        "retry_policy": RetryPolicy(maximum_attempts=ADHOC_ATTEMPTS),
    }


def reconcile_policy(*, everything: bool) -> ActivityPolicy:
    """Of `reconcile`: the next run is a minute away, unless a person asked for everything."""
    limit = RECONCILE_TIME if everything else RECONCILE_SOON
    return {
        "start_to_close_timeout": limit,
        "schedule_to_close_timeout": limit,
        "heartbeat_timeout": RECONCILE_BEAT,
        "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=5), maximum_attempts=RECONCILE_ATTEMPTS),
    }


def maintain_policy() -> ActivityPolicy:
    """Of `maintain`: all attempts together end before the next run begins."""
    return {
        "start_to_close_timeout": MAINTAIN_TIME,
        "schedule_to_close_timeout": MAINTAIN_TIME,
        "heartbeat_timeout": MAINTAIN_BEAT,
        "retry_policy": RetryPolicy(initial_interval=timedelta(minutes=1), maximum_attempts=MAINTAIN_ATTEMPTS),
    }
