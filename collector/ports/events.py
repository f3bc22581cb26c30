"""Who did what to which thing, when and why: written once, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from collector.ports.paging import Page


class Source(Enum):
    """By which way something was asked for."""

    API = "api"
    GRPC = "grpc"
    CLI = "cli"
    """In the database itself, by whoever has its DSN; the subject is as claimed."""
    SIGNAL = "signal"
    """By a Temporal signal; the subject is as claimed."""


class Outcome(Enum):
    """What came of it."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    """A server was away: it may have been done all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One row of audit_event.

    Attributes:
        organization: in which it happened.
        subject: `key/<id>`, `user/<id>`, or what a signal or the command line claims; empty = nobody (a sign-in that
            failed).
        action: the operation's name, `chambers.pause`.
        source: by which way.
        outcome: what came of it.
        target: what it was done to, `chamber/incubator-3`; empty = the organization.
        reason: as whoever did it gave it.
        detail: what else is worth knowing: status, fields that were changed; never secrets.
        claimed: nothing proves the subject.
        address: of the caller; empty = unknown.
        at_ms: when; 0 = now, by the store's clock.
        key: the second event of one key is not kept; None = every one is.
        id: given by the store, ascending.
    """

    organization: str
    subject: str
    action: str
    source: Source
    outcome: Outcome = Outcome.DONE
    target: str = ""
    reason: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)
    claimed: bool = False
    address: str = ""
    at_ms: int = 0
    key: str | None = None
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events; None = all. `from_ms` inclusive, `to_ms` exclusive."""

    target: str | None = None
    subject: str | None = None
    action: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None


class EventLog(Protocol):
    """Audit events of organizations."""

    async def add(self, event: AuditEvent) -> None:
        """Keep it for good: nothing changes or removes one. One with the `key` of another is not kept again.

        Raises:
            NotFoundError: there is no such organization.
        """
        ...

    async def page(self, organization: str, wanted: EventFilter, limit: int, cursor: str | None) -> Page[AuditEvent]:
        """The newest first, by when it happened; of one instant the one that was recorded last.

        Raises:
            InvalidFieldError: field `cursor`.
        """
        ...
