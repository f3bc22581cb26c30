"""What travels through Temporal. Additive changes only: a field may be added with a default, none renamed or retyped.

Instants are integers of milliseconds since the Unix epoch, UTC. Outcomes travel packed (`collector.packing`).
"""

from dataclasses import dataclass, field

from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.health import Health
from collector.domain.memory import Memory
from collector.domain.signals import SignalEvent, Signals
from collector.packing import Packed


@dataclass(slots=True)
class ChamberState:
    """All that a chamber knows; it travels whole over continue-as-new and is the input of a start.

    Attributes:
        spec: what the owner asked for; its grid is the open epoch's.
        next_ms: first slot that was not handed out yet.
        pause: set while the chamber is deliberately not read.
        health: how the last slots went.
        unsaved: packed outcomes that are not in the store, oldest first.
        retiring: the reason, once somebody asked the chamber to retire.
        lost_through_ms: slots up to here, handed out before this start, never settled, become `lost`; None: `missed`.
        verify: the last round ended without an answer: the next one asks the store first.
        notes: what was ignored, newest last, each with its instant.
        last: the last outcome, for people.
        cycles_per_run: rounds after which the run continues as new.
        run_number: runs so far.
        unconfirmed: changes that were made by signals and that the registry row has not answered yet.
        handed_out_ms: last slot handed out on grids before this one: no slot of a later grid is at or before it.
        decided_ms: when the newest epoch was decided; no two of a chamber at the same instant.
        wanted: the row's spec, where a chamber starts on the ledger's grid because the row's has no epoch yet.
        skew_ms: how far the clock of the worker of the last round was ahead of the server's (-: behind it).
        memory: what the last readings left, to judge the next by; None while nothing is remembered.
        signals: what people told it by signals and that is no audit event yet.
        enrolment: the trace context of its enrolment (W3C `traceparent`), which its rounds name; "" = none is known.
    """

    spec: ChamberSpec
    next_ms: int
    pause: Pause | None = None
    health: Health = field(default_factory=Health)
    unsaved: list[Packed] = field(default_factory=list)
    retiring: str | None = None
    lost_through_ms: int | None = None
    verify: bool = False
    notes: list[str] = field(default_factory=list)
    last: str = ""
    cycles_per_run: int = 300
    run_number: int = 0
    unconfirmed: int = 0
    handed_out_ms: int | None = None
    decided_ms: int = 0
    wanted: ChamberSpec | None = None
    skew_ms: int = 0
    memory: Memory | None = None
    signals: Signals = field(default_factory=Signals)
    enrolment: str = ""


@dataclass(frozen=True, slots=True)
class ChamberStatus:
    """The answer of the `status` query.

    Attributes:
        id: the chamber.
        status: `starting`, `collecting`, `failing`, `paused` or `retiring`.
        next_slot_ms: of the round that runs, or else of the next one; None while paused without end or retiring.
        pause: by whom, why, since and until when.
        failures: slots in a row without a reading.
        last_reading_ms: slot of the last reading.
        last_failure: reason and detail of the last failed slot.
        unsaved, unsaved_bytes: outcomes that wait for the store, and their encoded size.
        version, interval_ms: of the spec in force.
        notes: signals that were ignored and changes that lost.
        run_number: runs so far (continue-as-new).
        unconfirmed: changes of signals that the registry has not answered yet.
        settled_ms: every slot up to here has its outcome in the store, as far as the chamber knows.
    """

    id: str
    status: str
    next_slot_ms: int | None
    pause: Pause | None
    failures: int
    last_reading_ms: int | None
    last_failure: str
    unsaved: int
    unsaved_bytes: int
    version: int
    interval_ms: int
    notes: list[str] = field(default_factory=list)
    run_number: int = 0
    unconfirmed: int = 0
    settled_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RoundRequest:
    """One run of `collect`.

    Attributes:
        spec: the chamber.
        first_ms, count: its first slot, and how many consecutive ones it has.
        before: packed outcomes to store before any reading of this round: missed runs, epochs.
        unsettled_ms: the oldest slot whose outcome waits in the workflow: `settled_through` may not reach it.
        verify: ask the store first which slots are there.
        health: how the last slots went.
        memory: what the round's first reading is judged by.
        signals: what is to become audit events beside the round.
        enrolment: the trace context of the chamber's enrolment; "" = none is known.
    """

    spec: ChamberSpec
    first_ms: int
    count: int
    before: list[Packed] = field(default_factory=list)
    unsettled_ms: int | None = None
    verify: bool = False
    health: Health = field(default_factory=Health)
    memory: Memory | None = None
    signals: list[SignalEvent] = field(default_factory=list)
    enrolment: str = ""


@dataclass(frozen=True, slots=True)
class RoundProgress:
    """A frozen snapshot of a running round: its heartbeat.

    Attributes:
        next_index: first slot of the round, counted from 0, that has no outcome yet.
        unsaved: packed outcomes that the store refused.
        health: how the slots went.
        failure: last failed attempt of slot `next_index` as [reason, detail], or None.
        raised: the round has shown its first failing fetch to Temporal already.
        memory: what slot `next_index` is judged by; None = as the request says (an older worker told nothing).
    """

    next_index: int = 0
    unsaved: list[Packed] = field(default_factory=list)
    health: Health = field(default_factory=Health)
    failure: list[str] | None = None
    raised: bool = False
    memory: Memory | None = None


@dataclass(frozen=True, slots=True)
class RoundOutcome:
    """What a round came to, whole or interrupted.

    Attributes:
        next_ms: first slot that was not handed out.
        unsaved: packed outcomes that the store refused.
        health: how the slots went.
        stored: readings that are new in the store.
        last: the last outcome, for people.
        lost_changes: changes that lost against the registry row, for people.
        skew_ms: how far the worker's clock was ahead of the server's at the end (-: behind it).
        memory: what the next round is judged by; None = what the chamber has stands (an older worker told nothing).
        told: keys of the signals that are audit events now.
    """

    next_ms: int
    unsaved: list[Packed] = field(default_factory=list)
    health: Health = field(default_factory=Health)
    stored: int = 0
    last: str = ""
    lost_changes: list[str] = field(default_factory=list)
    skew_ms: int = 0
    memory: Memory | None = None
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """One run of `store`.

    Attributes:
        chamber_id: whose outcomes.
        outcomes: packed, oldest first; none when only signals are to be told.
        settled_through_ms: every slot up to here has its outcome once these are stored; None = move nothing.
        organization: whose chamber it is, for the metrics.
        interval_ms: distance of its slots, to count those of a gap run.
        section: where it stands, for those who watch; "" = an older workflow did not say.
        signals: what is to become audit events.
    """

    chamber_id: str
    outcomes: list[Packed]
    settled_through_ms: int | None = None
    organization: str = ""
    interval_ms: int = 0
    section: str = ""
    signals: list[SignalEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StoreOutcome:
    """The outcomes are stored; `lost_changes` lost against the row, for people; `told`: as in `RoundOutcome`."""

    lost_changes: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AdhocRequest:
    """One run of `collect_adhoc`: a collection off the grid.

    Attributes:
        spec: the chamber.
        request_id: the update's id: with the chamber it is the reading's identity.
        memory: what it is judged by; nothing is remembered of it.
        trace: the trace context that it continues; "" = nobody's.
    """

    spec: ChamberSpec
    request_id: str
    memory: Memory | None = None
    trace: str = ""


@dataclass(frozen=True, slots=True)
class PauseRequest:
    """Stop collecting. `version` is the registry row's after this change; None = the row does not know yet."""

    reason: str = ""
    by: str = ""
    until_ms: int | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class PauseAnswer:
    """`since_ms` is the first slot that is not collected."""

    since_ms: int


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """Collect again. `version` as in `PauseRequest`."""

    by: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class ConfigureRequest:
    """Take over a spec; its version must be above the chamber's, else nothing changes and the answer is the same."""

    spec: ChamberSpec


@dataclass(frozen=True, slots=True)
class SlotAnswer:
    """`first_slot_ms` is the first slot that is collected under what was asked for."""

    first_slot_ms: int


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """Collect now, off the grid. `force` collects while paused too; `trace` is the caller's trace context, if any."""

    request_id: str
    force: bool = False
    trace: str = ""


@dataclass(frozen=True, slots=True)
class AdhocOutcome:
    """`outcome` is a packed reading, or a gap of that one instant; `stored`: a reading is in the store."""

    outcome: Packed
    stored: bool


@dataclass(frozen=True, slots=True)
class RetireRequest:
    """End the chamber. Its history stays."""

    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class RetireAnswer:
    """`last_slot_ms` is the last slot that was handed out."""

    last_slot_ms: int


@dataclass(frozen=True, slots=True)
class BeginAgainRequest:
    """Go back to the registry's row: `state` is what a chamber would be started with. Its history stays."""

    state: ChamberState
