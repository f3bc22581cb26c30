"""Errors of the core as failures that Temporal understands: short, without cause chains, with a type."""

from datetime import timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from collector.domain.errors import ChamberlogError
from collector.usecases.collect import TryAgainError

MESSAGE_LIMIT = 500
"""A pending failure over about 4 kB, stack included, is replaced by the server and loses its type."""


def attempt_failed(error: TryAgainError) -> ApplicationError:
    """One attempt failed and the next is near: shown in the Web UI, not logged as a defect."""
    return ApplicationError(
        f"{error.failure.reason.value}: {error.failure.detail}"[:MESSAGE_LIMIT],
        type=type(error.failure).__name__,
        category=ApplicationErrorCategory.BENIGN,
        next_retry_delay=timedelta(milliseconds=error.delay_ms),
    )


def benign(error: ChamberlogError) -> ApplicationError:
    """An expected fault of the surroundings: tried again by the activity's policy."""
    return ApplicationError(
        str(error)[:MESSAGE_LIMIT], type=type(error).__name__, category=ApplicationErrorCategory.BENIGN
    )
