"""Audit events of what Temporal signals told a chamber: as claimed, and once however often they are handed over."""

import asyncio
import logging
from collections.abc import Sequence

from collector import wire
from collector.domain.errors import ChamberlogError
from collector.domain.signals import SignalEvent
from collector.ports.events import AuditEvent, Outcome, Source
from collector.usecases.events import RecordEvent

log = logging.getLogger(__name__)
WITHIN_S = 5.0
"""All of one round's: what takes longer travels on with the chamber."""
ACTIONS = {
    wire.SIGNAL_PAUSE: "chambers.pause",
    wire.SIGNAL_RESUME: "chambers.resume",
    wire.SIGNAL_SET_INTERVAL: "chambers.change",
    "cancel": "chambers.retire",
}
UNKNOWN = "chambers.signal"


class RecordSignals:
    """Writes what signals told a chamber. Again with the same ones: nothing changes, by their keys."""

    def __init__(self, record: RecordEvent) -> None:
        self._record = record

    async def __call__(self, organization: str, chamber_id: str, signals: Sequence[SignalEvent]) -> list[str]:
        """Keys of those that are audit events now: fewer than were handed over where the store is away.

        It raises nothing: a round whose every attempt failed by one signal would collect no more.
        """
        told: list[str] = []
        try:
            async with asyncio.timeout(WITHIN_S):
                for signal in signals:
                    await self._tell(signal.key, _event(organization, chamber_id, signal), told)
        except (ChamberlogError, TimeoutError) as error:
            waiting = len(signals) - len(told)
            log.warning("%d signals of chamber %s are no audit events yet: %s", waiting, chamber_id, error)
        return told

    async def _tell(self, key: str, event: AuditEvent, told: list[str]) -> None:
        try:
            await self._record(event)
        except (ChamberlogError, TimeoutError):
            raise
        except Exception:  # the others are told all the same; this one waits with the chamber, where people see it
            log.exception("a signal of %s met a bug", event.target)
        else:
            told.append(key)


def _event(organization: str, chamber_id: str, signal: SignalEvent) -> AuditEvent:
    said = {"signal": signal.signal, "operation": signal.operation, "said": signal.detail}
    return AuditEvent(
        organization=organization,
        subject=signal.by,
        action=ACTIONS.get(signal.signal, UNKNOWN),
        source=Source.SIGNAL,
        outcome=Outcome.REFUSED if signal.ignored else Outcome.DONE,
        target=f"chamber/{chamber_id}",
        reason=signal.reason,
        detail={name: text for name, text in said.items() if text},
        claimed=True,
        at_ms=signal.at_ms,
        key=signal.key,
    )
