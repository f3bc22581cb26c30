"""Tenants, where their chambers stand, and what is observed there.

What `add` is told to make has version 1. Adding what is there already, by its id, changes nothing and answers what is
there: the caller sees whether it differs. What is changed must be at the version that the caller read.
"""

from dataclasses import dataclass
from typing import Protocol

from collector.domain.organization import Batch, Organization, Section
from collector.ports.paging import Page


class Organizations(Protocol):
    """The tenants of the deployment."""

    async def add(self, wanted: Organization) -> tuple[Organization, bool]:
        """Make an organization with its section `FIRST_SECTION`; answers what is there now, and whether it is new."""
        ...

    async def find(self, organization: str) -> Organization:
        """One organization.

        Raises:
            NotFoundError: not there.
        """
        ...

    async def page(self, limit: int, cursor: str | None) -> Page[Organization]:
        """All of the deployment, by id: for whoever runs it.

        Raises:
            InvalidFieldError: field `cursor`, when it is not one of ours.
        """
        ...

    async def change(self, wanted: Organization, expected_version: int) -> Organization:
        """Write it as version `expected_version + 1`.

        Raises:
            NotFoundError: not there.
            StaleVersionError: it has another version.
        """
        ...


@dataclass(frozen=True, slots=True)
class SectionRecord:
    """A section as it is kept; `chambers` counts those that stand there now, retired ones left out."""

    section: Section
    chambers: int


class Sections(Protocol):
    """The sections of organizations. Every read and change is inside one organization."""

    async def add(self, wanted: Section) -> tuple[SectionRecord, bool]:
        """Make a section; answers what is there now, and whether it is new.

        Raises:
            NotFoundError: there is no such organization.
        """
        ...

    async def find(self, organization: str, section: str) -> SectionRecord:
        """One section.

        Raises:
            NotFoundError: not there, or another organization's.
        """
        ...

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[SectionRecord]:
        """Sections by id, closed ones too.

        Raises:
            InvalidFieldError: field `cursor`, when it is not one of ours.
        """
        ...

    async def change(self, wanted: Section, expected_version: int) -> SectionRecord:
        """Write it as version `expected_version + 1`.

        Closing it and enrolling a chamber in it at the same time cannot both succeed.

        Raises:
            NotFoundError: as in `find`.
            StaleVersionError: it has another version.
            ConflictError: field `active`: it was to be closed, and chambers stand there.
        """
        ...


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """Which batches of an organization a list shows; None does not restrict.

    Attributes:
        section: exact.
        at_ms: only what is or was observed at that instant.
    """

    section: str | None = None
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """A chamber in a batch's section while that was observed: its slots in `[from_ms, to_ms)` are the batch's.

    Attributes:
        chamber_id: whose.
        from_ms: when it came there, or when the batch began.
        to_ms: when it left, or when the batch ended; None = it stands there and the batch goes on.
    """

    chamber_id: str
    from_ms: int
    to_ms: int | None


class Batches(Protocol):
    """What is observed. Every read and change is inside one organization."""

    async def add(self, wanted: Batch) -> tuple[Batch, bool]:
        """Make a batch; answers what is there now, and whether it is new. A closed section may still get one.

        Two that overlap in a section cannot both be made, however close together they are asked for.

        Raises:
            InvalidFieldError: field `section`: there is none of that name.
            ConflictError: field `section`: another batch of the section overlaps it, and the message names it.
        """
        ...

    async def find(self, organization: str, batch: str) -> Batch:
        """One batch.

        Raises:
            NotFoundError: not there, or another organization's.
        """
        ...

    async def page(self, organization: str, wanted: BatchFilter, limit: int, cursor: str | None) -> Page[Batch]:
        """Batches, the one that started last first; those that started together by id.

        Raises:
            InvalidFieldError: field `cursor`, when it is not one of ours.
        """
        ...

    async def stays(self, organization: str, batch: str, limit: int, cursor: str | None) -> Page[Stay]:
        """Which chambers stood in its section, and when, by chamber id and time; retired ones too.

        One that left and came back has several. They cover exactly the slots of `LedgerReader.batch_readings`.

        Raises:
            NotFoundError: as in `find`.
            InvalidFieldError: field `cursor`, when it is not one of ours.
        """
        ...

    async def change(self, wanted: Batch, expected_version: int) -> Batch:
        """Write it as version `expected_version + 1`; which readings are its own follows at once.

        Raises:
            NotFoundError: as in `find`.
            StaleVersionError: it has another version.
            ConflictError: as in `add`.
        """
        ...
