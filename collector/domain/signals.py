"""What signals told a chamber, on its way to the audit events: noted in the workflow, stored by its next activity."""

from collections.abc import Collection
from dataclasses import dataclass, field

WAITING_LIMIT_BYTES = 32 * 1024
"""Of one chamber while PostgreSQL is away: it travels with each round. Some hundred signals as people send them."""
TEXT_LIMIT = 256
"""Characters of a claim that travel: a pause's whole reason stands in its gap."""
ENVELOPE_BYTES = 300
"""Names, instants and the key of one event as JSON, about."""
ESCAPED_BYTES = 12
"""The most that a character takes as JSON: Temporal's converter escapes what is not ASCII."""


@dataclass(slots=True)
class Said:
    """One signal, while it is obeyed.

    Attributes:
        signal: its name; `cancel` for a cancel of the workflow.
        at_ms: when it was heard.
        by: as claimed.
        reason: as claimed.
        operation: of a section, as claimed.
        detail: what was asked for, or why it was ignored.
        ignored: it changed nothing.
    """

    signal: str
    at_ms: int
    by: str = ""
    reason: str = ""
    operation: str = ""
    detail: str = ""
    ignored: bool = False

    def ignore(self, why: str) -> None:
        """It changes nothing, for this reason."""
        self.detail, self.ignored = why, True


@dataclass(frozen=True, slots=True)
class SignalEvent:
    """What becomes one audit event. `key` is its identity; the others as in `Said`."""

    key: str
    signal: str
    at_ms: int
    by: str = ""
    reason: str = ""
    operation: str = ""
    detail: str = ""
    ignored: bool = False


@dataclass(slots=True)
class Signals:
    """What a chamber heard; it travels with its state.

    Attributes:
        heard: events so far: a number for each one's key.
        waiting: not stored yet, oldest first.
        dropped: those that did not fit any more since; they become one event that says how many.
    """

    heard: int = 0
    waiting: list[SignalEvent] = field(default_factory=list)
    dropped: int = 0


def hear(signals: Signals, said: Said, run: str) -> None:
    """Let an event wait for the store. Past the bound it is only counted.

    Args:
        signals: of the chamber; changed in place.
        said: what it was.
        run: the first run of the chamber's workflow since it was started: the key's part that no other start has.
    """
    event = _event(signals, said, run)
    if sum(map(_bytes, signals.waiting)) + _bytes(event) > WAITING_LIMIT_BYTES:
        signals.dropped += 1
    else:
        signals.waiting.append(event)


def settle(signals: Signals, told: Collection[str], now_ms: int, run: str) -> None:
    """Those with these keys are stored; what was only counted meanwhile becomes an event of its own."""
    if not told:
        return
    signals.waiting = [event for event in signals.waiting if event.key not in told]
    if signals.dropped:
        detail = f"{signals.dropped} signals were not kept one by one: audit events could not be stored for too long"
        signals.dropped = 0
        signals.waiting.append(_event(signals, Said("overflow", now_ms, detail=detail, ignored=True), run))


def _event(signals: Signals, said: Said, run: str) -> SignalEvent:
    signals.heard += 1
    key = f"signal/{run}/{signals.heard}/{said.at_ms}"
    signal, by, reason, operation, detail = (
        text[:TEXT_LIMIT] for text in (said.signal, said.by, said.reason, said.operation, said.detail)
    )
    return SignalEvent(key, signal, said.at_ms, by, reason, operation, detail, said.ignored)


def _bytes(event: SignalEvent) -> int:
    texts = "".join((event.signal, event.by, event.reason, event.operation, event.detail))
    return ENVELOPE_BYTES + sum(1 if " " <= c <= "~" else ESCAPED_BYTES for c in texts)
