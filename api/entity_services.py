"""The use cases of organizations, sections, batches, profiles and keys, each kind's together."""

from dataclasses import dataclass

from collector.ports import (
    Batches,
    Clock,
    EventLog,
    KeyStore,
    LedgerReader,
    MakeKey,
    Organizations,
    ProfileCatalog,
    ProfileLibrary,
    Registry,
    Sections,
)
from collector.usecases.batches import (
    ChangeBatch,
    EndBatch,
    ListBatchChambers,
    ListBatches,
    ListBatchReadings,
    ShowBatch,
    StartBatch,
)
from collector.usecases.catalog import DescribeProfiles, ListProfiles, PutProfile, RemoveProfile, ShowProfile
from collector.usecases.events import ListEvents, RecordEvent
from collector.usecases.keys import AddKey, ListKeys, RevokeKey, ShowKey
from collector.usecases.organizations import (
    AddOrganization,
    ChangeOrganization,
    ListOrganizations,
    ShowOrganization,
)
from collector.usecases.profiles import CompiledProfiles
from collector.usecases.sections import AddSection, ChangeSection, ListSections, ShowSection


@dataclass(frozen=True, slots=True, kw_only=True)
class EventServices:
    """What can be done with audit events."""

    record: RecordEvent
    list: ListEvents


def event_services(events: EventLog) -> EventServices:
    """Make them."""
    return EventServices(record=RecordEvent(events), list=ListEvents(events))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationServices:
    """What can be done with tenants."""

    list: ListOrganizations
    show: ShowOrganization
    add: AddOrganization
    change: ChangeOrganization


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionServices:
    """What can be done with sections."""

    list: ListSections
    show: ShowSection
    add: AddSection
    change: ChangeSection


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchServices:
    """What can be done with batches."""

    list: ListBatches
    show: ShowBatch
    start: StartBatch
    change: ChangeBatch
    end: EndBatch
    chambers: ListBatchChambers
    readings: ListBatchReadings


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileServices:
    """What can be done with profiles."""

    list: ListProfiles
    show: ShowProfile
    put: PutProfile
    remove: RemoveProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyServices:
    """What can be done with API keys."""

    list: ListKeys
    show: ShowKey
    add: AddKey
    revoke: RevokeKey


def organization_services(organizations: Organizations) -> OrganizationServices:
    """Make the use cases of organizations."""
    return OrganizationServices(
        list=ListOrganizations(organizations),
        show=ShowOrganization(organizations),
        add=AddOrganization(organizations),
        change=ChangeOrganization(organizations),
    )


def section_services(sections: Sections) -> SectionServices:
    """Make the use cases of sections."""
    return SectionServices(
        list=ListSections(sections),
        show=ShowSection(sections),
        add=AddSection(sections),
        change=ChangeSection(sections),
    )


def batch_services(batches: Batches, registry: Registry, ledger: LedgerReader, clock: Clock) -> BatchServices:
    """Make the use cases of batches."""
    return BatchServices(
        list=ListBatches(batches),
        show=ShowBatch(batches),
        start=StartBatch(batches),
        change=ChangeBatch(batches),
        end=EndBatch(batches, clock),
        chambers=ListBatchChambers(batches),
        readings=ListBatchReadings(registry, ledger),
    )


def profile_services(files: ProfileCatalog, library: ProfileLibrary) -> ProfileServices:
    """Make the use cases of profiles."""
    compiled = CompiledProfiles()
    describe = DescribeProfiles(files, compiled)
    show = ShowProfile(files, library, describe)
    return ProfileServices(
        list=ListProfiles(files, library, describe),
        show=show,
        put=PutProfile(files, library, show, compiled),
        remove=RemoveProfile(files, library, show),
    )


def key_services(keys: KeyStore, clock: Clock, make: MakeKey) -> KeyServices:
    """Make the use cases of API keys."""
    return KeyServices(list=ListKeys(keys), show=ShowKey(keys), add=AddKey(keys, clock, make), revoke=RevokeKey(keys))
