"""What the API takes for organizations, sections, batches and detectors."""

from collections.abc import Set
from dataclasses import replace
from typing import Any

from pydantic import ConfigDict, Field

from api.inputs import (
    EARLIEST_MS,
    LATEST_MS,
    Body,
    Moment,
    PageQuery,
    ShortMoment,
    ShortText,
    SpanPageQuery,
    Text,
    instant_of,
    range_of,
)
from collector.domain.organization import Batch, Organization, Section
from collector.ports import BatchFilter, BatchPart
from collector.usecases.detectors import DetectorWish

INSTANT = "RFC 3339 with offset"


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": fields})


class OrganizationBody(Body):
    """A tenant to make."""

    model_config = _example(id="biologics", name="Biologics", address="Rheinweg 7, Basel", region="eu-central")

    id: Text = Field(description="1 to 63 of a-z, 0-9 and '-'; unique in the deployment")
    name: Text = Field("", description="for people, up to 200 characters")
    address: Text = Field("", description="where it is, up to 1000 characters")
    region: Text = Field("", description="in which part of the world, in its own words, up to 200 characters")

    def organization(self) -> Organization:
        """The organization that is asked for."""
        return Organization(**self.model_dump())


class OrganizationPatch(Body):
    """Fields of an organization to change; those that are not given stay."""

    model_config = _example(address="Rheinweg 9, Basel")

    name: Text = ""
    address: Text = ""
    region: Text = ""

    def altered(self, before: Organization) -> Organization:
        """The organization with the given fields."""
        return replace(before, **self.model_dump(exclude_unset=True))


class SectionBody(Body):
    """A section to make."""

    model_config = _example(id="cold-store", name="Cold store", description="Basement, doors 3 to 5")

    id: Text = Field(description="1 to 63 of a-z, 0-9 and '-'; unique in the organization")
    name: Text = Field("", description="for people, up to 200 characters")
    description: Text = Field("", description="what is there, up to 1000 characters")

    def section(self, organization: str) -> Section:
        """The section that is asked for."""
        return Section(organization=organization, **self.model_dump())


class SectionPatch(Body):
    """Fields of a section to change; those that are not given stay."""

    model_config = _example(description="Basement, doors 3 to 6")

    name: Text = ""
    description: Text = ""
    active: bool = Field(default=True, description="false closes it; no chamber may stand there then")

    def altered(self, before: Section) -> Section:
        """The section with the given fields."""
        return replace(before, **self.model_dump(exclude_unset=True))


class BatchBody(Body):
    """A batch to begin."""

    model_config = _example(id="CHO-17.2", section="default", name="CHO 17, second passage")

    id: Text = Field(description="1 to 63 letters, digits, '.', '_' and '-'; unique in the organization")
    section: Text = Field(description="where it is observed; it never changes")
    name: Text = Field("", description="for people, up to 200 characters")
    description: Text = Field("", description="what it is, up to 1000 characters")
    started_at: Moment | None = Field(None, description=f"{INSTANT}, inclusive; by default now")
    ended_at: Moment | None = Field(None, description=f"{INSTANT}, exclusive; null = it goes on")

    def batch(self, organization: str, now_ms: int) -> Batch:
        """The batch that is asked for.

        Raises:
            InvalidFieldError: field `started_at` or `ended_at`.
        """
        texts = self.model_dump(exclude={"started_at", "ended_at"})
        started_ms = now_ms if self.started_at is None else instant_of("started_at", self.started_at)
        ended_ms = None if self.ended_at is None else instant_of("ended_at", self.ended_at)
        return Batch(organization=organization, started_ms=started_ms, ended_ms=ended_ms, **texts)

    def given(self) -> Set[str]:
        """Names of the fields that the caller chose."""
        return self.model_fields_set - ({"started_at"} if self.started_at is None else set())


class BatchPatch(Body):
    """Fields of a batch to change; those that are not given stay. `ended_at` null lets it go on."""

    model_config = _example(started_at="2026-03-01T08:00:00Z")

    name: Text = ""
    description: Text = ""
    started_at: Moment = Field("", description=f"{INSTANT}, inclusive")
    ended_at: Moment | None = Field(None, description=f"{INSTANT}, exclusive; null = it goes on")

    def altered(self, before: Batch) -> Batch:
        """The batch with the given fields.

        Raises:
            InvalidFieldError: field `started_at` or `ended_at`.
        """
        given: dict[str, Any] = self.model_dump(exclude_unset=True)
        for name in given.keys() & {"started_at", "ended_at"}:
            text = given.pop(name)
            given[name.removesuffix("_at") + "_ms"] = None if text is None else instant_of(name, text)
        return replace(before, **given)


class EndBody(Body):
    """When a batch ends."""

    model_config = _example(at="2026-03-09T16:00:00+01:00")

    at: Moment | None = Field(None, description=f"{INSTANT}, exclusive; by default now")

    def at_ms(self) -> int | None:
        """The end, milliseconds since the epoch.

        Raises:
            InvalidFieldError: field `at`.
        """
        return None if self.at is None else instant_of("at", self.at)


class DetectorPatch(Body):
    """What to change of a detector; what is not given stays. `alias` null removes it."""

    model_config = _example(alias="core temperature", active=True)

    alias: Text | None = Field(None, description="another name for it in this chamber, up to 200 characters")
    active: bool = Field(default=True, description="false leaves its values out unless they are asked for by name")

    def wish(self) -> DetectorWish:
        """What is asked for."""
        return DetectorWish(self.alias, self.active, frozenset(self.model_fields_set))


class BatchesQuery(PageQuery):
    """Which batches."""

    section: ShortText | None = Field(None, description="where they are observed")
    at: ShortMoment | None = Field(None, description=f"{INSTANT}; only what is or was observed then")

    def filter(self) -> BatchFilter:
        """What is asked for.

        Raises:
            InvalidFieldError: field `at`.
        """
        return BatchFilter(self.section, None if self.at is None else instant_of("at", self.at))


class BatchReadingsQuery(SpanPageQuery):
    """Which readings of a batch; by default all of them."""

    chamber: ShortText | None = Field(None, description="only of this chamber")
    detector: ShortText | None = Field(None, description="name or alias; readings without it are left out")

    def part(self) -> BatchPart:
        """What is asked for.

        Raises:
            InvalidFieldError: field `from` or `to`.
        """
        if self.from_ is None and self.to is None:
            return BatchPart(self.chamber)
        from_ms = EARLIEST_MS if self.from_ is None else instant_of("from", self.from_)
        to_ms = LATEST_MS if self.to is None else instant_of("to", self.to)
        return BatchPart(self.chamber, range_of(from_ms, to_ms))
