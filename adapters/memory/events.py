"""Audit events in memory."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from adapters.cursors import read_cursor, write_cursor
from adapters.memory.ledger import InMemoryLedger
from collector.domain.errors import NotFoundError
from collector.domain.event_texts import each_text
from collector.domain.settling import clean
from collector.ports.events import AuditEvent, EventFilter
from collector.ports.paging import Page


class InMemoryEvents:
    """`EventLog` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def add(self, event: AuditEvent) -> None:
        """Keep it; see `EventLog.add`."""
        self._ledger.check_here()
        kept = self._ledger.events
        if event.organization not in self._ledger.organizations:
            raise NotFoundError(f"no organization {event.organization!r}")
        if event.key is not None and any(one.key == event.key for one in kept):
            return
        kept.append(
            replace(
                event,
                id=len(kept) + 1,
                at_ms=event.at_ms or self._ledger.now_ms(),
                subject=clean(event.subject),
                target=clean(event.target),
                reason=clean(event.reason),
                address=clean(event.address),
                detail=_frozen(event.detail),
            )
        )

    async def page(self, organization: str, wanted: EventFilter, limit: int, cursor: str | None) -> Page[AuditEvent]:
        """The newest first; see `EventLog.page`."""
        self._ledger.check_here()
        place = read_cursor(cursor, int, int)
        found = [event for event in self._ledger.events if event.organization == organization and _fits(event, wanted)]
        found.sort(key=lambda event: (event.at_ms, event.id), reverse=True)
        left = [event for event in found if place is None or (event.at_ms, event.id) < tuple(place)]
        items = left[:limit]
        more = len(left) > limit
        return Page(items, write_cursor(items[-1].at_ms, items[-1].id) if more else None)


def _frozen(detail: Mapping[str, object]) -> Mapping[str, object]:
    return MappingProxyType({clean(name): each_text(said, clean) for name, said in detail.items()})


def _fits(event: AuditEvent, wanted: EventFilter) -> bool:
    asked = ((wanted.target, event.target), (wanted.subject, event.subject), (wanted.action, event.action))
    return (
        all(text is None or clean(text) == have for text, have in asked)
        and (wanted.from_ms is None or event.at_ms >= wanted.from_ms)
        and (wanted.to_ms is None or event.at_ms < wanted.to_ms)
    )
