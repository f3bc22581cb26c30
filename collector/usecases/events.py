"""Audit events: written once for whatever was done or refused, read by the administrators of the organization."""

import logging
from dataclasses import dataclass, replace

from collector.domain.access import Operation
from collector.domain.errors import AwayError, ChamberlogError, TooManyRequestsError
from collector.domain.event_texts import TARGET_LIMIT, each_text, harmless
from collector.ports import Clock, Principal
from collector.ports.events import AuditEvent, EventFilter, EventLog, Outcome, Source
from collector.ports.paging import Page

log = logging.getLogger(__name__)
HUSHED_MS = 60_000
"""Of requests past the rate limit only the first one in so long is told: writing each of them would undo the limit."""
HUSHED_AT_MOST = 10_000
"""Remembered; of more subjects and operations at once the oldest are told again."""


class RecordEvent:
    """Writes one audit event. Again: another one, unless it has a key."""

    def __init__(self, events: EventLog) -> None:
        self._events = events

    async def __call__(self, event: AuditEvent) -> None:
        """Keep the event, its texts cut and without what looks like a credential.

        Raises:
            NotFoundError: there is no such organization.
            AwayError: it cannot be written: what was done must not be answered as done.
        """
        told = replace(
            event,
            subject=harmless(event.subject, TARGET_LIMIT),
            target=harmless(event.target, TARGET_LIMIT),
            reason=harmless(event.reason),
            detail={harmless(name): each_text(value, harmless) for name, value in event.detail.items()},
            address=harmless(event.address, TARGET_LIMIT),
        )
        await self._events.add(told)


class ListEvents:
    """Reads audit events of an organization."""

    def __init__(self, events: EventLog) -> None:
        self._events = events

    async def __call__(
        self, organization: str, wanted: EventFilter, *, limit: int, cursor: str | None
    ) -> Page[AuditEvent]:
        """A page of them, the newest first.

        Raises:
            InvalidFieldError: field `cursor`.
        """
        return await self._events.page(organization, wanted, limit, cursor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What whoever asks the gate knows of a request, for the event of a refusal: by which way, about which thing."""

    source: Source = Source.API
    target: str = ""


TOLD = Told()


class RecordRefusal:
    """Writes that the gate refused somebody it knows an operation that changes something."""

    def __init__(self, record: RecordEvent, clock: Clock) -> None:
        self._record, self._clock = record, clock
        self._hushed: dict[tuple[str, str], int] = {}

    async def __call__(
        self, principal: Principal, operation: Operation, error: ChamberlogError, told: Told, address: str
    ) -> None:
        """Keep it if it can be kept: whoever was refused is refused either way."""
        if not operation.writes or isinstance(error, AwayError):
            return
        if isinstance(error, TooManyRequestsError) and self._is_hushed(principal.subject, operation.name):
            return
        event = AuditEvent(
            organization=principal.organization,
            subject=principal.subject,
            action=operation.name,
            source=told.source,
            outcome=Outcome.REFUSED,
            target=told.target,
            detail={"by": "gate", "why": str(error)},
            address=address,
        )
        try:
            await self._record(event)
        except ChamberlogError as away:
            log.warning("%s was refused to %s, and no audit event says so: %s", event.action, event.subject, away)

    def _is_hushed(self, subject: str, action: str) -> bool:
        now_ms = self._clock.monotonic_ms()
        until_ms = self._hushed.get((subject, action), now_ms)
        if until_ms > now_ms:
            return True
        self._hushed.pop((subject, action), None)
        self._hushed[subject, action] = now_ms + HUSHED_MS
        if len(self._hushed) > HUSHED_AT_MOST:
            del self._hushed[next(iter(self._hushed))]
        return False


def outcome_of(error: ChamberlogError | None) -> Outcome:
    """What an operation came to that ended with this error of the core, or with none."""
    if error is None:
        return Outcome.DONE
    return Outcome.FAILED if isinstance(error, AwayError) else Outcome.REFUSED
