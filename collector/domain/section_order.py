"""What all chambers of a section are told at once, and how far that is."""

import re
from dataclasses import dataclass
from enum import StrEnum

from collector.domain.chamber import ID_PATTERN
from collector.domain.errors import InvalidFieldError

OPERATION_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class OrderKind(StrEnum):
    """What chambers are told."""

    PAUSE = "pause"
    RESUME = "resume"


class OperationState(StrEnum):
    """How far an operation is: `completed` = everybody was told; `failed` = it was stopped before that."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionOrder:
    """What a section is told, by whom and why.

    Attributes:
        organization: whose.
        section: where.
        operation_id: 1 to 64 of `A-Z a-z 0-9 _ -`; unique in the section.
        kind: pause or resume.
        by: who asks, authenticated.
        reason: of a pause.
        until_ms: when the pause ends by itself; None = when somebody resumes it.
    """

    organization: str
    section: str
    operation_id: str
    kind: OrderKind
    by: str
    reason: str = ""
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionOperation:
    """A section being told, or told.

    Attributes:
        id: unique in the section.
        section: where.
        kind: pause or resume.
        reason: of the pause.
        until_ms: when the pause ends by itself.
        state: how far it is.
        total: chambers that ran there when it began.
        done: chambers that were told. A chamber obeys between two slots, within a second where a worker is alive.
        failed: chambers that could not be told, although they ran.
        paused: chambers of the section that run and are paused now, for whatever reason.
        started_ms: when it began.
        ended_ms: when it was completed or failed.
    """

    id: str
    section: str
    kind: OrderKind
    reason: str
    until_ms: int | None
    state: OperationState
    total: int
    done: int
    failed: int
    paused: int
    started_ms: int
    ended_ms: int | None


def check_operation(organization: str, section: str, operation_id: str | None = None) -> None:
    """Refuse names that cannot be one: they become part of a query and of an id in Temporal.

    Raises:
        InvalidFieldError: names the field and the remedy.
    """
    for field, text in (("organization", organization), ("section", section)):
        if not ID_PATTERN.fullmatch(text):
            remedy = "use 1 to 63 of a-z, 0-9 and '-', beginning with a letter or digit"
            raise InvalidFieldError(field, f"{text[:80]!r} cannot be one", remedy)
    if operation_id is not None and not OPERATION_PATTERN.fullmatch(operation_id):
        remedy = "use 1 to 64 of A-Z, a-z, 0-9, '_' and '-'"
        raise InvalidFieldError("operation_id", f"{operation_id[:80]!r} cannot be one", remedy)
