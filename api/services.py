"""The use cases that the routes call, made from the ports that a bootstrap has filled."""

from collections.abc import Callable
from dataclasses import dataclass

from collector.ports import (
    Clock,
    FleetControl,
    FleetMetrics,
    KeyStore,
    LatestCache,
    LedgerReader,
    ProfileCatalog,
    Registry,
    SectionControl,
    UpkeepLog,
)
from collector.usecases.audit import AuditLedger
from collector.usecases.authenticate import Authenticate
from collector.usecases.catalog import ListProfiles, ListSections
from collector.usecases.change import ConfigureChamber, PauseChamber, ResumeChamber, RetireChamber
from collector.usecases.collect_now import CollectNow
from collector.usecases.enrol import CheckSpec, EnrolChamber
from collector.usecases.fleet import ListChambers, ShowChamber
from collector.usecases.observe import ObserveFleet
from collector.usecases.readiness import CheckReadiness
from collector.usecases.readings import DrawCurve, ListDetectors, ListGaps, ListReadings, ShowLatest
from collector.usecases.section_control import ShowOperation, TellSection

NOBODYS_KEY = "000000000000"
"""Looked up to see whether keys can be looked up at all."""

MetricsText = Callable[[str], tuple[bytes, str]]
"""From a request's Accept header to a body and its content type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the API needs from the outside."""

    registry: Registry
    ledger: LedgerReader
    cache: LatestCache
    fleet: FleetControl
    keys: KeyStore
    profiles: ProfileCatalog
    clock: Clock
    metrics: MetricsText
    upkeep: UpkeepLog
    fleet_metrics: FleetMetrics
    section_control: SectionControl


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases, made once for a process."""

    clock: Clock
    metrics: MetricsText
    observe: ObserveFleet
    authenticate: Authenticate
    readiness: CheckReadiness
    enrol: EnrolChamber
    list_chambers: ListChambers
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
    detectors: ListDetectors
    audit: AuditLedger
    profiles: ListProfiles
    sections: ListSections
    tell_section: TellSection
    section_operation: ShowOperation


def make_services(ports: Ports) -> Services:
    """Make every use case from the same ports."""
    registry, fleet, clock, ledger = ports.registry, ports.fleet, ports.clock, ports.ledger
    check = CheckSpec(registry, ports.profiles)
    return Services(
        clock=clock,
        metrics=ports.metrics,
        observe=ObserveFleet(ports.upkeep, ports.fleet_metrics),
        authenticate=Authenticate(ports.keys, clock),
        readiness=CheckReadiness({"postgresql": lambda: ports.keys.find(NOBODYS_KEY), "temporal": fleet.ping}),
        enrol=EnrolChamber(check, registry, fleet, clock),
        list_chambers=ListChambers(registry, clock),
        show=ShowChamber(registry, fleet, clock),
        configure=ConfigureChamber(check, registry, fleet, clock),
        pause=PauseChamber(registry, fleet, clock),
        resume=ResumeChamber(registry, fleet, clock),
        retire=RetireChamber(registry, fleet, clock),
        collect=CollectNow(registry, fleet, clock),
        readings=ListReadings(ledger),
        curve=DrawCurve(ledger),
        latest=ShowLatest(registry, ledger, ports.cache),
        gaps=ListGaps(ledger),
        detectors=ListDetectors(ledger),
        audit=AuditLedger(ledger, clock),
        profiles=ListProfiles(ports.profiles),
        sections=ListSections(registry),
        tell_section=TellSection(registry, ports.section_control, fleet, clock),
        section_operation=ShowOperation(ports.section_control),
    )
