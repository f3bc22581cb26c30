"""Audit events, as the API takes and answers them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.inputs import PageQuery, ShortMoment, instant_of
from api.schemas import Instant, shows
from collector.domain.errors import InvalidFieldError
from collector.domain.instants import iso
from collector.ports import AuditEvent, EventFilter

Wanted = Annotated[str | None, Field(max_length=200)]


class EventsQuery(PageQuery):
    """Which audit events."""

    chamber: Wanted = Field(None, description="of this chamber; the same as target=chamber/ID", examples=["sim-01"])
    target: Wanted = Field(None, description="of this thing", examples=["section/cold-store"])
    subject: Wanted = Field(None, description="by this one", examples=["key/0123456789ab"])
    action: Wanted = Field(None, description="this operation", examples=["chambers.pause"])
    from_: ShortMoment | None = Field(None, alias="from", description="RFC 3339 with offset, inclusive")
    to: ShortMoment | None = Field(None, description="RFC 3339 with offset, exclusive")

    def filter(self) -> EventFilter:
        """The port's words for it.

        Raises:
            InvalidFieldError: field `chamber`, `from` or `to`.
        """
        if self.chamber is not None and self.target is not None:
            raise InvalidFieldError("chamber", "it says the same as target", "give one of them")
        target = self.target if self.chamber is None else f"chamber/{self.chamber}"
        from_ms = None if self.from_ is None else instant_of("from", self.from_)
        to_ms = None if self.to is None else instant_of("to", self.to)
        return EventFilter(target=target, subject=self.subject, action=self.action, from_ms=from_ms, to_ms=to_ms)


class EventOut(BaseModel):
    """Who did what to which thing, when and why; `claimed`: nothing proves the subject."""

    model_config = shows(
        id=4711,
        at="2026-03-01T12:00:00.000Z",
        organization="default",
        subject="key/0123456789ab",
        action="chambers.pause",
        source="api",
        outcome="done",
        target="chamber/incubator-3",
        reason="door",
        detail={"status": 200},
        claimed=False,
        address="192.0.2.17",
    )

    id: int
    at: Instant
    organization: str
    subject: str
    action: str
    source: Literal["api", "grpc", "cli", "signal"]
    outcome: Literal["done", "refused", "failed"]
    target: str
    reason: str
    detail: dict[str, Any]
    claimed: bool
    address: str


def event_out(event: AuditEvent) -> EventOut:
    """The event as JSON."""
    return EventOut(
        id=event.id,
        at=iso(event.at_ms),
        organization=event.organization,
        subject=event.subject,
        action=event.action,
        source=event.source.value,
        outcome=event.outcome.value,
        target=event.target,
        reason=event.reason,
        detail=dict(event.detail),
        claimed=event.claimed,
        address=event.address,
    )
