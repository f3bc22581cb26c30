"""What goes wrong in a conversation with Temporal, in the core's words."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from adapters.temporal_settings import explained
from collector import wire
from collector.domain.errors import ChamberlogError, EngineAwayError, NotFoundError, RejectedError

log = logging.getLogger(__name__)
DRIFTED = "AcceptedUpdateCompletedWorkflow"
"""The server's own type for an update whose workflow ended before it answered."""


class NoAnswerError(EngineAwayError):
    """Temporal took the request and nobody answered it in time."""


@asynccontextmanager
async def speaking(chamber_id: str, limit: timedelta | None) -> AsyncIterator[None]:
    """Bound a conversation in time (None: it is bounded in itself) and say what went wrong in the core's words."""
    try:
        async with asyncio.timeout(None if limit is None else limit.total_seconds()):
            yield
    except ChamberlogError:
        raise
    except Exception as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from error  # the SDK reports a cancelled caller as a timeout of its own
        translated = _translate(error, chamber_id)
        if translated is None:
            raise
        raise translated from error


def _translate(error: Exception, chamber_id: str) -> ChamberlogError | None:
    match error:
        case RPCError():
            return _of_rpc(error, chamber_id)
        case WorkflowUpdateFailedError():
            return _of_update(error.cause, chamber_id)
        case WorkflowQueryRejectedError() | WorkflowQueryFailedError() | ValueError():
            return _of_query(error, chamber_id)
        case TimeoutError() | RPCTimeoutOrCancelledError():
            return NoAnswerError("Temporal or a worker did not answer in time")
        case RuntimeError() if "client connect" in str(error):
            log.warning("Temporal cannot be reached: %s", explained(error))  # its address is nobody's who asks the API
            return EngineAwayError("Temporal cannot be reached")
    return None


def _of_rpc(error: RPCError, chamber_id: str) -> ChamberlogError:
    if error.status is RPCStatusCode.NOT_FOUND:
        return _not_running(chamber_id)
    if error.status is RPCStatusCode.FAILED_PRECONDITION and "paused" in error.message:
        return _paused_natively(chamber_id)
    if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
        return NoAnswerError("Temporal or a worker did not answer in time")
    return EngineAwayError(f"Temporal answers {error.status.name}: {error.message[:300]}")


def _of_query(error: Exception, chamber_id: str) -> ChamberlogError | None:
    if isinstance(error, WorkflowQueryRejectedError):
        return _not_running(chamber_id)
    if isinstance(error, WorkflowQueryFailedError):
        return RejectedError(f"chamber {chamber_id} could not answer: {error.message[:200]}", wire.CONFLICT)
    return _paused_natively(chamber_id) if "WorkflowExecutionStatus" in str(error) else None  # 8 is unknown to the SDK


def _of_update(cause: BaseException, chamber_id: str) -> ChamberlogError:
    if isinstance(cause, ApplicationError) and cause.type == DRIFTED:
        return _not_running(chamber_id)
    if isinstance(cause, ApplicationError):
        kind = wire.INVALID if cause.type == wire.INVALID else wire.CONFLICT
        return RejectedError(cause.message, kind)
    if isinstance(cause, ActivityError):
        return NoAnswerError(f"the chamber's worker did not finish: {cause.message[:200]}")
    return RejectedError(str(cause)[:300], wire.CONFLICT)


def _not_running(chamber_id: str) -> NotFoundError:
    return NotFoundError(f"chamber {chamber_id} does not run in Temporal")


def _paused_natively(chamber_id: str) -> RejectedError:
    remedy = f"`temporal workflow unpause -w {wire.workflow_id(chamber_id)}` lets it speak again"
    return RejectedError(f"chamber {chamber_id} is paused in Temporal itself: {remedy}", wire.CONFLICT)
