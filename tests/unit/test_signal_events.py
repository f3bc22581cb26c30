"""Signals on their way into the audit events: none of them stands in the way of a round."""

import logging

import pytest

from adapters.memory import InMemoryEvents, InMemoryLedger
from collector.domain.errors import AwayError
from collector.domain.signals import SignalEvent
from collector.ports import AuditEvent
from collector.usecases.events import RecordEvent
from collector.usecases.signal_events import RecordSignals

SIGNALS = [SignalEvent(f"signal/run/{number}/7", "pause", 7, reason=str(number)) for number in range(3)]


class Failing(InMemoryEvents):
    """A log that raises for the event with this reason."""

    def __init__(self, ledger: InMemoryLedger, reason: str, error: Exception) -> None:
        super().__init__(ledger)
        self._reason, self._error = reason, error

    async def add(self, event: AuditEvent) -> None:
        """Keep it, or not."""
        if event.reason == self._reason:
            raise self._error
        await super().add(event)


async def recorded(error: Exception) -> list[str]:
    """Which are told when the second one raises."""
    ledger = InMemoryLedger()
    told = await RecordSignals(RecordEvent(Failing(ledger, "1", error)))("default", "c1", SIGNALS)
    assert [event.key for event in ledger.events] == told
    return [key.split("/")[2] for key in told]


async def test_a_signal_that_meets_a_bug_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert await recorded(RuntimeError("poison")) == ["0", "2"]
    assert "a signal of chamber/c1 met a bug" in caplog.text


async def test_while_the_store_is_away_the_rest_waits() -> None:
    assert await recorded(AwayError("away")) == ["0"]
    assert await recorded(TimeoutError()) == ["0"]
