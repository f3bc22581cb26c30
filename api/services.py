"""The use cases that the routes call, made from the ports that a bootstrap has filled."""

from collections.abc import Callable
from dataclasses import dataclass

from api.entity_services import (
    BatchServices,
    EventServices,
    KeyServices,
    OrganizationServices,
    ProfileServices,
    SectionServices,
    batch_services,
    event_services,
    key_services,
    organization_services,
    profile_services,
    section_services,
)
from api.people_services import PeoplePorts, PeopleServices, people_services
from collector.ports import (
    NO_TRACING,
    ActiveChambers,
    AnswerShelf,
    Batches,
    Clock,
    EventLog,
    FleetControl,
    FleetMetrics,
    KeyStore,
    LatestCache,
    LedgerReader,
    LiveFeed,
    MakeKey,
    Organizations,
    ProfileCatalog,
    ProfileLibrary,
    Registry,
    SectionControl,
    Sections,
    Tracing,
    UpkeepLog,
)
from collector.ports.assertions import AssertionVerifier
from collector.ports.limits import RateLimiter
from collector.usecases.active import PageChambers
from collector.usecases.admit import Admit
from collector.usecases.answers import ListAnswers
from collector.usecases.audit import AuditLedger
from collector.usecases.authenticate import Authenticate
from collector.usecases.bounds import Bounds
from collector.usecases.change import ConfigureChamber, PauseChamber, ResumeChamber, RetireChamber
from collector.usecases.collect_now import CollectNow
from collector.usecases.detectors import ChangeDetector, ListDetectors
from collector.usecases.enrol import CheckSpec, EnrolChamber
from collector.usecases.events import RecordEvent, RecordRefusal
from collector.usecases.fleet import ListChambers, ShowChamber
from collector.usecases.identify import Identify
from collector.usecases.live import WatchLive
from collector.usecases.observe import ObserveFleet
from collector.usecases.profiles import OfferedProfiles
from collector.usecases.readiness import CheckReadiness
from collector.usecases.readings import DrawCurve, ListGaps, ListReadings, ShowLatest
from collector.usecases.section_control import ShowOperation, TellSection
from collector.usecases.sessions import KnownSessions
from collector.usecases.standing import ShowFleet
from collector.usecases.still_valid import StillValid

NOBODYS_KEY = "000000000000"
"""Looked up to see whether keys can be looked up at all."""

MetricsText = Callable[[str], tuple[bytes, str]]
"""From a request's Accept header to a body and its content type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the API needs from the outside.

    Without a live feed nobody can watch, without a limiter nobody is counted, without a verifier of assertions there
    is no gateway.
    """

    registry: Registry
    ledger: LedgerReader
    cache: LatestCache
    active: ActiveChambers
    fleet: FleetControl
    keys: KeyStore
    make_key: MakeKey
    profiles: ProfileCatalog
    library: ProfileLibrary
    answers: AnswerShelf
    clock: Clock
    metrics: MetricsText
    upkeep: UpkeepLog
    fleet_metrics: FleetMetrics
    organizations: Organizations
    sections: Sections
    batches: Batches
    section_control: SectionControl
    events: EventLog
    live: LiveFeed | None
    people: PeoplePorts
    limiter: RateLimiter | None = None
    assertions: AssertionVerifier | None = None
    tracing: Tracing = NO_TRACING


@dataclass(frozen=True, slots=True)
class DetectorServices:
    """What can be done with detectors."""

    list: ListDetectors
    change: ChangeDetector


@dataclass(frozen=True, slots=True)
class SectionControlServices:
    """What can be done with all chambers of a section at once."""

    tell: TellSection
    show: ShowOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases, made once for a process."""

    clock: Clock
    metrics: MetricsText
    observe: ObserveFleet
    authenticate: Authenticate
    identify: Identify
    still_valid: StillValid
    bounds: Bounds
    keys: KeyServices
    readiness: CheckReadiness
    enrol: EnrolChamber
    list_chambers: ListChambers
    fleet: ShowFleet
    show: ShowChamber
    configure: ConfigureChamber
    pause: PauseChamber
    resume: ResumeChamber
    retire: RetireChamber
    collect: CollectNow
    readings: ListReadings
    curve: DrawCurve
    latest: ShowLatest
    gaps: ListGaps
    detectors: DetectorServices
    audit: AuditLedger
    profiles: ProfileServices
    answers: ListAnswers
    organizations: OrganizationServices
    sections: SectionServices
    batches: BatchServices
    section_control: SectionControlServices
    events: EventServices
    live: WatchLive | None
    people: PeopleServices
    tracing: Tracing = NO_TRACING

    @property
    def record(self) -> RecordEvent:
        """Keeps an audit event."""
        return self.events.record


def _check(ports: Ports) -> CheckSpec:
    return CheckSpec(ports.registry, OfferedProfiles(ports.profiles, ports.library))


def _authenticate(ports: Ports) -> Authenticate:
    return Authenticate(ports.keys, ports.clock, KnownSessions(ports.people.sessions, ports.clock))


def _identify(ports: Ports, authenticate: Authenticate, record: RecordEvent) -> Identify:
    refused = RecordRefusal(record, ports.clock)
    return Identify(Admit(authenticate, ports.organizations, ports.limiter, refused), ports.assertions)


def _section_control(ports: Ports) -> SectionControlServices:
    tell = TellSection(ports.sections, ports.registry, ports.section_control, ports.fleet, ports.clock)
    return SectionControlServices(tell, ShowOperation(ports.section_control))


def make_services(ports: Ports) -> Services:
    """Make every use case from the same ports."""
    registry, fleet, clock, ledger, check = ports.registry, ports.fleet, ports.clock, ports.ledger, _check(ports)
    authenticate, events = _authenticate(ports), event_services(ports.events)
    return Services(
        clock=clock,
        metrics=ports.metrics,
        observe=ObserveFleet(ports.upkeep, ports.fleet_metrics),
        authenticate=authenticate,
        identify=_identify(ports, authenticate, events.record),
        still_valid=StillValid(ports.keys, ports.people.sessions, clock),
        bounds=Bounds(registry, ports.batches),
        keys=key_services(ports.keys, clock, ports.make_key),
        readiness=CheckReadiness({"postgresql": lambda: ports.keys.find(NOBODYS_KEY), "temporal": fleet.ping}),
        enrol=EnrolChamber(check, registry, fleet, clock, ports.active, tracing=ports.tracing),
        list_chambers=ListChambers(registry, clock),
        fleet=ShowFleet(registry, ledger, clock),
        show=ShowChamber(registry, fleet, clock),
        configure=ConfigureChamber(check, registry, fleet, clock, ports.active),
        pause=PauseChamber(registry, fleet, clock),
        resume=ResumeChamber(registry, fleet, clock),
        retire=RetireChamber(registry, fleet, clock, ports.active),
        collect=CollectNow(registry, fleet, clock),
        readings=ListReadings(ledger),
        curve=DrawCurve(ledger),
        latest=ShowLatest(PageChambers(registry, ports.active), ledger, ports.cache),
        gaps=ListGaps(ledger),
        detectors=DetectorServices(ListDetectors(ledger), ChangeDetector(registry, ledger, ports.active)),
        audit=AuditLedger(ledger, clock),
        profiles=profile_services(ports.profiles, ports.library),
        answers=ListAnswers(ports.answers),
        organizations=organization_services(ports.organizations),
        sections=section_services(ports.sections),
        batches=batch_services(ports.batches, registry, ledger, clock),
        section_control=_section_control(ports),
        events=events,
        live=None if ports.live is None else WatchLive(registry, ports.sections, ports.active, ports.live),
        people=people_services(ports.people, clock, ports.limiter),
        tracing=ports.tracing,
    )
