"""What the core needs from the outside: one Protocol each; a method's docstring is the contract its test checks.

Instants are integers of milliseconds since the Unix epoch, UTC. Every method may raise `AwayError`, or the narrower
error it names, when its server cannot be reached.
"""

from collector.ports.active import ActiveChamber, ActiveChambers, ActivePart, ReadActive
from collector.ports.answers import AnswerKeeper, AnswerKind, AnswerShelf, ChamberAnswer
from collector.ports.clock import Clock, ServerClock, ServerInstant
from collector.ports.devices import DeviceAnswer, DeviceClient, DeviceRequest, SecretResolver
from collector.ports.events import AuditEvent, EventFilter, EventLog
from collector.ports.fleet import FleetControl
from collector.ports.history import (
    CHANGEABLE,
    Audit,
    BatchPart,
    Bin,
    DetectorRecord,
    GapRun,
    Lateness,
    LedgerReader,
    StoredReading,
)
from collector.ports.keys import KeyRecord, KeyStore, KeyTerms, MakeKey, NewKey, Principal
from collector.ports.live import (
    Begun,
    Dropped,
    Interrupted,
    LiveEvent,
    LiveFeed,
    LiveItem,
    Origin,
    Past,
    Resumed,
)
from collector.ports.maintenance import LedgerMaintenance, RolledUp
from collector.ports.organizations import Batches, BatchFilter, Organizations, SectionRecord, Sections, Stay
from collector.ports.outcomes import CachedLatest, LatestCache, OutcomeStore, SaveBatch, SaveResult
from collector.ports.paging import Page
from collector.ports.profiles import ProfileCatalog, ProfileLibrary, SpecProfiles
from collector.ports.reconcile import (
    ChamberRun,
    FleetFigures,
    FleetMetrics,
    FleetRows,
    FleetRuns,
    LedgerFigures,
    UpkeepLog,
    UpkeepNote,
)
from collector.ports.registry import ChamberFilter, ChamberRecord, Registry, Standing
from collector.ports.rounds import CollectionMetrics, RoundControl
from collector.ports.section_control import SectionControl
from collector.ports.tracing import NO_TRACING, OpenSpan, SpanKind, Tracing
from collector.ports.workers import RunningRounds, Signs

__all__ = [
    "CHANGEABLE",
    "NO_TRACING",
    "ActiveChamber",
    "ActiveChambers",
    "ActivePart",
    "AnswerKeeper",
    "AnswerKind",
    "AnswerShelf",
    "Audit",
    "AuditEvent",
    "BatchFilter",
    "BatchPart",
    "Batches",
    "Begun",
    "Bin",
    "CachedLatest",
    "ChamberAnswer",
    "ChamberFilter",
    "ChamberRecord",
    "ChamberRun",
    "Clock",
    "CollectionMetrics",
    "DetectorRecord",
    "DeviceAnswer",
    "DeviceClient",
    "DeviceRequest",
    "Dropped",
    "EventFilter",
    "EventLog",
    "FleetControl",
    "FleetFigures",
    "FleetMetrics",
    "FleetRows",
    "FleetRuns",
    "GapRun",
    "Interrupted",
    "KeyRecord",
    "KeyStore",
    "KeyTerms",
    "Lateness",
    "LatestCache",
    "LedgerFigures",
    "LedgerMaintenance",
    "LedgerReader",
    "LiveEvent",
    "LiveFeed",
    "LiveItem",
    "MakeKey",
    "NewKey",
    "OpenSpan",
    "Organizations",
    "Origin",
    "OutcomeStore",
    "Page",
    "Past",
    "Principal",
    "ProfileCatalog",
    "ProfileLibrary",
    "ReadActive",
    "Registry",
    "Resumed",
    "RolledUp",
    "RoundControl",
    "RunningRounds",
    "SaveBatch",
    "SaveResult",
    "SecretResolver",
    "SectionControl",
    "SectionRecord",
    "Sections",
    "ServerClock",
    "ServerInstant",
    "Signs",
    "SpanKind",
    "SpecProfiles",
    "Standing",
    "Stay",
    "StoredReading",
    "Tracing",
    "UpkeepLog",
    "UpkeepNote",
]
