"""The two lines of a chamber in a worker's log: one when it starts failing, one when it recovers.

They are told where the chamber's status changes for everybody, in its state: by the answer of a round, of which the
server takes exactly one. An attempt that is retried, or that goes on in a process that others have taken for dead,
tells nothing; a replay is silent. Only a worker that is killed between the line and the end of its workflow task leaves
the line to be told again by the next one.
"""

from typing import Any

from temporalio import workflow

from collector import wire
from collector.domain.chamber import ChamberSpec
from collector.domain.health import Health, Status
from collector.domain.instants import iso

STARTS_FAILING, RECOVERED = "chamber starts failing", "chamber recovered"


def tell(spec: ChamberSpec, before: Health, after: Health) -> None:
    """Log what has changed; nothing while a history is replayed. The same health again: nothing has changed."""
    log = (
        workflow.logger.base_logger
    )  # without the adapter, which writes all it knows of the workflow into the sentence
    was, now = before.status is Status.FAILING, after.status is Status.FAILING
    if was == now or workflow.unsafe.is_replaying():
        return
    if now:
        log.warning(STARTS_FAILING, extra=_whose(spec) | _failure(after))
    else:
        log.info(RECOVERED, extra=_whose(spec) | _spell(after))


def _whose(spec: ChamberSpec) -> dict[str, Any]:
    return {
        "chamberlog.chamber": spec.id,
        "chamberlog.organization": spec.organization,
        "chamberlog.section": spec.section,
        "temporal.workflow.id": wire.workflow_id(spec.id),
        "temporal.run.id": workflow.info().run_id,
    }


def _failure(health: Health) -> dict[str, Any]:
    reason, _, detail = health.last_failure.partition(": ")
    return {
        "chamberlog.gap.reason": reason.removesuffix(":"),
        "chamberlog.gap.detail": detail,
        "chamberlog.failures": health.failures,
        "chamberlog.slot": None if health.last_failure_ms is None else iso(health.last_failure_ms),
    }


def _spell(health: Health) -> dict[str, Any]:
    """How long it lasted: from the first slot without a reading to the reading that ended it."""
    spell = health.spell
    if spell is None:  # an older worker has not counted
        return {}
    return {
        "chamberlog.slot": iso(spell.to_ms),
        "chamberlog.failing.since": iso(spell.from_ms),
        "chamberlog.failing.duration_s": (spell.to_ms - spell.from_ms) / 1000,
        "chamberlog.failing.slots": spell.slots,
    }
