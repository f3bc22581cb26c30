"""Organizations, sections and batches, as the API answers them. Instants are RFC 3339, UTC, milliseconds."""

from pydantic import BaseModel, Field

from api.schemas import Instant, instant, shows
from collector.domain.instants import iso
from collector.domain.organization import Batch, Organization
from collector.ports import SectionRecord, Stay

MADE = {"version": 1, "created_at": "2026-03-01T12:00:00.000Z", "updated_at": "2026-03-01T12:00:00.000Z"}


class OrganizationOut(BaseModel):
    """A tenant; `version` is also its ETag."""

    model_config = shows(id="biologics", name="Biologics", address="Rheinweg 7, Basel", region="eu-central", **MADE)

    id: str
    name: str
    address: str
    region: str
    version: int
    created_at: Instant
    updated_at: Instant


class SectionOut(BaseModel):
    """A section; `chambers` counts those that stand there now, retired ones left out. `version` is also its ETag."""

    model_config = shows(
        id="cold-store", name="Cold store", description="Basement, doors 3 to 5", active=True, chambers=3, **MADE
    )

    id: str
    name: str
    description: str
    active: bool
    chambers: int
    version: int
    created_at: Instant
    updated_at: Instant


class BatchOut(BaseModel):
    """A batch; `ended_at` is null while it goes on. `version` is also its ETag."""

    model_config = shows(
        id="CHO-17.2",
        section="default",
        name="CHO 17, second passage",
        description="",
        started_at="2026-03-01T12:00:00.000Z",
        ended_at=None,
        **MADE,
    )

    id: str
    section: str
    name: str
    description: str
    started_at: Instant
    ended_at: Instant | None
    version: int
    created_at: Instant
    updated_at: Instant


class StayOut(BaseModel):
    """A chamber in the batch's section while that was observed: its slots in `[from, to)` are the batch's."""

    model_config = shows(**{"chamber": "incubator-3", "from": "2026-03-01T12:00:00.000Z", "to": None})

    chamber: str
    from_: str = Field(serialization_alias="from")
    to: str | None


def organization_out(organization: Organization) -> OrganizationOut:
    """An organization as JSON."""
    return OrganizationOut(
        id=organization.id,
        name=organization.name,
        address=organization.address,
        region=organization.region,
        version=organization.version,
        created_at=iso(organization.created_ms),
        updated_at=iso(organization.updated_ms),
    )


def section_out(record: SectionRecord) -> SectionOut:
    """A section as JSON."""
    section = record.section
    return SectionOut(
        id=section.id,
        name=section.name,
        description=section.description,
        active=section.active,
        chambers=record.chambers,
        version=section.version,
        created_at=iso(section.created_ms),
        updated_at=iso(section.updated_ms),
    )


def batch_out(batch: Batch) -> BatchOut:
    """A batch as JSON."""
    return BatchOut(
        id=batch.id,
        section=batch.section,
        name=batch.name,
        description=batch.description,
        started_at=iso(batch.started_ms),
        ended_at=instant(batch.ended_ms),
        version=batch.version,
        created_at=iso(batch.created_ms),
        updated_at=iso(batch.updated_ms),
    )


def stay_out(stay: Stay) -> StayOut:
    """A stay as JSON."""
    return StayOut(chamber=stay.chamber_id, from_=iso(stay.from_ms), to=instant(stay.to_ms))
