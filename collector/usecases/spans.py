"""What spans say of chambers and their outcomes, by names of ours beside OpenTelemetry's."""

from typing import Final

from collector.domain.chamber import ChamberSpec
from collector.domain.instants import iso
from collector.domain.outcome import Gap, Reading
from collector.messages import RoundRequest, StoreRequest
from collector.ports.tracing import Attribute, OpenSpan

ROUND: Final = "collect round"
SLOT: Final = "collect slot"
ADHOC: Final = "collect adhoc"
STORE_UNSAVED: Final = "store unsaved"
MAP: Final = "map answer"
STORE: Final = "store outcomes"
GAP_REASON, OUTCOMES = "chamberlog.gap.reason", "chamberlog.outcomes"


def of_chamber(spec: ChamberSpec) -> dict[str, Attribute]:
    """Whose it is, where it stands, and how it is read; never its URL, which may say more than all should read."""
    return {
        "chamberlog.organization": spec.organization,
        "chamberlog.section": spec.section,
        "chamberlog.chamber": spec.id,
        "chamberlog.profile": spec.profile,
        "chamberlog.interval_s": spec.interval_ms / 1000,
    }


def of_round(request: RoundRequest) -> dict[str, Attribute]:
    """A round's chamber and slots."""
    return {
        **of_chamber(request.spec),
        "chamberlog.round.first_slot": iso(request.first_ms),
        "chamberlog.round.slots": request.count,
    }


def of_unsaved(request: StoreRequest) -> dict[str, Attribute]:
    """Whose outcomes waited, and how many."""
    return {
        "chamberlog.organization": request.organization,
        "chamberlog.section": request.section,
        "chamberlog.chamber": request.chamber_id,
        OUTCOMES: len(request.outcomes),
    }


def note_outcome(span: OpenSpan, outcome: Reading | Gap) -> None:
    """What became of a slot; a gap is its span's failure."""
    if not span.kept:
        return
    if isinstance(outcome, Reading):
        span.note({"chamberlog.outcome": "reading", "chamberlog.lateness_s": _lateness_s(outcome)})
    else:
        span.note({"chamberlog.outcome": "gap", GAP_REASON: outcome.reason.value})
        span.fail(outcome.reason.value)


def _lateness_s(reading: Reading) -> float:
    """As the metric says it: a clock that was set back makes nobody early."""
    return max(0, reading.requested_ms - reading.slot_ms) / 1000
